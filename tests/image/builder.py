"""Makes updates of the very image that is tested, signs them with a key of its own, and hands them out over HTTP."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.system.update.bundle import describe
from appliance.system.update.manifest import Kind, Manifest, PublicKey
from appliance.system.update.state import State, Trial
from appliance.system.update.write import public_key, write_bundle

__all__ = ["Builder", "partition_offset"]

TOP = Path(__file__).parents[2]
PARTS = TOP / "build/parts"
"Of the last ./build.sh image: the parts that went into the image."
HOST_SEEN_FROM_BOX = "10.0.2.2"
"QEMU's user network."
MIB = 1024 * 1024
TEXT_LIMIT = 64 * 1024


class Builder:
    """A folder with updates, served at `address`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = Ed25519PrivateKey.generate()
        self.address = ""

    def believe(self, card: Path, trial: Trial | None = None) -> None:
        """Put this builder's key onto a card's data partition: a box that was told of it by an earlier update.

        With `trial` it is a box that has written that update and was not started since.
        """
        state = self.folder / "state.json"
        state.write_bytes(msgspec.json.encode(State(keys=(self.public,), trial=trial)))
        commands = f"mkdir /releases\nwrite {state} /releases/state.json\n"
        subprocess.run(
            ["debugfs", "-w", f"{card}?offset={partition_offset(card, 4)}"],
            input=commands.encode(),
            capture_output=True,
            check=True,
        )

    @property
    def public(self) -> PublicKey:
        return public_key("test", self._key)

    def image(
        self, name: str, version: str, replaced: Mapping[str, str] | None = None, root: Path = PARTS / "2"
    ) -> str:
        """The image as it is, of another version; `replaced` are texts that its templates say otherwise."""
        boot = self.folder / f"{name}.boot"
        with tarfile.open(PARTS / "boot.tar") as old, tarfile.open(boot, "w") as new:
            for entry in old:
                file = old.extractfile(entry)
                assert file is not None
                content = file.read()
                if len(content) < TEXT_LIMIT and not entry.name.endswith(".dtb"):
                    for was, becomes in (replaced or {}).items():
                        content = content.replace(was.encode(), becomes.encode())
                entry.size = len(content)
                new.addfile(entry, io.BytesIO(content))
        return self._bundle("image", name, version, {"root": root, "boot": boot})

    def application(self, name: str, version: str, program: Path | bytes) -> str:
        """A program of another version."""
        if isinstance(program, bytes):
            file = self.folder / f"{name}.program"
            file.write_bytes(program)
            program = file
        return self._bundle("application", name, version, {"executable": program}, target="aarch64")

    def _bundle(
        self, kind: Kind, name: str, version: str, files: dict[str, Path], target: str = "arm64-card"
    ) -> str:
        manifest = Manifest(kind, version, target, 0, describe(kind, files), ("test",))
        write_bundle(self.folder / name, manifest, files, {"test": self._key})
        return f"{self.address}/{name}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Hand the updates out for as long as this lasts."""
        folder = self.folder

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.address = f"http://{HOST_SEEN_FROM_BOX}:{server.server_port}"
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


def partition_offset(card: Path, number: int) -> int:
    """Where a partition begins, in octets."""
    listed = subprocess.run(["sfdisk", "--json", card], capture_output=True, check=True)
    start: int = json.loads(listed.stdout)["partitiontable"]["partitions"][number - 1]["start"]
    return start * 512
