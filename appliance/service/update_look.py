"""`branchbox update --look`: whether there is a newer update, and taking it where that is wanted and nobody talks.

A timer asks every hour. The network is asked once a day.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from appliance.config.update_check import UpdateCheck
from appliance.control.client import Client, NotRunningError, socket_in
from appliance.errors import ConfigError
from appliance.system.update.offer import is_newer, look, running_version
from appliance.system.update.state import Looked, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.system.update.site import Site

__all__ = ["Found", "Wanted", "ask_exchange", "not_taken", "update_to_take", "wait_for_quiet", "wall"]

EVERY_S = 23 * 3600.0
"A little less than a day: the timer has its own delays."
WINDOW_HOURS = 3
QUIET_S = 10.0
"How often it is looked whether somebody talks still."
MOST_LOOKS = 6 * 360
"Six hours: by then it is morning."


class Wanted(msgspec.Struct, frozen=True):
    """What the exchange says of itself."""

    check: UpdateCheck
    time_zone: str
    calls: int


def ask_exchange(data: Path) -> Wanted | None:
    """What is set, and whether anybody talks; None when it does not run."""
    try:
        with Client(socket_in(data)) as client:
            check = msgspec.convert(client.perform("update-check", "show"), UpdateCheck)
            system = client.perform("system", "show")
            calls = len(client.perform("calls", "list"))
    except (NotRunningError, ConfigError):
        return None
    return Wanted(check, str(system["time_zone"]), calls)


class Found(NamedTuple):
    """What is to be taken."""

    address: str
    version: str
    "Anything else that lies there by then is not what was looked at."


def update_to_take(site: Site, wanted: Wanted, now: float) -> Found | None:
    """Look, if it is time to, and remember what was found; what shall be taken now, or None.

    `now`: seconds since 1970. ConfigError when what is remembered cannot be read.
    """
    state, check = read_state(site.releases), wanted.check
    if not check.address:
        return None
    looked = state.looked
    if looked is None or looked.address != check.address or not 0 <= now - looked.at < EVERY_S:
        looked = _look(site, check.address, now)
    if looked.version is None or not is_newer(looked.version, running_version(state)):
        return None
    # What has come back by itself once is not tried again without anybody asking for it.
    failed = (
        state.last is not None and state.last.outcome == "came_back" and state.last.version == looked.version
    )
    if not check.automatic or failed or state.trial is not None:
        return None
    quiet = wanted.calls == 0 and _is_time(wanted, now)
    return Found(check.address, looked.version) if quiet else None


def _look(site: Site, address: str, now: float) -> Looked:
    state = read_state(site.releases)
    before = state.looked
    seen_at = before.seen_at if before is not None and before.address == address else None
    try:
        manifest = look(address, site, state)
        looked = Looked(
            *(now, address, now, manifest.version, manifest.kind),
            made_on=manifest.made_on,
            notes=manifest.notes,
        )
    except ConfigError as error:
        params = {name: str(value) for name, value in error.params.items()}
        looked = Looked(now, address, seen_at, problem=error.key, params=params)
    write_state(site.releases, msgspec.structs.replace(read_state(site.releases), looked=looked))
    return looked


def _is_time(wanted: Wanted, now: float) -> bool:
    hour = datetime.fromtimestamp(now, ZoneInfo(wanted.time_zone)).hour
    first = int(wanted.check.at[:2])
    return (hour - first) % 24 < WINDOW_HOURS


def not_taken(site: Site, error: ConfigError) -> None:
    """What was found was not what it seemed: it is not fetched again before the next look. OSError."""
    state = read_state(site.releases)
    if state.looked is not None:
        params = {name: str(value) for name, value in error.params.items()}
        looked = msgspec.structs.replace(state.looked, version=None, problem=error.key, params=params)
        write_state(site.releases, msgspec.structs.replace(state, looked=looked))


def wait_for_quiet(
    data: Path,
    ask: Callable[[Path], Wanted | None] = ask_exchange,
    pause: Callable[[float], object] | None = None,
) -> bool:
    """Wait until nobody talks, for some hours at most; whether that is so. An exchange that does not run has no calls."""
    pause = pause or threading.Event().wait  # nobody sets it
    for _ in range(MOST_LOOKS):
        wanted = ask(data)
        if wanted is None or wanted.calls == 0:
            return True
        pause(QUIET_S)
    return False


def wall() -> float:
    """Seconds since 1970."""
    return time.time()
