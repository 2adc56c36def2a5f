"""What an answer to our REGISTER means. Pure.

RFC 3261 §10.2.4, §10.2.8, §10.3, §21; RFC 3327 (Path), RFC 3608 (Service-Route), RFC 7315 §4.1 (P-Associated-URI).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from appliance.errors import PeerError
from appliance.lines.account import MAX_EXPIRY
from appliance.sip.message import NameAddr, Response
from appliance.sip.transport.answer import DEFAULT_PORT, answerable
from appliance.sip.transport.failed_targets import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.message import Uri
    from appliance.sip.transport.flow import Address

__all__ = [
    "Accepted",
    "Cause",
    "Challenged",
    "Failure",
    "Outcome",
    "TooBrief",
    "in_short",
    "read",
    "unproven",
]

Cause = Literal[
    "",
    "location",
    "silence",
    "transport",
    "connection_lost",
    "server",
    "refused",
    "forbidden",
    "redirected",
    "wrong_password",
    "wrong_realm",
    "no_algorithm",
    "too_many_tries",
    "no_challenge",
    "not_listed",
    "no_time",
    "too_brief",
    "malformed",
]
"""Why a line is not registered:

    location         nobody could say where the server is (DNS)
    silence          no server answered
    transport        no connection came about, or ICMP said that nobody listens
    connection_lost  the connection it was registered over is gone
    server           the carrier answered that it cannot, now (408, 480, 5xx)
    refused          another refusal
    forbidden        403
    redirected       3xx: our credentials go to nobody but the configured server
    wrong_password   a fresh challenge was answered, and refused
    wrong_realm      the carrier asks for another realm than the one that is configured
    no_algorithm     it asks for digest algorithms that we do not know
    too_many_tries   it challenges for ever
    no_challenge     401 or 407 without a challenge that can be read
    not_listed       200, but our Contact is not among those that it lists
    no_time          200, but for no seconds
    too_brief        423 without an expiry that we could use
    malformed        200 that cannot be read
"""

MAX_REASON = 200
"Characters kept of what a carrier says of its refusal."

_PASSING = frozenset({408, 429, 480, 491, 494})
"Besides 5xx: what says something of the moment and not of us."


@dataclass(frozen=True, slots=True)
class Accepted:
    """We are registered."""

    expiry: float
    "Seconds, as the carrier set them."
    service_route: tuple[str, ...]
    "The Route of our requests, nearest first, as a header has each."
    associated: tuple[str, ...]
    "The URIs that the carrier knows us by, the default first."
    path: tuple[str, ...]
    "The proxies that calls to us come through, nearest to the registrar first."
    seen_at: Address | None
    "Where the server saw our request come from; None where it does not say."


@dataclass(frozen=True, slots=True)
class Challenged:
    """Say who you are, and prove it."""


@dataclass(frozen=True, slots=True)
class TooBrief:
    """Ask for longer."""

    least: int
    "Seconds."


@dataclass(frozen=True, slots=True)
class Failure:
    """We are not registered."""

    cause: Cause
    final: bool
    "Whether the carrier does not want us, and will not soon."
    code: int = 0
    "The status; 0: nobody answered."
    reason: str = ""
    "The carrier's own words, or those of whoever looked for it."
    retry_after: float | None = None
    "Seconds that it asks to be left alone."


Outcome = Accepted | Challenged | TooBrief | Failure


def read(response: Response, contact: Uri, asked: int) -> Outcome:
    """What a final response means for a REGISTER with this Contact that asked for so many seconds."""
    status = response.status
    if status < 300:
        return _read_success(response, contact, asked)
    if status in (401, 407):
        return Challenged()
    if status == 423:
        return _read_too_brief(response, asked)
    if 500 <= status < 600 or status in _PASSING:
        return _failure("server", response, final=False)
    if status < 400:
        return _failure("redirected", response)
    return _failure("forbidden" if status == 403 else "refused", response)


def unproven(response: Response, cause: Cause, detail: str) -> Failure:
    """A challenge that is not answered; `detail` says what it asks for."""
    return Failure(cause, True, response.status, detail or _words(response), retry_after(response))


def _failure(cause: Cause, response: Response, *, final: bool = True) -> Failure:
    return Failure(cause, final, response.status, _words(response), retry_after(response))


def _words(response: Response) -> str:
    """The reason phrase, and what Warning (§20.43) or Reason (RFC 3326) says beside it."""
    said = [
        response.reason,
        *response.headers.get_all("Warning")[:1],
        *response.headers.get_all("Reason")[:1],
    ]
    text = "; ".join(each for each in said if each)
    return in_short(text)


def in_short(text: str) -> str:
    """What may be shown of a stranger's words."""
    return "".join(each for each in text if each.isprintable())[:MAX_REASON]


def _read_too_brief(response: Response, asked: int) -> Outcome:
    # §10.2.8: 423 bears the shortest expiry that the registrar takes.
    least = _seconds(response.headers.get("Min-Expires"))
    if least is None or not asked < least <= MAX_EXPIRY:
        return _failure("too_brief", response)
    return TooBrief(least)


def _read_success(response: Response, contact: Uri, asked: int) -> Outcome:
    try:
        ours = _find(response.contacts, contact)
        routes, paths = response.service_routes, response.paths
    except PeerError:
        return _failure("malformed", response, final=False)
    if ours is None:
        # §10.3 step 8: the 200 lists all current contacts. Ours was not taken, whatever the status says.
        return _failure("not_listed", response, final=False)
    expiry = _expiry(ours, response, asked)
    if expiry <= 0:
        return _failure("no_time", response, final=False)
    return Accepted(
        float(min(expiry, MAX_EXPIRY)),
        tuple(map(str, routes)),
        _associated(response),
        tuple(map(str, paths)),
        _seen_at(response),
    )


def _find(contacts: list[NameAddr], ours: Uri) -> NameAddr | None:
    """Our own Contact: equal by §19.1.4, or at least the same user at the same address and port."""
    tests: tuple[Callable[[Uri], bool], ...] = (ours.matches, lambda uri: _place(uri) == _place(ours))
    for test in tests:
        for contact in contacts:
            if test(contact.uri):
                return contact
    return None


def _place(uri: Uri) -> tuple[str | None, str, int]:
    port = uri.port or DEFAULT_PORT.get((uri.params.text("transport") or "udp").lower(), 0)
    return uri.number, uri.address.lower(), port


def _expiry(contact: NameAddr, response: Response, asked: int) -> int:
    # §10.2.4: the Contact's own parameter goes before the header; without either it is as we asked.
    own = _seconds(contact.params.text("expires"))
    if own is not None:
        return own
    return asked if response.expires is None else response.expires


def _associated(response: Response) -> tuple[str, ...]:
    found = []
    for line in response.headers.get_all("P-Associated-URI"):
        try:
            found += [str(each.uri) for each in NameAddr.parse_many(line)]
        except PeerError:
            continue  # what nobody can read does not make the registration void
    return tuple(found)


def _seen_at(response: Response) -> Address | None:
    """RFC 3581 §4: the source of our request, as the server wrote it into our Via."""
    try:
        via = response.via
        received, rport = via.received, via.rport
    except PeerError:
        return None
    seen = received or via.address, rport or via.port or 0
    return seen if (received or rport) and answerable(seen) else None


def _seconds(text: str | None) -> int | None:
    text = (text or "").strip(" \t")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
