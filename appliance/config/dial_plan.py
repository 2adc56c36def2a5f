"""Settings of the dial plan as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.config.pattern import is_dialable
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["DialPlan", "check_clashes", "verify"]

MAX_PREFIX = 16
# No country has more than a handful; a list that grows past this one is no list of emergency numbers.
MAX_EMERGENCY = 32


class DialPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every route."""

    out_prefix: str = "9"
    "Dialled before a number outside, and cut off; empty: none is. At most 16 characters that can be dialled."
    emergency: tuple[str, ...] = ("110", "119", "120", "122", "112", "911")
    """Numbers that every extension may call at any time, with or without the out prefix. At first: police, fire, ambulance
    and traffic police in China; 112 in Europe and on mobile phones anywhere; 911 in North America."""


def verify(plan: DialPlan) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if plan.out_prefix:
        _check_dialable("dial_plan.out_prefix", plan.out_prefix)
    if len(plan.out_prefix) > MAX_PREFIX:
        raise ConfigError("dial_plan.out_prefix", "error.too_long", limit=MAX_PREFIX)
    if len(plan.emergency) > MAX_EMERGENCY:
        raise ConfigError("dial_plan.emergency", "error.too_many", limit=MAX_EMERGENCY)
    for number in plan.emergency:
        _check_dialable("dial_plan.emergency", number)


def check_clashes(plan: DialPlan, extensions: Container[str]) -> None:
    """Raise ConfigError for the first emergency number that is an extension's too.

    For a new extension or a new emergency number. A clash that is there nevertheless is settled by `call/dial_plan`.
    """
    for number in plan.emergency:
        if number in extensions:
            raise ConfigError("dial_plan.emergency", "error.emergency_clash", number=number)


def _check_dialable(path: str, number: str) -> None:
    if not is_dialable(number):
        raise ConfigError(path, "error.not_dialable")
