"""Settings of looking for updates: where, and whether they are taken by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot

__all__ = ["AREA", "UpdateCheck"]

NAME = "update-check"
AT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
MOST_ADDRESS = 500


class UpdateCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, with what a new box has."""

    address: str = ""
    "Where the newest update always is, http or https; empty: nobody is asked."
    automatic: bool = False
    "Whether it is taken without anybody asking for it."
    at: str = "03:00"
    "From when on, by the clock on the wall, for three hours; and only while nobody talks."


def verify(check: UpdateCheck, _: Snapshot) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if check.address:
        _verify_address(check.address)
    if not AT.fullmatch(check.at):
        raise ConfigError(NAME + ".at", "error.bad_time_of_day")
    if check.automatic and not check.address:
        raise ConfigError(NAME + ".address", "update.no_address")


def _verify_address(address: str) -> None:
    if len(address) > MOST_ADDRESS:
        raise ConfigError(NAME + ".address", "error.too_long", limit=MOST_ADDRESS)
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        good = False
    if not good or not address.isprintable():
        raise ConfigError(NAME + ".address", "update.no_address")


AREA = SettingsArea(NAME, UpdateCheck, "box", verify)
