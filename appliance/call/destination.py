"""Whom an outgoing leg rings, and by which way: a phone of ours, or a number in the outside world.

RFC 3261 §8.1.1; RFC 3323 §4.1.1.3 (anonymous); RFC 3327 §5.3 (the way to a phone behind proxies).
"""

from __future__ import annotations

__all__ = ["ANONYMOUS", "Destination", "Shown", "WayOut", "from_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.call.diversion import diversions, history
from appliance.call.number import escaped
from appliance.sip.message import NameAddr, Uri

if TYPE_CHECKING:
    from appliance.call.events import Baggage, Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.directory.bindings import Binding
    from appliance.lines.credentials import Attempt
    from appliance.lines.feature import Feature
    from appliance.lines.refusal import Refusal
    from appliance.sip.transport.flow import Flow

ANONYMOUS = NameAddr("Anonymous", Uri.sip("anonymous", "anonymous.invalid"))
"RFC 3323 §4.1.1.3."


@dataclass(frozen=True, slots=True)
class Shown:
    """How a call shows itself where it goes: the values of its headers."""

    caller: str
    "From, without its tag."
    callee: str
    "To."
    contact_user: str
    headers: Baggage = ()
    "Further ones, such as P-Preferred-Identity, Privacy and Diversion."
    behind: Baggage = ()
    "Those that must stand behind what the caller's phone sent: History-Info."

    @classmethod
    def at_home(cls, dialled: Dialled, number: str, host: str) -> Shown:
        """To a phone of ours."""
        caller = from_of(dialled.from_name, dialled.from_number, host)
        return cls(
            caller.text,
            f"<{Uri.sip(number, host)}>",
            dialled.from_number or "anonymous",
            diversions(dialled, host),
            history(dialled, host),
        )


class WayOut(Protocol):
    """A line or trunk, as a leg that leaves by it sees it."""

    @property
    def name(self) -> str:
        """`line:NAME` or `trunk:NAME`."""

    @property
    def options(self) -> LegOptions:
        """What its legs use of SIP's extensions."""

    def uri(self, number: str) -> str:
        """The Request-URI for a number."""

    def shown(self, dialled: Dialled, number: str) -> Shown:
        """How the caller is shown there to whom `number` is dialled."""

    def after(self, refusal: Refusal, *, unheard: bool) -> WayOut | None:
        """The same way without what explains the refusal; None when nothing optional does.

        `unheard`: nobody has rung, nor was there any sound. Otherwise there is no second try, but a next call.
        """

    def worked(self, used: frozenset[Feature]) -> None:
        """Somebody rings there, or has answered, and this is what the INVITE had: the way is remembered as one that works."""

    def attempt(self, method: str) -> Attempt | None:
        """What answers challenges to one request of that method; None where none are answered."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One target of a call."""

    number: str
    "Who is rung there, as records and pages say it."
    uri: str
    "The Request-URI."
    flow: Flow
    route: str = ""
    "The value of Route; empty when there is none on the way."
    way_out: WayOut | None = None
    "The line or trunk; None for a phone of ours."
    preference: float = 1.0
    "RFC 3261 §10.2.1.2: how much the extension likes to be reached there, 0.0 to 1.0."

    @property
    def occupies(self) -> str:
        """What is busy with a call to it: the line or trunk, named as in routes, or the extension."""
        return self.number if self.way_out is None else self.way_out.name

    @classmethod
    def of(cls, binding: Binding) -> Destination:
        """A registered phone."""
        return cls(binding.number, str(binding.contact), binding.flow, binding.path, preference=binding.q)


def from_of(display: str, number: str, host: str) -> NameAddr:
    """Who calls, for From; nobody where the number is hidden."""
    return NameAddr(display, Uri.sip(escaped(number), host)) if number else ANONYMOUS
