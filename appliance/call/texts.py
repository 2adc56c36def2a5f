"""Text messages between extensions, outside of calls: each is sent on to the phones of whom it is for, and kept nowhere.

RFC 3428 (pager mode); RFC 7332 §4 (Max-Forwards). Those within a call go from leg to leg, as `Asked`.
"""

from __future__ import annotations

__all__ = ["MAX_PENDING", "MAX_TEXT", "Texts"]

from functools import partial
from typing import TYPE_CHECKING

from appliance.call.destination import Destination, Shown
from appliance.call.inbound import check_caller, read_dialled
from appliance.call.passing import passing, with_content
from appliance.errors import PeerError
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transport.detour import MAX_OVER_UDP
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Baggage, Dialled
    from appliance.call.exchange import Directory, Exchange
    from appliance.call.wire import Wire
    from appliance.sip.endpoint import ClientEvent, ServerTransaction

MAX_TEXT = 16_384
"Octets of one: what is longer is no text, and RFC 3428 §8 wants it in a session."
MAX_PENDING = 1_000
"How many may wait for their answers, which phones have 32 s for: at some 5 kB for each phone, mostly one, these are 5 MB."
RETRY_AFTER = ("Retry-After", "10")
VIA_ROOM = 120
"Octets of the Via that the endpoint adds to a request, with the longest address there is."


class Texts:
    """Takes the MESSAGEs that belong to no dialog."""

    def __init__(self, exchange: Exchange, directory: Directory) -> None:
        self.carried = 0
        "How many were taken by some phone."
        self.refused = 0
        "How many extensions have sent in vain."
        self._exchange = exchange
        self._directory = directory
        self._pending = 0
        exchange.wire.endpoint.serve("MESSAGE", self.receive)

    def receive(self, transaction: ServerTransaction) -> None:
        """A MESSAGE. PeerError says how it is refused: 403 from outside, for lines and trunks carry calls alone."""
        request = transaction.request
        if self._exchange.is_from_outside(request, transaction.flow):
            raise PeerError(403, "Forbidden")
        sender = self._directory.identity.verify(request)
        try:
            self._take(transaction, sender)
        except PeerError:
            self.refused += 1
            raise

    def _take(self, transaction: ServerTransaction, sender: str) -> None:
        request = transaction.request
        check_caller(request, sender)
        if len(request.body) > MAX_TEXT:
            raise PeerError(413, "Request Entity Too Large")
        if self._pending >= MAX_PENDING:
            raise PeerError(503, "Service Unavailable", (RETRY_AFTER,))
        targets = self._targets(transaction)
        extension = self._directory.find(sender)
        dialled = read_dialled(request, sender, extension.name if extension else "")
        expires = request.headers.get("Expires")  # §7: until when it means anything
        lasting = () if expires is None else (("Expires", expires),)
        self._pending += 1
        text = _Text(self._exchange.wire, transaction, self._done)
        text.send([(target, _made(self._exchange.wire, dialled, target, lasting)) for target in targets])

    def _targets(self, transaction: ServerTransaction) -> list[Destination]:
        """The phones of whom it is for; PeerError 404 when there is no such extension, 480 when it has no phone."""
        number, phone = self._exchange.meant_by(transaction.request.uri)
        extension = self._directory.find(number)
        if extension is None or not extension.enabled:
            raise PeerError(404, "Not Found")
        targets = [
            Destination.of(binding)
            for binding in self._directory.whereabouts.targets(number)
            if phone in ("", binding.phone)
            # Whoever writes to its own number means its other phones.
            and not binding.flow.same_way(transaction.flow)
        ]
        if not targets:
            raise PeerError(480, "Temporarily Unavailable")
        return targets

    def _done(self, carried: bool) -> None:
        self._pending -= 1
        if carried:
            self.carried += 1
        else:
            self.refused += 1


class _Text:
    """One, until it has its answer: 200 as soon as one phone has taken it, or what tells most when none has (§7)."""

    def __init__(self, wire: Wire, transaction: ServerTransaction, done: Callable[[bool], None]) -> None:
        self._wire = wire
        self._transaction = transaction
        self._done = done
        self._open = 0
        self._carried = False
        self._failures: list[PeerError] = []

    def send(self, requests: list[tuple[Destination, Request]]) -> None:
        """Send these, of which there is at least one."""
        self._open = len(requests)
        for target, request in requests:
            if target.flow.reliable or len(request.encode()) + VIA_ROOM <= MAX_OVER_UDP:
                answered = partial(self._answered, silent=_UNAVAILABLE)
                self._wire.endpoint.send_request(request, target.flow, answered)
            else:
                self._send_by_tcp(target, request)

    def _send_by_tcp(self, target: Destination, request: Request) -> None:
        """§8: one as large as that MUST NOT go over UDP, also when the phone knows nothing else."""
        try:
            flow = self._wire.endpoint.flow_to("tcp", target.flow.remote)
        except TransportError:
            self._refused(_TOO_LARGE)
        else:
            answered = partial(self._answered, silent=_TOO_LARGE)
            self._wire.endpoint.send_request(request, flow, answered)

    def _answered(self, event: ClientEvent, silent: PeerError) -> None:
        if not isinstance(event, Response):
            self._refused(silent)
        elif event.status >= 300:
            self._refused(_told(event))
        elif event.status >= 200:
            self._taken()

    def _taken(self) -> None:
        self._open -= 1
        if not self._carried:
            self._carried = True
            self._transaction.reply(200)
            self._done(True)

    def _refused(self, failure: PeerError) -> None:
        self._open -= 1
        self._failures.append(failure)
        if self._open or self._carried:
            return
        best = min(self._failures, key=_rank)
        self._transaction.reply(best.status, best.reason, headers=best.headers)
        self._done(False)


_UNAVAILABLE = PeerError(480, "Temporarily Unavailable")
_TOO_LARGE = PeerError(413, "Request Entity Too Large")
_TELLING = frozenset({403, 413, 415, 486, 488, 501, 600, 603, 606})
"What a phone answers that its sender can make something of. All else is a matter between that phone and us."


def _told(response: Response) -> PeerError:
    """What the sender hears of a phone's refusal."""
    if response.status == 405:
        return PeerError(501, "Not Implemented")  # its Allow would be taken for ours
    if response.status not in _TELLING:
        return _UNAVAILABLE
    return PeerError(response.status, response.reason, passing(response))


def _rank(failure: PeerError) -> tuple[bool, bool]:
    """RFC 3261 §16.7: a 6xx if there is one; else what says more than that nobody is there."""
    return failure.status < 600, failure.status == 480


def _made(wire: Wire, dialled: Dialled, target: Destination, lasting: Baggage) -> Request:
    shown = Shown.at_home(dialled, target.number, target.flow.local[0])
    route = (("Route", target.route),) if target.route else ()
    content = dialled.content
    headers = (
        *route,
        ("Max-Forwards", str(dialled.hops_left)),
        ("From", f"{shown.caller};tag={wire.token()}"),
        ("To", shown.callee),
        ("Call-ID", wire.token()),
        ("CSeq", "1 MESSAGE"),
        *lasting,
        *dialled.baggage,
    )
    return Request(
        "MESSAGE", target.uri, Headers(with_content(headers, content)), content.body if content else b""
    )
