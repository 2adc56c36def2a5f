"""A process that is killed in the middle of its changes has lost none that it acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from appliance.config.config import Config
from appliance.store.store import Store

WRITER = """
import pathlib, sys
import anyio
from appliance.config.config import Config
from appliance.config.extension import Extension
from appliance.store.store import Store

async def main():
    store = await Store.open(pathlib.Path(sys.argv[1]))
    config = await Config.open(store)
    for number in range(10_000 + config.current.revision, 99_999):
        extension = Extension(number=str(number), ha1_md5="0" * 32, ha1_sha256="0" * 64)
        await config.change(lambda now: now.with_extension(extension))
        print(number, flush=True)

anyio.run(main)
"""


async def test_every_acknowledged_change_is_there(tmp_path: Path) -> None:
    acknowledged = [number for enough in (1, 25, 60) for number in _write_and_be_killed(tmp_path, enough)]
    assert len(acknowledged) >= 86
    store = await Store.open(tmp_path)
    try:
        snapshot = (await Config.open(store)).current
        assert set(acknowledged) <= snapshot.extensions.keys()
        # A change that was killed before its acknowledgement is there whole, with its revision, or not at all.
        assert len(snapshot.extensions) <= snapshot.revision
    finally:
        await store.close()


def _write_and_be_killed(folder: Path, enough: int) -> list[str]:
    """Change settings in a child, kill it after `enough` acknowledgements, and return all that it gave."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        numbers = [child.stdout.readline().strip() for _ in range(enough)]
        child.kill()
        numbers += child.stdout.read().split()
    return [number for number in numbers if number]
