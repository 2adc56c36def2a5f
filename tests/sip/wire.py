"""An endpoint on a wire of its own: bytes go in, bytes come out, and time is turned by hand."""

from __future__ import annotations

import random
from collections.abc import Callable

from appliance.clock import Timer, TimerHeap
from appliance.sip.endpoint import Endpoint
from appliance.sip.message import BadMessage, Request, Response, StreamFramer, parse_message
from appliance.sip.transport.flow import Address, Flow, Receiver, TransportError

__all__ = ["PEER", "TCP", "UDP", "Wire", "text_of"]

PEER = ("192.0.2.10", 5062)
UDP = Flow("udp", ("192.0.2.1", 5060), PEER)
TCP = Flow("tcp", ("192.0.2.1", 5060), PEER, 1)


class HandTimers:
    def __init__(self) -> None:
        self.heap = TimerHeap()
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self.heap.add(self.time + delay, callback)

    def wait(self, seconds: float) -> None:
        """Let time pass, with everything that falls due in it."""
        end = self.time + seconds
        while (due := self.heap.next_due()) is not None and due <= end:
            self.time = max(self.time, due)
            callback = self.heap.pop_due(self.time)
            assert callback is not None
            callback()
        self.time = end


class Wire:
    """The transports of one endpoint, and the peer at their other end."""

    receiver: Receiver

    def __init__(self) -> None:
        self.timers = HandTimers()
        self.out: list[tuple[Flow, bytes]] = []
        self.broken: set[Flow] = set()
        self.opened = 100
        self.local = UDP.local
        "Our address, as it is now."
        self.endpoint = Endpoint(self.timers, random.Random(1), self)

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, flow: Flow, data: bytes) -> None:
        if flow in self.broken:
            raise TransportError("the connection is gone")
        self.out.append((flow, data))

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        if remote[1] == 9 or not self.local[0]:
            raise TransportError("nobody there")
        if transport == "udp":
            return Flow("udp", self.local, remote)
        self.opened += 1
        return Flow(transport, self.local, remote, self.opened)

    def take(self) -> list[Request | Response]:
        """What went out since the last time, parsed."""
        messages = [parse_message(data) for _, data in self.out]
        self.out.clear()
        return messages

    def take_one(self) -> Request | Response:
        (message,) = self.take()
        return message

    def response(self) -> Response:
        message = self.take_one()
        assert isinstance(message, Response)
        return message

    def request(self) -> Request:
        message = self.take_one()
        assert isinstance(message, Request)
        return message

    def receive(self, data: bytes | Request | Response, flow: Flow = UDP) -> None:
        octets = data if isinstance(data, bytes) else data.encode()
        if flow.transport == "udp":
            self.receiver.receive_datagram(octets, flow)
            return
        for item in StreamFramer().feed(octets):
            assert isinstance(item, Request | Response | BadMessage)
            self.receiver.receive_message(item, flow)


def text_of(method: str = "OPTIONS", **changes: str | None) -> bytes:
    """A request of the peer. `Via=...` and so on replace a header, None leaves it out, `uri=` is the target."""
    uri = changes.pop("uri", None) or "sip:100@192.0.2.1"
    body = changes.pop("body", None) or ""
    usual: dict[str, str | None] = {
        "Via": "SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bK1;rport",
        "Max-Forwards": "70",
        "From": "<sip:101@192.0.2.1>;tag=f1",
        "To": "<sip:100@192.0.2.1>",
        "Call-ID": "c1@192.0.2.10",
        "CSeq": f"1 {method}",
        "Contact": "<sip:101@192.0.2.10:5062>",
        "Content-Length": str(len(body)),
    }
    fields = usual | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"{method} {uri} SIP/2.0", *lines, "", body]).encode()
