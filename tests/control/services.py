"""Services that exist in tests only, with settings of each kind that `do-not-disturb` does not have."""

from __future__ import annotations

from typing import Literal

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.config.snapshot import Snapshot
from appliance.errors import ConfigError
from appliance.features.do_not_disturb import DoNotDisturb
from appliance.features.feature import Code, Feature

__all__ = ["SERVICES", "Lot", "Parked", "Team"]


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Several of them, under a key of their own."""

    name: str
    members: tuple[str, ...] = ()
    strategy: Literal["all", "one-by-one"] = "all"
    ring_seconds: int = 20
    pin: str = ""


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """One of the box."""

    first: str = "701"
    places: int = 10
    days: tuple[str, ...] = ()
    wait: float = 2.5


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a live table."""

    place: str
    caller: str
    since: str
    held: bool = True


def verify_team(team: Team, snapshot: Snapshot) -> None:
    for number in team.members:
        if number not in snapshot.extensions:
            raise ConfigError("teams." + team.name + ".members", "error.not_found")


def verify_lot(lot: Lot, _: Snapshot) -> None:
    if not 1 <= lot.places <= 100:
        raise ConfigError("car-park.places", "error.out_of_range", low=1, high=100)


class Teams(Feature):
    name = "teams"
    areas = (
        SettingsArea(
            *("teams", Team, "item", verify_team, 3), secrets=frozenset({"pin"}), columns=("members",)
        ),
    )


class CarPark(Feature):
    name = "car-park"
    areas = (SettingsArea("car-park", Lot, "box", verify_lot, choices={"days": ("sat", "sun")}),)
    row = Parked
    codes = (Code("car_park", "*6", argument=True), Code("car_park_off", ""))


SERVICES: tuple[type[Feature], ...] = (DoNotDisturb, Teams, CarPark)
