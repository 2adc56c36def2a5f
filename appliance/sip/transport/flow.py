"""A flow: where a message came from and where its answer goes; and what the endpoint asks of transports.

RFC 3261 §18; RFC 5626 §3 for the word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.errors import BranchboxError

if TYPE_CHECKING:
    from appliance.sip.message import BadMessage, Message

__all__ = ["Address", "Flow", "Receiver", "TransportError", "Transports"]

Address = tuple[str, int]
"An IP address in text, never a name, and a port."


class TransportError(BranchboxError):
    """A message could not be sent: the connection is gone, the address is none, or nobody listens there."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to one peer."""

    transport: str
    "`udp`, `tcp`, `tls`, `ws` or `wss`."
    local: Address
    "Our address as that peer sees it, never 0.0.0.0; over a connection the port is the one we listen on."
    remote: Address
    "The peer's address as we see it."
    connection: int = 0
    "The connection's serial number; 0 for UDP."

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what was lost (§17: fewer timers)."""
        return self.transport != "udp"

    def same_way(self, other: Flow) -> bool:
        """Whether both lead to the same peer over the same connection, by whichever of our addresses."""
        return (self.remote, self.transport, self.connection) == (
            other.remote,
            other.transport,
            other.connection,
        )


class Receiver(Protocol):
    """What transports ask of the endpoint."""

    def receive_datagram(self, data: bytes, flow: Flow) -> None:
        """Take one datagram. Never raises."""

    def receive_message(self, message: Message | BadMessage, flow: Flow) -> None:
        """Take one message that was cut out of a stream. Never raises."""

    def flow_failed(self, flow: Flow) -> None:
        """The connection is gone, or an ICMP error says that nobody listens there."""


class Transports(Protocol):
    """What the endpoint asks of transports: real sockets, or the simulation's network."""

    def attach(self, receiver: Receiver) -> None:
        """Give everything that arrives to `receiver` from now on."""

    def send(self, flow: Flow, data: bytes) -> None:
        """Send one message without waiting. Raises TransportError when that is known to be in vain."""

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        """A flow to that address, over a connection that stands already if there is one.

        Over TLS whoever is there must prove to be the domain `name`, or without one to have that address; and
        we show the certificate of that name if we are asked, empty: the usual one. A new connection is opened
        when the flow is first used. Raises TransportError when `remote` is no IP address, cannot be reached,
        or nothing serves that transport.
        """
