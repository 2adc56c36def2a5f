"""Puts the exchange on a plain Debian 12 host: program, units, user. Doing it again renews what is there.

The files are those of the image, with the places of a host: what a person installs is below /usr/local, units are in
/etc, and data in /var/lib (Filesystem Hierarchy Standard 3.0 §4.9, §5.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import appliance
from appliance.errors import ConfigError
from appliance.system.files import write_atomically
from appliance.system.update import durable
from appliance.system.update.bundle import PIECE
from appliance.system.update.keys import read_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.system.apply import Box

__all__ = ["DATA", "Installation"]

OURS = Path(appliance.__file__).parents[1]
"The top of the checkout, or of what the executable unpacked."
BASE = "usr/local/lib/branchbox"
DATA = "var/lib/branchbox"
USER = "branchbox"
UNITS = ("branchbox.service", "branchbox@.service", "branchbox-user@.service", "branchbox-health.service")
SCRIPTS = {
    "image/overlay/usr/bin/branchbox": "usr/local/bin/branchbox",
    "image/overlay/usr/libexec/branchbox/choose-release": "usr/local/libexec/branchbox/choose-release",
}
PLACES = (
    ("/usr/lib/branchbox", f"/{BASE}"),
    ("/usr/libexec/branchbox", "/usr/local/libexec/branchbox"),
    ("/usr/bin/branchbox", "/usr/local/bin/branchbox"),
    ("/data", f"/{DATA}"),
    # Ports and requests to root are the image's: a host has other services, and an administrator of its own.
    ("=0.0.0.0:443", "=0.0.0.0:8443"),
    ("Environment=BRANCHBOX_APPLIANCE=1\n", ""),
    ("StartLimitAction=reboot\n", ""),
    (" branchbox-system.service nftables.service", ""),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """Below the machine's root; with another than `/` only files are written."""

    machine: Box
    program: Path
    "The one executable."
    keys: Path | None = None
    "The keys that sign updates."

    def install(self) -> None:
        """Write everything, make the user, start the service. ConfigError, OSError."""
        if self.keys is not None and not read_keys(self.keys):
            raise ConfigError("install", "update.bad_keys", file=str(self.keys))
        self._put_program()
        for source, target in SCRIPTS.items():
            self._put(target, _placed(source), 0o755)
        for unit in UNITS:
            self._put(f"etc/systemd/system/{unit}", _placed(f"systemd/{unit}"), 0o644)
        if self.keys is not None:
            self._put(f"{BASE}/update-keys.json", self.keys.read_bytes(), 0o644)
        self._make_user()
        durable.make_folder(self.machine.root / DATA)
        self._run("systemctl", "daemon-reload")
        self._run("systemctl", "enable", "--quiet", "branchbox-health.service", "branchbox.service")
        self._run("systemctl", "restart", "branchbox.service")

    def _put_program(self) -> None:
        folder = self.machine.root / BASE
        durable.make_folder(folder)
        scratch = folder / ".branchbox.new"
        # Not written over: it may be running.
        durable.fill(scratch, _pieces(self.program), 0o755)
        durable.move(scratch, folder / "branchbox")
        # Last: from now on updates of an older base are not looked at.
        self._put(f"{BASE}/base", f"{appliance.__version__}\n".encode(), 0o644)

    def _put(self, target: str, content: bytes, mode: int) -> None:
        path = self.machine.root / target
        durable.make_folder(path.parent)
        write_atomically(path, content, mode)
        self.machine.said.append(f"wrote /{target}")

    def _make_user(self) -> None:
        if self.machine.root == Path("/") and self.machine.run("getent", "passwd", USER):
            return
        home = ("--home-dir", f"/{DATA}", "--no-create-home", "--shell", "/usr/sbin/nologin")
        self._run("useradd", "--system", "--user-group", *home, USER)

    def _run(self, *command: str) -> None:
        if not self.machine.run(*command):
            raise ConfigError("install", "install.tool_failed", command=" ".join(command))


def _placed(source: str) -> bytes:
    text = (OURS / source).read_text(encoding="utf-8")
    for image, host in PLACES:
        text = text.replace(image, host)
    return text.encode()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
