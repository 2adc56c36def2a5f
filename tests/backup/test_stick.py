"""Which stick backups go to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from appliance.backup import stick
from appliance.backup.stick import choose, find_stick, parse_mounts
from appliance.errors import ConfigError

MOUNTS = r"""
branchbox / overlay rw,relatime 0 0
/dev/mmcblk0p4 /data ext4 rw,noatime 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/sda1 /run/branchbox-usb/sda1 vfat rw,nosuid,nodev 0 0
/dev/sdb1 /media/My\040Stick exfat ro,nosuid 0 0
/dev/sdc1 /media/My\040Other ext4 rw,nosuid 0 0
broken line
"""
STICKS = {Path("/run/branchbox-usb/sda1"), Path("/media/My Stick"), Path("/media/My Other")}


def chosen(folders: Iterable[str] = (), labels: dict[str, str] | None = None) -> Path | None:
    return choose(
        parse_mounts(MOUNTS),
        lambda place: place in STICKS,
        lambda place: str(place) in folders,
        lambda place: (labels or {}).get(str(place), ""),
    )


def test_a_folder_or_a_label_makes_it_the_one() -> None:
    assert chosen() is None
    assert chosen({"/run/branchbox-usb/sda1"}) == Path("/run/branchbox-usb/sda1/branchbox-backup")
    assert chosen(labels={"/media/My Other": "branchbox-backup"}) == Path("/media/My Other/branchbox-backup")
    fat = {"/run/branchbox-usb/sda1": "BRANCHBOX-B"}
    assert chosen(labels=fat) == Path("/run/branchbox-usb/sda1/branchbox-backup")
    assert chosen(labels={"/media/My Other": "photos"}) is None


def test_the_first_of_several() -> None:
    both = {"/run/branchbox-usb/sda1", "/media/My Other"}
    assert chosen(both) == Path("/run/branchbox-usb/sda1/branchbox-backup")


def test_what_is_no_stick_or_cannot_be_written() -> None:
    assert chosen({"/", "/data", "/run", "/media/My Stick"}) is None


def test_a_machine_without_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stick, "choose", lambda *_: None)
    with pytest.raises(ConfigError) as refused:
        find_stick()
    assert refused.value.key == "error.no_stick"


def test_no_disk_of_this_machine_is_taken_unasked() -> None:
    """The real look at /proc and /sys; whatever is there, nothing has our folder."""
    with pytest.raises(ConfigError):
        find_stick()
