"""Checks of numbers in the settings of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.config.extension import check_number
from appliance.config.pattern import is_dialable
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot

__all__ = ["NUMBERED", "check_free", "check_target"]

NUMBERED = ("attendants", "groups", "time-conditions")
"Areas whose keys are numbers that are dialled."


def check_free(area: str, number: str, settings: Snapshot) -> None:
    """A number of a service: 2 to 15 digits, and of nobody else."""
    path = f"{area}.{number}.name"
    check_number(path, number)
    others = (each for each in NUMBERED if each != area)
    if number in settings.extensions or any(number in settings.items(each) for each in others):
        raise ConfigError(path, "error.number_taken", number=number)


def check_target(path: str, number: str, own: str) -> None:
    """Where calls are sent on to: nothing, or what can be dialled and is not the very number they come from."""
    if number and not is_dialable(number):
        raise ConfigError(path, "error.bad_target_number")
    if number and number == own:
        raise ConfigError(path, "error.forwards_to_itself")
