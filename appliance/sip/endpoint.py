"""The endpoint: the one place where the machines meet sockets and the clock.

RFC 3261 §8.2 (what a server inspects, in its order), §9.2, §12.2.2, §17, §18; RFC 3581; RFC 4320.
"""

from __future__ import annotations

import logging
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from appliance.errors import PeerError
from appliance.sip.inspection import allow_header, check_required, check_target, refuse_method
from appliance.sip.live_transaction import ClientEvent, ClientTransaction, Failed, ServerTransaction
from appliance.sip.message import AllowEvents, BadMessage, Request, Response, parse_message
from appliance.sip.message.via import MAGIC_COOKIE
from appliance.sip.transaction.machine import Input, State
from appliance.sip.transaction.matching import server_key
from appliance.sip.transaction_table import TransactionTable
from appliance.sip.transport.answer import note_source, reply_flow
from appliance.sip.transport.detour import MAX_OVER_UDP, Detours
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.own_address import contact_of, via_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.sip.message import Message
    from appliance.sip.transaction.matching import ServerKey
    from appliance.sip.transport.flow import Address, Flow, Transports

__all__ = [
    "ClientEvent",
    "ClientTransaction",
    "DialogId",
    "DialogUser",
    "Endpoint",
    "Failed",
    "ServerTransaction",
]

logger = logging.getLogger(__name__)

DialogId = tuple[str, str, str]
"Call-ID, local tag, remote tag."

MAX_TRANSACTIONS = 131_072
"""950 calls a second: of a call that has 100rel on both legs, four live for 32 s and two for 5 s (a challenge keeps
nothing). At 2.5 kB for a request that was answered and 5 kB for one of ours these are 450 MB, and 330 MB where somebody
sends nothing but requests; the smallest board is too slow to get there in 32 s."""
KEEP_OPEN = b"\r\n\r\n"
CHALLENGES = frozenset({401, 407})
"With these a user says that it does not know the peer."
OVERLOAD = PeerError(503, "Service Unavailable", (("Retry-After", "10"),))
"What a peer hears when we have too many transactions. After 10 s a third of them have ended."


class DialogUser(Protocol):
    """Whoever a dialog belongs to."""

    def receive(self, transaction: ServerTransaction) -> None:
        """A request inside the dialog, other than ACK and CANCEL. May raise PeerError."""

    def receive_ack(self, ack: Request) -> None:
        """The ACK of a 2xx, each time it comes."""


