"""Live transactions: a machine's state with its timers, its messages and its user. Effects run here alone.

RFC 3261 §17, §9.1 (CANCEL), §8.2.6.2 (To tag), §18.2.2 (a connection that is gone); RFC 4320 §4.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, assert_never

from appliance.errors import LocalError
from appliance.sip.message import Headers, Request, Response
from appliance.sip.transaction.choice import client_machine, server_machine
from appliance.sip.transaction.companions import make_ack, make_cancel
from appliance.sip.transaction.machine import (
    Backoff,
    Effect,
    Ended,
    Inform,
    Input,
    Machine,
    PassUp,
    Send,
    SendAck,
    StartTimer,
    State,
    StopTimer,
    response_input,
)
from appliance.sip.transaction.timers import T1
from appliance.sip.transport.answer import fallback_address
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.own_address import via_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.clock import Timer, Timers
    from appliance.sip.message import Message
    from appliance.sip.transaction.matching import ClientKey, MergeKey, ServerKey
    from appliance.sip.transaction_table import TransactionTable
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["ClientEvent", "ClientTransaction", "Failed", "Host", "LiveTransaction", "ServerTransaction"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no final response."""

    cause: Literal["timeout", "transport"]


ClientEvent = Response | Failed


class Host(Protocol):
    """What a live transaction asks of the endpoint it lives in."""

    timers: Timers
    table: TransactionTable

    def transmit(self, flow: Flow, data: bytes) -> None: ...
    def flow_to(self, transport: str, remote: Address) -> Flow: ...
    def new_tag(self) -> str: ...
    def pass_ack(self, ack: Request) -> None: ...
    def start_cancel(self, cancel: Request, flow: Flow) -> None: ...


_NO_HEADERS = Headers()


