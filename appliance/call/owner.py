"""Whoever keeps the calls, as a call sees it."""

from __future__ import annotations

__all__ = ["Owner"]

from typing import TYPE_CHECKING, Protocol

from appliance.call.trying import Occupied

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CancelScope

    from appliance.call.call import Call
    from appliance.call.diversion import NoticeForm
    from appliance.call.events import Referred
    from appliance.call.leg import Leg
    from appliance.call.leg_options import LegOptions
    from appliance.call.music import Music
    from appliance.call.record import CallRecord
    from appliance.call.verdict import Serve
    from appliance.call.wire import Wire


class Owner(Occupied, Protocol):
    """Whoever keeps the calls: the exchange."""

    wire: Wire
    wall: Callable[[], float]
    music: Music
    options: LegOptions
    notice_form: NoticeForm
    notices_outside: bool

    @property
    def listens(self) -> bool: ...
    def changed(self) -> None: ...
    def referred(self, call: Call, leg: Leg, event: Referred) -> None: ...
    def pressed(self, call: Call, leg: Leg, key: str) -> None: ...
    def served(self, call: Call, service: Serve) -> CancelScope: ...
    def ended(self, call: Call, record: CallRecord) -> None: ...
