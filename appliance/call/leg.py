"""What a call asks of the legs in it, whoever is at their other end."""

from __future__ import annotations

__all__ = ["CallerLeg", "Leg"]

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Answered, Asked, Confirmed, Event, HungUp, Progress, Updated
    from appliance.call.sip_leg import SipLeg
    from appliance.media.leg import LegMedia
    from appliance.sip.transport.flow import Flow


class Leg(Protocol):
    """One end of a call."""

    on_event: Callable[[Any, Event], None]
    said: bytes

    @property
    def sip(self) -> SipLeg: ...
    @property
    def number(self) -> str: ...
    @property
    def media(self) -> LegMedia: ...
    @property
    def flow(self) -> Flow: ...
    @property
    def over(self) -> bool: ...
    @property
    def awaits_answer(self) -> bool: ...
    def update(self, event: Updated, /) -> None: ...
    def confirm(self, event: Confirmed, /) -> None: ...
    def withdraw(self) -> None: ...
    def ask(self, event: Asked, /) -> None: ...
    def hang_up(self, event: HungUp, /) -> None: ...


class CallerLeg(Leg, Protocol):
    """The end that waits to be answered."""

    @property
    def takes_reliable(self) -> bool: ...
    @property
    def owes_answer(self) -> bool: ...
    def progress(self, event: Progress, /) -> None: ...
    def answer(self, event: Answered, /) -> None: ...