class LiveTransaction:
    """What client and server transactions have in common."""

    __slots__ = ("_host", "_interval", "_machine", "_timers", "flow", "request", "state")

    def __init__(self, host: Host, machine: Machine, request: Request, flow: Flow) -> None:
        self._host = host
        self._machine = machine
        self._interval = T1
        self._timers: dict[Input, Timer] = {}
        self.request = request
        self.flow = flow
        self.state = machine.initial

    def feed(self, event: Input, message: Message | None = None) -> None:
        """Let the machine take one step; `message` is what came, if something came."""
        self.state, effects = self._machine.step(self.state, event)
        if effects:
            self._run(effects, message)

    def transport_failed(self) -> None:
        """The flow is gone. Harmless when the transaction is."""
        if self.state is not State.TERMINATED:
            self.feed(Input.TRANSPORT_ERROR)

    def _run(self, effects: tuple[Effect, ...], message: Message | None) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._send()
                case StartTimer(timer, delay):
                    self._start(timer, delay)
                case PassUp():
                    self._pass_up(message)
                case StopTimer(timer):
                    self._stop(timer)
                case Ended():
                    self._end()
                case Backoff(timer, ceiling):
                    self._interval = min(2 * self._interval, ceiling)
                    self._start(timer, self._interval)
                case SendAck():
                    self._send_ack(message)
                case Inform(cause):
                    self._inform(cause)
                case _:
                    assert_never(effect)

    def _start(self, timer: Input, delay: float) -> None:
        if timer in self._timers:
            self._timers[timer].cancel()
        # Of the function, not of a bound method, which would be one object more to keep for 32 s.
        self._timers[timer] = self._host.timers.after(delay, partial(LiveTransaction._fired, self, timer))

    def _stop(self, timer: Input) -> None:
        running = self._timers.pop(timer, None)
        if running is not None:
            running.cancel()

    def _fired(self, timer: Input) -> None:
        del self._timers[timer]
        self.feed(timer)

    def _end(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._forget()

    def _transmit(self, data: bytes) -> None:
        try:
            self._host.transmit(self.flow, data)
        except TransportError:
            # Told a moment later, so that whoever made us send this has returned by then.
            self._host.timers.after(0, self.transport_failed)

    def _send(self) -> None:
        raise NotImplementedError

    def _send_ack(self, message: Message | None) -> None:
        raise NotImplementedError

    def _pass_up(self, message: Message | None) -> None:
        raise NotImplementedError

    def _inform(self, cause: Literal["timeout", "transport"]) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError


class ServerTransaction(LiveTransaction):
    """A request that came, and its answer. Over UDP the request's headers and body are gone once it is answered."""

    __slots__ = ("_data", "_fallback", "_tag", "key", "merge", "on_cancel", "on_failed")

    def __init__(self, host: Host, request: Request, flow: Flow, key: ServerKey) -> None:
        super().__init__(host, server_machine(request.method, reliable=flow.reliable), request, flow)
        self.key = key
        self.merge: MergeKey | None = None
        "Under which key merged requests find this one, if they are looked for."
        self.on_cancel: Callable[[Request], None] | None = None
        "Called with the CANCEL of this INVITE, which is answered already. The user answers the INVITE: 487."
        self.on_failed: Callable[[], None] | None = None
        "Called when no ACK came, or the answer cannot reach the peer."
        self._data = b""
        self._tag: str | None = None
        self._fallback = flow.reliable

    @property
    def tag(self) -> str:
        """The To tag of all our responses, the request's own if it has one (§8.2.6.2)."""
        if self._tag is None:
            self._tag = self.request.to.tag or self._host.new_tag()
        return self._tag

    @tag.setter
    def tag(self, tag: str) -> None:
        self._tag = tag

    @property
    def responded(self) -> bool:
        """Whether any response was given."""
        return self._data != b""

    @property
    def answered(self) -> bool:
        """Whether a final response was given, or comes too late."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def reply(
        self,
        status: int,
        reason: str | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Make a response with our tag, send it, and give it back."""
        tag = None if status == 100 else self.tag
        response = self.request.respond(status, reason, to_tag=tag, headers=headers, body=body)
        self.respond(response)
        return response

    def respond(self, response: Response) -> None:
        """Send a response. For a 2xx to INVITE again and again, until its ACK comes: that is the user's part.

        A final response that comes too late goes nowhere (RFC 4320 §4.2). LocalError for one that may not
        follow what was sent before.
        """
        status = response.status
        if self.request.method != "INVITE" and not self._fits_non_invite(status):
            return
        before = self.state
        self.state, effects = self._machine.step(before, response_input(status))
        if effects:
            self._data = response.encode()
            self._run(effects, None)
            if status >= 200 and not self.flow.reliable:
                self._let_go()

    def _let_go(self) -> None:
        """Keep no more of the request than its first line.

        For the 32 s in which the answer may be asked for again, its octets are enough. What a request is made
        of takes ten times as much memory, and the garbage collector would look at each piece of it.
        """
        self.request = Request(self.request.method, self.request.uri, _NO_HEADERS)
        self.on_cancel = None  # it is too late for that

    def _fits_non_invite(self, status: int) -> bool:
        # RFC 4320 §4.1: no provisional response but 100.
        if 100 < status < 200:
            msg = f"{status} to {self.request.method}"
            raise LocalError(msg)
        # §4.2: no 408: whoever would get it has given up. The request is left to its timer F.
        return status != 408

    def _send(self) -> None:
        if not self._data:
            if self.request.method == "INVITE":
                return  # repeated before the user gave any answer
            self._data = self.request.respond(100).encode()  # RFC 4320 §4.1
        if self._fallback:
            self._transmit_over_connection()
        else:
            self._transmit(self._data)

    def _transmit_over_connection(self) -> None:
        try:
            self._host.transmit(self.flow, self._data)
        except TransportError:
            # §18.2.2: once the connection is gone, a new one to the address the request came from.
            self._fallback = False
            try:
                address = fallback_address(self.request.via, self.flow)
                self.flow = self._host.flow_to(self.flow.transport, address)
            except TransportError:
                self._host.timers.after(0, self.transport_failed)
            else:
                self._transmit(self._data)

    def transport_failed(self) -> None:
        """A connection that is gone matters when there is something to send; then a new one is tried."""
        if not self._fallback:
            super().transport_failed()

    def _pass_up(self, message: Message | None) -> None:
        if isinstance(message, Request):
            self._host.pass_ack(message)

    def _inform(self, cause: Literal["timeout", "transport"]) -> None:
        if self.on_failed is not None:  # where nobody minds, strangers shall not fill the log
            logger.info("%s of %s: %s", self.request.method, self.flow.remote, cause)
            _call_user(self.on_failed)

    def _forget(self) -> None:
        self._host.table.forget_server(self)


class ClientTransaction(LiveTransaction):
    """A request of ours, and what comes back."""

    __slots__ = ("_cancel", "_cancel_sent", "_data", "_direct", "_on_event", "key")

    def __init__(
        self,
        host: Host,
        request: Request,
        flow: Flow,
        on_event: Callable[[ClientEvent], None],
        branch: str,
    ) -> None:
        super().__init__(host, client_machine(request.method, reliable=flow.reliable), request, flow)
        self.key: ClientKey = (branch, request.method)
        self._data = request.encode()
        self._on_event = on_event
        self._direct: Flow | None = None
        self._cancel: Request | None = None
        self._cancel_sent = False

    def start(self) -> None:
        """Send the request, for the first time."""
        self._run(self._machine.start, None)

    @property
    def size(self) -> int:
        """Octets of the request as it is sent."""
        return len(self._data)

    def detour(self, flow: Flow) -> None:
        """Go over `flow` first (§18.1.1). Before `start`."""
        self._direct = self.flow
        self._go_over(flow)

    def end_detour(self) -> None:
        """Go the direct way after all. Harmless when somebody has answered, or there was no detour."""
        direct, self._direct = self._direct, None
        if direct is not None and self.state is self._machine.initial:
            for timer in list(self._timers):
                self._stop(timer)
            self._go_over(direct)
            self.start()

    def _go_over(self, flow: Flow) -> None:
        # The branch stays: a peer that got both takes the second for the first one repeated.
        self.request.headers.replace_first("Via", via_of(flow, self.key[0] or ""))
        self._data = self.request.encode()
        self._machine = client_machine(self.request.method, reliable=flow.reliable)
        self.flow, self._interval = flow, T1
        self.state = self._machine.initial

    def transport_failed(self) -> None:
        """The flow is gone: the direct way may be left."""
        if self._direct is None or self.state is not self._machine.initial:
            super().transport_failed()
        else:
            self.end_detour()

    def receive(self, response: Response) -> None:
        """A response to this request came."""
        self.feed(response_input(response.status), response)
        self._send_cancel()

    def cancel(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send a CANCEL with these headers (a Reason), as soon as a provisional response allows (§9.1).

        The INVITE still ends by a response, mostly 487 and now and then 200, or Failed. Without effect when
        it has ended. LocalError for another method.
        """
        if self.request.method != "INVITE":
            msg = f"CANCEL of {self.request.method}"
            raise LocalError(msg)
        if self._cancel is None:
            self._cancel = make_cancel(self.request, headers)
            self._send_cancel()

    def _send_cancel(self) -> None:
        if self._cancel is None or self._cancel_sent or self.state is not State.PROCEEDING:
            return
        self._cancel_sent = True
        self.feed(Input.CANCEL)
        self._host.start_cancel(self._cancel, self.flow)

    def _send(self) -> None:
        self._transmit(self._data)

    def _send_ack(self, message: Message | None) -> None:
        if isinstance(message, Response):
            self._transmit(make_ack(self.request, message).encode())

    def _pass_up(self, message: Message | None) -> None:
        if isinstance(message, Response):
            _call_user(partial(self._on_event, message))

    def _inform(self, cause: Literal["timeout", "transport"]) -> None:
        _call_user(partial(self._on_event, Failed(cause)))

    def _forget(self) -> None:
        self._host.table.forget_client(self)


def _call_user(callback: Callable[[], None]) -> None:
    """A user's defect ends neither the transaction nor whoever brought the message."""
    try:
        callback()
    except Exception:
        logger.exception("a transaction's user failed")
