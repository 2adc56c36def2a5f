"""`branchbox update --look`: whether there is a newer update, and taking it where that is wanted and nobody talks.

A timer asks every hour. The network is asked once a day.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from appliance import __version__
from appliance.config.update_check import UpdateCheck
from appliance.control.client import Client, NotRunningError, socket_in
from appliance.errors import ConfigError
from appliance.system.update.offer import is_newer, look
from appliance.system.update.state import Looked, read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.system.update.site import Site

__all__ = ["Wanted", "update_to_take"]

EVERY_S = 23 * 3600.0
"A little less than a day: the timer has its own delays."
WINDOW_HOURS = 3


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


def update_to_take(site: Site, wanted: Wanted, now: float) -> str | None:
    """Look, if it is time to, and remember what was found; the address of what shall be taken now, or None.

    `now`: seconds since 1970. ConfigError when what is remembered cannot be read.
    """
    state, check = read_state(site.releases), wanted.check
    if not check.address:
        return None
    looked = state.looked
    if looked is None or looked.address != check.address or not 0 <= now - looked.at < EVERY_S:
        looked = _look(site, check.address, now)
    offered = looked.version is not None and is_newer(looked.version, __version__)
    # What has come back by itself once is not tried again without anybody asking for it.
    failed = (
        state.last is not None and state.last.outcome == "came_back" and state.last.version == looked.version
    )
    if not (offered and check.automatic) or failed or state.trial is not None:
        return None
    return check.address if wanted.calls == 0 and _is_time(wanted, now) else None


def _look(site: Site, address: str, now: float) -> Looked:
    state = read_state(site.releases)
    before = state.looked
    seen_at = before.seen_at if before is not None and before.address == address else None
    try:
        manifest = look(address, site, state)
        looked = Looked(now, address, now, manifest.version, manifest.kind)
    except ConfigError as error:
        params = {name: str(value) for name, value in error.params.items()}
        looked = Looked(now, address, seen_at, problem=error.key, params=params)
    write_state(site.releases, msgspec.structs.replace(read_state(site.releases), looked=looked))
    return looked


def _is_time(wanted: Wanted, now: float) -> bool:
    hour = datetime.fromtimestamp(now, ZoneInfo(wanted.time_zone)).hour
    first = int(wanted.check.at[:2])
    return (hour - first) % 24 < WINDOW_HOURS


def wall() -> float:
    """Seconds since 1970."""
    return time.time()
