"""How a call that is sent on says so: to the caller by 181, and to whoever is called next by its history.

RFC 3261 §20.9 and §21.1.3; RFC 7044 §10 (History-Info); RFC 5806 (Diversion); RFC 4458 and RFC 7544 §3 (the causes in both).
"""

from __future__ import annotations

__all__ = ["MAX_STEPS", "Forwarding", "NoticeForm", "diversions", "history", "notices", "sent_on", "told"]

import re
from typing import TYPE_CHECKING, Literal, assert_never

import msgspec

from appliance.call.cause import Cause
from appliance.call.inbound import RefusedError
from appliance.call.number import escaped
from appliance.sip.message import NameAddr, Uri

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.call.decision import FromExtension
    from appliance.call.events import Baggage, Dialled, Diverted, DivertReason

MAX_STEPS = 5
"How often a call may be sent on."

NoticeForm = Literal["minisipserver", "rfc3261", "both", "none"]
"How a 181 names who sends a call on, and to whom."

# RFC 7544 §3.2; what it has no number for is unknown there, 404.
_CAUSES: dict[DivertReason, int] = {
    "unconditional": 302,
    "user-busy": 486,
    "no-answer": 408,
    "unavailable": 503,
    "deflection": 480,
}
_UNKNOWN = 404


def sent_on(dialled: Dialled, step: Diverted, payer: FromExtension) -> Dialled:
    """The call as it is for its next number. RefusedError for one that goes in a circle, or was sent on too often."""
    steps = (*dialled.steps, step)
    if step.to in {each.by for each in steps}:
        raise RefusedError(Cause.LOOP, steps=steps)
    if len(steps) > MAX_STEPS:
        raise RefusedError(Cause.FORWARDS, steps=steps)
    # What goes round by other exchanges ends as it would without us: each step is a hop.
    if dialled.hops_left <= 1:
        raise RefusedError(Cause.LOOP, steps=steps)
    return msgspec.structs.replace(
        dialled,
        to_number=step.to,
        phone="",
        steps=steps,
        payer=payer,
        hops_left=dialled.hops_left - 1,
    )


def told(steps: Sequence[Diverted]) -> tuple[Diverted, ...]:
    """What others hear of them: a step whose way on is silent led to where that ends."""
    heard: list[Diverted] = []
    for step in steps:
        if not step.silent:
            heard.append(step)
        elif heard:
            heard[-1] = msgspec.structs.replace(heard[-1], to=step.to)
    return tuple(heard)


def notices(step: Diverted, host: str, form: NoticeForm) -> Baggage:
    """What the 181 of a step carries. `host`: ours, as the caller knows it."""
    told = Forwarding(step.by, step.to)
    values: tuple[str, ...]
    match form:
        case "minisipserver":
            values = (told.as_minisipserver(),)
        case "rfc3261":
            values = (told.as_rfc3261(host),)
        case "both":
            values = (told.as_minisipserver(), told.as_rfc3261(host))
        case "none":
            values = ()
        case _:
            assert_never(form)
    return tuple(("Call-Info", value) for value in values)


class Forwarding(msgspec.Struct, frozen=True):
    """A Call-Info that says who forwards a call, and to whom."""

    username: str
    "Who does."
    contact: str
    "Who gets it."

    def as_minisipserver(self) -> str:
        """As miniSIPServer writes it: parameters without the URI that RFC 3261 §20.9 has before them."""
        return f"purpose=forwarding, username={_quoted(self.username)}, contact={_quoted(self.contact)}"

    def as_rfc3261(self, host: str) -> str:
        """The same by the grammar: the URI is that of who gets the call."""
        uri = f"sip:{escaped(self.contact)}@{_as_written(host)}"
        names = f"username={_quoted(self.username)};contact={_quoted(self.contact)}"
        return f"<{uri}>;purpose=forwarding;{names}"

    @classmethod
    def parse(cls, value: str) -> Forwarding | None:
        """Reads both forms; None for a Call-Info that is about something else, or names not both."""
        found = {name.lower(): _unquoted(text) for name, text in _PART.findall(value) if name}
        if found.get("purpose", "").lower() != "forwarding":
            return None
        username, contact = found.get("username"), found.get("contact")
        return None if username is None or contact is None else cls(username, contact)


_QUOTED = r'"(?:[^"\\]|\\.)*"'
# A parameter; or a URI, or a name before one, whose insides are none of ours.
_PART = re.compile(rf"""([A-Za-z-]+)\s*=\s*({_QUOTED}|[^\s",;<]+)|<[^>]*>|{_QUOTED}""")


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def diversions(dialled: Dialled, host: str, shown: Callable[[str], str] = escaped) -> Baggage:
    """RFC 5806: who sent the call on, the last one first. `host` is where the numbers belong, `shown` how they are written there."""
    place = _as_written(host)
    uris = ((step, Uri.parse(f"sip:{shown(step.by)}@{place}")) for step in reversed(told(dialled.steps)))
    return tuple(
        ("Diversion", f"{NameAddr(step.name, uri).text};reason={step.reason};counter=1") for step, uri in uris
    )


def history(dialled: Dialled, host: str, shown: Callable[[str], str] = escaped) -> Baggage:
    """RFC 7044: from number to number, below what earlier exchanges wrote. None for a call that was not sent on."""
    steps = told(dialled.steps)
    if not steps:
        return ()
    place, index = _as_written(host), _next_index(dialled.baggage)
    entries = [f"<sip:{shown(steps[0].by)}@{place}>;index={index}"]
    for step in steps:
        parent, index = index, f"{index}.1"
        cause = _CAUSES.get(step.reason, _UNKNOWN)
        entries.append(f"<sip:{escaped(step.to)}@{place};cause={cause}>;index={index};mp={parent}")
    return (("History-Info", ", ".join(entries)),)


def _as_written(host: str) -> str:
    """As it stands in a URI: an address of IPv6 in brackets, and without the zone that means something here alone."""
    return f"[{host.partition('%')[0]}]" if host.count(":") > 1 and not host.startswith("[") else host


_INDEX = re.compile(r";\s*index\s*=\s*([0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)


def _next_index(baggage: Baggage) -> str:
    """RFC 7044 §10.3: below the last entry that came with the call."""
    came = [
        found for name, value in baggage if name.lower() == "history-info" for found in _INDEX.findall(value)
    ]
    return f"{came[-1]}.1" if came else "1"
