"""One REGISTER after another of one line: what they have in common, and each until the carrier has said yes or no.

RFC 3261 §10.2, §10.2.8 (423), §22.2 (challenges); RFC 3327 §5.1 (Path).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from appliance.lines.credentials import Credentials, Unproven, early
from appliance.lines.outcome import Accepted, Challenged, Failure, TooBrief, in_short, read, unproven
from appliance.sip.dialog.dialog import MAX_FORWARDS
from appliance.sip.live_transaction import Failed
from appliance.sip.located import Way
from appliance.sip.message import Headers, NameAddr, Request
from appliance.sip.transport.own_address import contact_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from appliance.lines.account import Account
    from appliance.sip.live_transaction import ClientEvent
    from appliance.sip.located import LocatedRequest, Sender
    from appliance.sip.message import Response
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["Asking", "Registrant"]

MAX_BRIEF = 3
"How often one asking obeys a 423: a registrar that wants more each time means to keep us busy."


class Registrant:
    """Who registers. §10.2.4: all registrations of one boot have the same Call-ID, and CSeq numbers that grow."""

    def __init__(self, sender: Sender, random: random.Random, account: Account) -> None:
        self.sender = sender
        self.account = account
        self.credentials = Credentials(account, random)
        self.expiry = account.expiry
        "Seconds to ask for; what a 423 wanted is kept."
        self.seen_at: Address | None = None
        "Where the registrar saw us last, for a Contact that shall say so."
        self._call_id = sender.endpoint.new_tag()
        self._tag = sender.endpoint.new_tag()
        self._sequence = 0

    def make(self, expiry: int) -> Request:
        """A REGISTER without Via, Contact and proof."""
        account = self.account
        us = account.address_of_record()
        fields = [
            ("Max-Forwards", MAX_FORWARDS),
            ("From", f"{us.text};tag={self._tag}"),
            ("To", str(NameAddr("", us.uri))),
            ("Call-ID", self._call_id),
            ("Expires", str(expiry)),
            # RFC 3327 §5.1: without it a registrar may refuse what came through a proxy.
            ("Supported", "path"),
        ]
        route = account.route()
        headers = Headers([("Route", route), *fields] if route else fields)
        request = Request("REGISTER", str(account.registrar_uri()), headers)
        self.number(request)
        return request

    def number(self, request: Request) -> None:
        """Give a request the next number."""
        self._sequence += 1
        request.headers.set("CSeq", f"{self._sequence} REGISTER")

    def contact_over(self, flow: Flow) -> str:
        """Our Contact over that flow, as the account wants it."""
        account = self.account
        host, port = account.fixed_contact() or self.seen_at or flow.local
        return contact_of(replace(flow, local=(host, port or flow.local[1])), account.registered_user)


class Asking:
    """One registration, refreshed or new; or, with a Contact of old, its end."""

    def __init__(
        self,
        registrant: Registrant,
        on_over: Callable[[Asking, Accepted | Failure], None],
        *,
        leave: str = "",
    ) -> None:
        """`leave` is the Contact that shall be registered no longer (§10.2.2)."""
        self.flow: Flow | None = None
        "The newest way that it was sent."
        self.contact = leave
        "What it registers, as a header has it."
        self.fails_back = False
        "Whether it may have asked another server than the one that knows us."
        self._registrant = registrant
        self._on_over: Callable[[Asking, Accepted | Failure], None] | None = on_over
        self._leave = leave
        self._attempt = registrant.credentials.attempt("REGISTER")
        self._request: Request | None = None  # the newest that was sent
        self._located: LocatedRequest | None = None
        self._briefs = 0
        self._directly = False

    @property
    def expiry(self) -> int:
        """Seconds that it asks for."""
        return 0 if self._leave else self._registrant.expiry

    def begin(self, keep_to: Flow | None, *, fail_back: bool = False) -> None:
        """Find the carrier by DNS and send; the flow first, if DNS still lists where it leads.

        `fail_back`: but before it those that DNS would rather have.
        """
        account = self._registrant.account
        way = Way(account.transport or None, account.next_hop(), keep_to, fresh=True, fail_back=fail_back)
        self.fails_back = fail_back
        self._located = self._registrant.sender.send(
            self._make(), self._take, prepare=self._complete, way=way
        )

    def begin_over(self, flow: Flow) -> None:
        """Send over that flow and nowhere else."""
        self._send_over(flow, self._make())

    def abandon(self) -> None:
        """Nobody wants to know any more."""
        self._on_over = None
        if self._located is not None:
            self._located.try_no_other()

    def _make(self) -> Request:
        request = self._registrant.make(self.expiry)
        self._attempt.put(request)
        account = self._registrant.account
        if account.early_authorization and "Authorization" not in request.headers:
            request.headers.add(*early(account, request.uri))
        return request

    def _complete(self, request: Request, flow: Flow) -> None:
        self.flow, self._request = flow, request
        self.contact = self._leave or self._registrant.contact_over(flow)
        request.headers.set("Contact", self.contact)

    def _send_over(self, flow: Flow, request: Request) -> None:
        # What is asked of us is said to whoever asked: another server would not know its nonce.
        self._directly = True
        self._complete(request, flow)
        self._registrant.sender.endpoint.send_request(request, flow, self._take)

    def _take(self, event: ClientEvent) -> None:
        if self._on_over is None:
            return
        if isinstance(event, Failed):
            self._fail(event)
        elif event.status >= 200:
            self._take_final(event)

    def _take_final(self, response: Response) -> None:
        outcome = read(response, NameAddr.parse(self.contact).uri, self.expiry)
        match outcome:
            case Challenged():
                self._prove(response)
            case TooBrief(least) if self._briefs < MAX_BRIEF:
                self._ask_for(least)
            case TooBrief():
                self._end(Failure("too_brief", True, response.status, response.reason))
            case Accepted():
                self._attempt.accepted(response)
                self._end(outcome)
            case Failure():
                self._attempt.accepted(response)
                self._avoid(outcome)
                self._end(outcome)
            case _:
                assert_never(outcome)

    def _prove(self, response: Response) -> None:
        assert self._request is not None
        assert self.flow is not None
        again = self._attempt.answer(self._request, response)
        if isinstance(again, Unproven):
            self._end(unproven(response, again.cause, again.detail))
            return
        self._registrant.number(again)
        self._send_over(self.flow, again)

    def _ask_for(self, expiry: int) -> None:
        assert self.flow is not None
        self._briefs += 1
        self._registrant.expiry = expiry
        self._attempt = self._registrant.credentials.attempt("REGISTER")
        self._send_over(self.flow, self._make())

    def _fail(self, event: Failed) -> None:
        if self.flow is None and self._located is not None and self._located.unlocated:
            self._end(Failure("location", final=False, reason=in_short(self._located.unlocated)))
            return
        failure = Failure("silence" if event.cause == "timeout" else "transport", final=False)
        self._avoid(failure)
        self._end(failure)

    def _avoid(self, failure: Failure) -> None:
        """Try this server last next time. Where the sender has gone from one to the next it knows that itself."""
        if self._directly and not failure.final and self.flow is not None:
            hop = self._registrant.account.next_hop()
            self._registrant.sender.avoid(self.flow, hop, failure.retry_after)

    def _end(self, outcome: Accepted | Failure) -> None:
        on_over, self._on_over = self._on_over, None
        assert on_over is not None
        on_over(self, outcome)