class Endpoint:
    """One SIP user agent core, with all its transactions and dialogs. Nothing in here waits."""

    def __init__(self, timers: Timers, random: random.Random, transports: Transports) -> None:
        self.timers = timers
        self.tap: Callable[[str, Flow, bytes], None] | None = None
        "Sees each message: `in` or `out`, its flow and its octets."
        self.on_connection_lost: Callable[[Flow], None] | None = None
        "Told of each connection that is gone."
        self.on_unreadable: Callable[[BadMessage, Flow], None] | None = None
        "Told of what came that is no message, or that no user is asked for: it wants what nobody here knows."
        self.allowed = {"ACK", "BYE", "CANCEL", "OPTIONS"}
        "Methods that Allow names. `serve` adds its own; what only dialogs take, their users add."
        self.supported: set[str] = set()
        "Option tags that a request may Require; their users add them."
        self.events: set[str] = set()
        "Event packages that one may subscribe to; whoever offers them adds them."
        self._random = random
        self._transports = transports
        self._handlers: dict[str, Callable[[ServerTransaction], None]] = {"OPTIONS": self._answer_options}
        self.table = TransactionTable()
        self._dialogs: dict[DialogId, DialogUser] = {}
        self._detours = Detours(timers, self.flow_to)
        self._tag_key = random.randbytes(16)
        self._awaited: dict[tuple[str, str], DialogUser] = {}  # bound by their users, who wait 32 s at most
        transports.attach(self)

    # What users ask for.

    @property
    def transactions(self) -> int:
        """How many transactions are alive."""
        return len(self.table)

    @property
    def dialogs(self) -> int:
        """How many dialogs are alive or awaited."""
        return len(self._dialogs) + len(self._awaited)

    def serve(self, method: str, handler: Callable[[ServerTransaction], None]) -> None:
        """Give the requests of a method that belong to no dialog to `handler`, which returns at once.

        A PeerError it raises becomes the response, another exception 500 and a log entry. An INVITE it has
        not answered by then gets 100.
        """
        self._handlers[method] = handler
        self.allowed.add(method)

    def add_dialog(self, dialog_id: DialogId, user: DialogUser) -> None:
        """Give the requests inside this dialog to `user` from now on."""
        self._dialogs[dialog_id] = user

    def remove_dialog(self, dialog_id: DialogId) -> None:
        """The dialog is over. Harmless when it is not known."""
        self._dialogs.pop(dialog_id, None)

    def dialog_user(self, dialog_id: DialogId) -> DialogUser | None:
        """Whom a dialog belongs to; None when there is no such dialog."""
        return self._dialogs.get(dialog_id)

    def await_dialog(self, call_id: str, local_tag: str, user: DialogUser) -> None:
        """Give requests that found a dialog to `user`, whatever their tag: a NOTIFY before its 2xx (RFC 6665 §4.4.1)."""
        self._awaited[call_id, local_tag] = user

    def await_no_dialog(self, call_id: str, local_tag: str) -> None:
        """No dialog is awaited any more. Harmless when none was."""
        self._awaited.pop((call_id, local_tag), None)

    def send_request(
        self, request: Request, flow: Flow, on_event: Callable[[ClientEvent], None]
    ) -> ClientTransaction:
        """Add a Via and send. `on_event` gets each Response, or Failed, never before this returns."""
        return self._start_client(request, flow, on_event, self._add_via(request, flow))

    def send_ack(self, ack: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx (§13.2.2.4). Give the same one for each 2xx that comes again."""
        if "Via" not in ack.headers:
            self._add_via(ack, flow)
        try:
            self.transmit(flow, ack.encode())
        except TransportError as failure:
            logger.info("ACK to %s: %s", flow.remote, failure)  # the peer repeats its 2xx

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        """A flow to an address; a connection opens when it is first used. Raises TransportError.

        Over TLS whoever is there must prove to be the domain `name`, or without one to have that address; we show
        the certificate of that name, empty: the usual one.
        """
        return self._transports.flow_to(transport, remote, name, certificate)

    def keep_open(self, flow: Flow) -> None:
        """Send what NATs on the way see and everybody passes over (RFC 3261 §7.5). TransportError."""
        self._transports.send(flow, KEEP_OPEN)

    def contact(self, flow: Flow, user: str, *, secure: bool = False) -> str:
        """Our Contact as the peer on that flow can reach it; `secure`: it wants a `sips:` URI (§12.1.1)."""
        return contact_of(flow, user, secure=secure)

    def new_tag(self) -> str:
        """A tag for From or To (§19.3: at least 32 random bits)."""
        return f"{self._random.getrandbits(64):016x}"

    # What transports bring.

    def receive_datagram(self, data: bytes, flow: Flow) -> None:
        """Take one datagram. Never raises."""
        message: Message | BadMessage
        try:
            message = parse_message(data)
        except BadMessage as bad:
            message = bad
        except Exception:
            logger.exception("the parser failed on %d octets from %s", len(data), flow.remote)
            return
        if self.tap is not None:
            self._tap_safely("in", flow, data)
        self._receive(message, flow)

    def receive_message(self, message: Message | BadMessage, flow: Flow) -> None:
        """Take one message that was cut out of a stream. Never raises."""
        if self.tap is not None and not isinstance(message, BadMessage):
            self._tap_safely("in", flow, message.encode())
        self._receive(message, flow)

    def flow_failed(self, flow: Flow) -> None:
        """The connection is gone, or nobody listens there: all transactions on that flow are told."""
        for transaction in self.table.on_flow(flow):
            transaction.transport_failed()
        if flow.connection and self.on_connection_lost is not None:
            self.on_connection_lost(flow)

    def _receive(self, message: Message | BadMessage, flow: Flow) -> None:
        try:
            if isinstance(message, Request):
                self._receive_request(message, flow)
            elif isinstance(message, Response):
                client = self.table.client_of(message)
                if client is not None:  # §18.1.2: else it is a stray one, and dropped
                    client.receive(message)
            else:
                self._refuse(message, flow)
        except Exception:
            logger.exception("a message from %s over %s failed", flow.remote, flow.transport)

    def _receive_request(self, request: Request, flow: Flow) -> None:
        key = server_key(request, flow.transport)
        known = self.table.server(key)
        if request.method == "ACK":
            if known is None:
                self.pass_ack(request)
            else:
                known.feed(Input.ACK, request)
        elif known is not None:
            known.feed(Input.REQUEST, request)
        else:
            self._begin(request, flow, key)

    def _begin(self, request: Request, flow: Flow, key: ServerKey) -> None:
        reply = reply_flow(request.via, flow)
        if reply is None:
            return
        note_source(request, flow)
        if len(self.table) >= MAX_TRANSACTIONS:
            self._send_stateless(self._response_to(request, OVERLOAD), reply)
            return
        transaction = ServerTransaction(self, request, reply, key)
        self.table.add_server(transaction)
        known = False
        try:
            serve = self._user_of(transaction)
            known = True
            serve(transaction)
        except PeerError as error:
            if not known and self.on_unreadable is not None:
                self.on_unreadable(BadMessage(error.status, error.reason, request), flow)
            self._refuse_request(transaction, error, stranger=not known or error.status in CHALLENGES)
        except Exception:
            logger.exception("%s from %s failed", request.method, flow.remote)
            if not transaction.answered:
                transaction.reply(500)
        else:
            if not transaction.answered:
                self._defer(transaction)

    def _defer(self, transaction: ServerTransaction) -> None:
        """Its user will answer later."""
        if transaction.request.method != "INVITE":
            transaction.feed(Input.DEFERRED)
        elif not transaction.responded:
            transaction.reply(100)

    def _refuse_request(self, transaction: ServerTransaction, error: PeerError, *, stranger: bool) -> None:
        if stranger and not transaction.responded:
            # §8.2.7, §26.3.2.4: nothing is kept for whoever has proved nothing yet, or a flood of such requests would
            # fill the memory; and nothing is repeated, for of one forged datagram there would come eleven upon whom
            # it names. A request that comes again is refused anew.
            self.table.forget_server(transaction)
            self._send_stateless(self._response_to(transaction.request, error), transaction.flow)
        elif not transaction.answered:
            transaction.reply(error.status, error.reason, headers=error.headers)

    def _user_of(self, transaction: ServerTransaction) -> Callable[[ServerTransaction], None]:
        request = transaction.request
        if request.method == "CANCEL":
            return self._cancel
        to_tag = request.to.tag
        # A registrar has no dialogs; a client that keeps the tag of an earlier answer means no harm.
        if to_tag is not None and request.method != "REGISTER":
            check_required(request, self.supported)
            return self._dialog_user(request, to_tag).receive
        handler = self._handlers.get(request.method)
        if handler is None:
            raise refuse_method(request.method, self.allowed)
        check_target(request)
        if self.table.merges(transaction) or self.table.came_back(request):
            raise PeerError(482, "Loop Detected")
        check_required(request, self.supported)
        return handler

    def _dialog_user(self, request: Request, to_tag: str) -> DialogUser:
        user = self._dialogs.get((request.call_id, to_tag, request.from_.tag or ""))
        if user is None:
            user = self._awaited.get((request.call_id, to_tag))
        if user is None:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        return user

    def _cancel(self, transaction: ServerTransaction) -> None:
        invite = self.table.cancelled_by(transaction)
        if invite is None:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        # §9.2: the answer to the CANCEL has the To tag that the INVITE's has.
        transaction.tag = invite.tag
        cancel = transaction.request
        transaction.reply(200)
        if invite.state is not State.PROCEEDING:
            return  # too late: the final response stands
        if invite.on_cancel is not None:
            invite.on_cancel(cancel)
        else:
            invite.reply(487)

    def _answer_options(self, transaction: ServerTransaction) -> None:
        supported = ", ".join(sorted(self.supported))
        # §11.2: these five SHOULD be there.
        abilities = (
            ("Accept", "application/sdp"),
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "en"),
        )
        headers = (allow_header(self.allowed), *abilities, ("Supported", supported))
        transaction.reply(200, headers=(*headers, *self.allow_events))

    @property
    def allow_events(self) -> tuple[tuple[str, str], ...]:
        """The Allow-Events header (RFC 6665 §4.4.4); none where there is nothing to subscribe to."""
        return (("Allow-Events", str(AllowEvents(tuple(sorted(self.events))))),) if self.events else ()

    # What goes out.

    def _refuse(self, bad: BadMessage, flow: Flow) -> None:
        if self.on_unreadable is not None:
            self.on_unreadable(bad, flow)
        if bad.request is None:
            return
        reply = reply_flow(bad.request.via, flow)
        if reply is not None:
            note_source(bad.request, flow)
            self._send_stateless(self._response_to(bad.request, bad), reply)

    def _response_to(self, request: Request, error: PeerError) -> Response:
        """The response of no transaction. §8.2.7: a request that is repeated gets the same To tag again."""
        name = "\0".join((*request.headers.get_all("Via"), *request.headers.get_all("Call-ID")))
        secret = blake2b(name.encode("utf-8", "surrogateescape"), key=self._tag_key, digest_size=8)
        return request.respond(error.status, error.reason, to_tag=secret.hexdigest(), headers=error.headers)

    def _send_stateless(self, response: Response, flow: Flow) -> None:
        try:
            self.transmit(flow, response.encode())
        except TransportError as failure:
            logger.info("%d to %s: %s", response.status, flow.remote, failure)

    def _add_via(self, request: Request, flow: Flow) -> str:
        branch = f"{MAGIC_COOKIE}{self._random.getrandbits(64):016x}"
        request.headers.add_first("Via", via_of(flow, branch))
        return branch

    def _start_client(
        self, request: Request, flow: Flow, on_event: Callable[[ClientEvent], None], branch: str
    ) -> ClientTransaction:
        client = ClientTransaction(self, request, flow, on_event, branch)
        if client.size > MAX_OVER_UDP and not flow.reliable:
            self._detours.begin(client)
        self.table.add_client(client)
        client.start()
        return client

    # What live transactions ask for.

    def transmit(self, flow: Flow, data: bytes) -> None:
        """Send one message. Raises TransportError."""
        if self.tap is not None:
            self._tap_safely("out", flow, data)
        self._transports.send(flow, data)

    def start_cancel(self, cancel: Request, flow: Flow) -> None:
        """Send a CANCEL. What comes of it says nothing: the INVITE's own response does (§9.1)."""
        self._start_client(cancel, flow, lambda _: None, cancel.via.branch or "")

    def pass_ack(self, ack: Request) -> None:
        """Give the ACK of a 2xx to its dialog. One that belongs nowhere is dropped: it has no answer."""
        user = self._dialogs.get((ack.call_id, ack.to.tag or "", ack.from_.tag or ""))
        if user is not None:
            user.receive_ack(ack)

    def _tap_safely(self, direction: str, flow: Flow, data: bytes) -> None:
        try:
            if self.tap is not None:
                self.tap(direction, flow, data)
        except Exception:
            logger.exception("the message trace failed")
            self.tap = None  # a broken trace must not cost calls
