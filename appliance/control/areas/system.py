"""Area `system`: settings of the box itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from appliance.config.system import Network, System
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.locale import Language

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["AREA", "SystemChange", "changed"]


class SystemChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is left out stays as it is."""

    language: Language | UnsetType = UNSET
    host_name: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    network: Network | UnsetType = UNSET
    "`dhcp`, or `static` with the next four."
    address: str | UnsetType = UNSET
    prefix: int | UnsetType = UNSET
    gateway: str | UnsetType = UNSET
    dns: tuple[str, ...] | UnsetType = UNSET
    dns_references: tuple[str, ...] | UnsetType = UNSET
    "Name servers that the DNS check compares with, each with `:port` where it is not 53."
    realm: str | UnsetType = UNSET
    "Read only: accepted when it is the one in force, so that an export can be imported."


def changed(system: System, change: SystemChange) -> System:
    """The settings with the change in them."""
    given = {
        name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET
    }
    return msgspec.structs.replace(system, **given)


async def show(parts: Parts, _: Request[Nothing]) -> System:
    return parts.config.current.system


async def set_(parts: Parts, request: Request[SystemChange]) -> System:
    def edit(now: Snapshot) -> Snapshot:
        return msgspec.structs.replace(now, system=changed(now.system, request.values))

    return (await parts.config.change(edit)).system


AREA = Area(
    "system",
    "Settings of the box itself",
    (
        Verb("show", show, Nothing, System, "All settings"),
        Verb("set", set_, SystemChange, System, "Change some of them", changes=True),
    ),
)
