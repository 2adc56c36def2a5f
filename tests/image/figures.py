"""What was measured of the image: kept beside it for `./build.sh bench`, printed at the end of the run."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from appliance import __version__

__all__ = ["IMAGE", "NAMES", "noted", "root_octets", "write_down"]

TOP = Path(__file__).parents[2]
IMAGE = TOP / "dist" / f"branchbox-{__version__}-arm64.img.xz"
FILE = IMAGE.with_name("figures.json")
NAMES = {
    "image_boot_seconds": "power-on to first answered OPTIONS, new card in QEMU, s",
    "memory_at_rest_mib": "memory in use in the whole box at rest, MiB",
    "image_octets": "image, compressed, octets",
    "root_octets": "root file system, octets",
    "octets_written_per_idle_hour": "written to the card in an idle hour, extrapolated from 10 minutes, octets",
    "writes_per_idle_hour": "writes to the card in an idle hour, extrapolated from 10 minutes",
}
SQUASHFS_MAGIC = b"hsqs"
BYTES_USED = 40
"Where the superblock has the size of the file system (Documentation/filesystems/squashfs.rst: 64 bits, little-endian)."


def write_down(**figures: float) -> None:
    """Beside those of other tests."""
    FILE.write_text(json.dumps({**noted(), **figures}, indent=1) + "\n")


def noted() -> dict[str, float]:
    """All figures of this image; none of an older one."""
    if not (FILE.exists() and IMAGE.exists()) or FILE.stat().st_mtime < IMAGE.stat().st_mtime:
        return {}
    found: dict[str, float] = json.loads(FILE.read_text())
    return found


def root_octets(card: Path, offset: int) -> int:
    """The size of the root that lies at `offset` on the card."""
    with card.open("rb") as file:
        file.seek(offset)
        superblock = file.read(BYTES_USED + 8)
    assert superblock.startswith(SQUASHFS_MAGIC)
    (octets,) = struct.unpack_from("<Q", superblock, BYTES_USED)
    return int(octets)
