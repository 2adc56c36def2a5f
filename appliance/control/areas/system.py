"""Area `system`: settings of the box itself. What can cut the administrator off is tried out before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.config import system as system_checks
from appliance.config.network import Ipv6, Link, Network, NetworkSettings, network_of
from appliance.control.area import Area, Nothing, Request, Verb
from appliance.errors import ConfigError
from appliance.locale import Language

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot
    from appliance.config.system import System
    from appliance.control.parts import Parts
    from appliance.system.probation import Trial

__all__ = ["AREA", "SECRETS", "NetworkTrial", "SystemChange", "changed", "shown"]

SECRETS = frozenset({"wifi_password"})


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
    ipv6: Ipv6 | UnsetType = UNSET
    "`automatic`, `off`, or `static` with the next three."
    address6: str | UnsetType = UNSET
    prefix6: int | UnsetType = UNSET
    gateway6: str | UnsetType = UNSET
    vlan: int | UnsetType = UNSET
    "1 to 4094; 0: none."
    link: Link | UnsetType = UNSET
    "`cable`, or `wifi` with the next three."
    wifi_ssid: str | UnsetType = UNSET
    wifi_password: Annotated[str, Meta(extra_json_schema={"writeOnly": True})] | UnsetType = UNSET
    wifi_country: str | UnsetType = UNSET
    ntp: tuple[str, ...] | UnsetType = UNSET
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


def shown(system: NetworkSettings) -> dict[str, Any]:
    """The settings as they may be seen: without secrets."""
    return {name: value for name, value in msgspec.to_builtins(system).items() if name not in SECRETS}


class NetworkTrial:
    """Takes out of a change what can cut the administrator off, to try that out instead of committing it.

    Where nobody carries out what is wanted, as in a checkout, nothing is tried out: all of it is committed.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._probation = parts.probation
        self._wanted: NetworkSettings | None = None

    def begun_from(self, now: Snapshot) -> Snapshot:
        """What a person sees who changes something while a trial runs: that with the trial's network."""
        trial = _trial(self._parts)
        return _with_network(now, trial.network) if trial else now

    def split(self, now: Snapshot, new: Snapshot) -> Snapshot:
        """What is to be committed at once of `new`. ConfigError where it could not be confirmed later."""
        confirmed, wanted = _network(now.system), _network(new.system)
        if self._probation is None:
            return new
        self._wanted = wanted
        if wanted == confirmed:
            return new
        system_checks.verify(new.system)
        return _with_network(new, confirmed)

    def begin(self, now: Snapshot) -> None:
        """The rest is committed: try the network out, if that differs from what is confirmed and tried out already."""
        if self._probation is None or self._wanted is None:
            return
        trial = self._probation.trial
        if self._wanted == _network(now.system):
            self._probation.end()
        elif trial is None or trial.network != self._wanted:
            self._probation.begin(self._wanted)


async def show(parts: Parts, _: Request[Nothing]) -> dict[str, Any]:
    return _shown_with_trial(parts)


async def set_(parts: Parts, request: Request[SystemChange]) -> dict[str, Any]:
    network = NetworkTrial(parts)

    def edit(now: Snapshot) -> Snapshot:
        system = changed(network.begun_from(now).system, request.values)
        return network.split(now, msgspec.structs.replace(now, system=system))

    network.begin(await parts.config.change(edit))
    return _shown_with_trial(parts)


async def confirm(parts: Parts, request: Request[Nothing]) -> dict[str, Any]:
    probation, trial = parts.probation, _trial(parts)
    if probation is None or trial is None:
        raise ConfigError("system", "error.nothing_on_trial")
    # Who is on the box cannot be cut off from it. Anybody else proves by asking that the new way leads here, which
    # a page of before the change does not.
    if not request.is_local and not await anyio.to_thread.run_sync(probation.is_applied):
        raise ConfigError("system", "error.trial_not_applied")
    await parts.config.change(lambda now: _with_network(now, trial.network))
    if probation.trial == trial:
        probation.end()
    return _shown_with_trial(parts)


async def undo(parts: Parts, _: Request[Nothing]) -> dict[str, Any]:
    if parts.probation is None or parts.probation.trial is None:
        raise ConfigError("system", "error.nothing_on_trial")
    parts.probation.end()
    return _shown_with_trial(parts)


def _trial(parts: Parts) -> Trial | None:
    return None if parts.probation is None else parts.probation.trial


def _network(system: NetworkSettings) -> NetworkSettings:
    return NetworkSettings(**network_of(system))


def _with_network(now: Snapshot, network: NetworkSettings) -> Snapshot:
    return msgspec.structs.replace(now, system=msgspec.structs.replace(now.system, **network_of(network)))


def _shown_with_trial(parts: Parts) -> dict[str, Any]:
    """The settings; `trial` has the network that is tried out, and the seconds until it is undone."""
    probation, trial = parts.probation, _trial(parts)
    on_trial = None
    if probation is not None and trial is not None:
        on_trial = {"seconds_left": round(probation.seconds_left), **shown(trial.network)}
    system = parts.config.current.system
    return {**shown(system), "wifi_password_set": bool(system.wifi_password), "trial": on_trial}


AREA = Area(
    "system",
    "Settings of the box itself",
    (
        Verb("show", show, Nothing, dict[str, Any], "All settings"),
        Verb("set", set_, SystemChange, dict[str, Any], "Change some of them", changes=True),
        Verb("confirm", confirm, Nothing, dict[str, Any], "Keep the network that is on trial", changes=True),
        Verb(
            "undo", undo, Nothing, dict[str, Any], "Go back from the network that is on trial", changes=True
        ),
    ),
)
