"""The USB stick that backups go to: the first mounted one with a folder or a label `branchbox-backup`.

proc_pid_mounts(5), sysfs(5); udev's database in /run/udev/data.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["NAME", "Mount", "choose", "find_stick", "parse_mounts", "sticks"]

NAME = "branchbox-backup"
"A label of FAT has 11 characters at most, so that there BRANCHBOX-B will do."
LABELS = frozenset({NAME, NAME[:11]})
FILE_SYSTEMS = frozenset({"vfat", "exfat", "ext2", "ext3", "ext4", "ntfs3", "f2fs", "btrfs", "xfs"})
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of /proc/mounts."""

    place: Path
    kind: str
    writable: bool


def parse_mounts(text: str) -> list[Mount]:
    """What is mounted; lines that are none are left out."""
    lines = (line.split(" ") for line in text.splitlines())
    return [
        Mount(Path(_plain(words[1])), words[2], "rw" in words[3].split(","))
        for words in lines
        if len(words) >= 4
    ]


def choose(
    mounts: Iterable[Mount],
    is_removable: Callable[[Path], bool],
    has_folder: Callable[[Path], bool],
    label: Callable[[Path], str],
) -> Path | None:
    """Where to write: the folder on the first stick that is meant for it; None when there is none."""
    for mount in mounts:
        if not mount.writable or mount.kind not in FILE_SYSTEMS or not is_removable(mount.place):
            continue
        if has_folder(mount.place) or label(mount.place).lower() in LABELS:
            return mount.place / NAME
    return None


def sticks() -> list[Path]:
    """Where those are mounted that are there now, whether they may be written or not. Blocks."""
    return [each.place for each in _mounts() if each.kind in FILE_SYSTEMS and _is_removable(each.place)]


def find_stick() -> Path:
    """The folder on the stick that is there now, made if need be. Blocks. ConfigError, OSError."""
    found = choose(_mounts(), _is_removable, _has_folder, _label)
    if found is None:
        raise ConfigError("backup-schedule.to", "error.no_stick", name=NAME)
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def _mounts() -> list[Mount]:
    return parse_mounts(Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape"))


def _has_folder(place: Path) -> bool:
    # A link on a stranger's stick may lead anywhere.
    return (place / NAME).is_dir() and not (place / NAME).is_symlink()


def _number(place: Path) -> str:
    device = place.stat().st_dev
    return f"{os.major(device)}:{os.minor(device)}"


def _is_removable(place: Path) -> bool:
    """Whether it hangs on USB, or its disk says that it can be taken out."""
    try:
        device = Path("/sys/dev/block", _number(place)).resolve(strict=True)
    except OSError:
        return False
    # The card that the box runs from can be taken out, too; but it is no place for what is to survive it.
    if any(each.startswith("mmcblk") for each in device.parts):
        return False
    if any(each.startswith("usb") for each in device.parts):
        return True
    flags = [each / "removable" for each in (device, device.parent)]
    return any(each.is_file() and each.read_text(encoding="ascii").strip() == "1" for each in flags)


def _label(place: Path) -> str:
    try:
        lines = Path("/run/udev/data", f"b{_number(place)}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    prefix = "E:ID_FS_LABEL="
    return next((each.removeprefix(prefix) for each in lines.splitlines() if each.startswith(prefix)), "")


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda each: chr(int(each[1], 8)), text)
