"""Settings of backups that are made by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot

__all__ = ["AREA", "BackupSchedule", "Weekday"]

NAME = "backup-schedule"
AT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
MOST_KEPT = 100
PASSPHRASE = range(8, 257)

Every = Literal["off", "day", "week", "month"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class BackupSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, with what a new box has."""

    every: Every = "off"
    "`month`: on its first day."
    at: str = "03:00"
    "By the clock on the wall."
    weekday: Weekday = "sun"
    "With `every` week only."
    to: Literal["folder", "usb"] = "folder"
    "DIR/backups, or a USB stick that has a folder or a label `branchbox-backup`."
    keep: int = 7
    "How many of this box, 1 to 100; older ones are removed once a new one is good."
    voicemail: bool = True
    recordings: bool = False
    passphrase: str = ""
    "What they are sealed with; empty: they are not. It is kept as it is, for it must be used again."


def verify(schedule: BackupSchedule, _: Snapshot) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if not AT.fullmatch(schedule.at):
        raise ConfigError(NAME + ".at", "error.bad_time_of_day")
    if not 1 <= schedule.keep <= MOST_KEPT:
        raise ConfigError(NAME + ".keep", "error.out_of_range", low=1, high=MOST_KEPT)
    if schedule.passphrase and (
        len(schedule.passphrase) not in PASSPHRASE or not schedule.passphrase.isprintable()
    ):
        raise ConfigError(NAME + ".passphrase", "error.passphrase_length", low=8, high=256)


AREA = SettingsArea(NAME, BackupSchedule, "box", verify, secrets=frozenset({"passphrase"}))
