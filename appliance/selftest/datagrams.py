"""The built-in phones' transport: one UDP socket each, on loopback.

RFC 3261 §18.1.1, §18.2.1.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio

from appliance.sip.transport.flow import Flow, TransportError

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address, Receiver

__all__ = ["PhoneSocket"]

MAX_DATAGRAM = 65_535


class PhoneSocket:
    """`Transports` for one phone. `run` receives; `close` ends it."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._receiver: Receiver | None = None

    @property
    def address(self) -> Address:
        """Our own host and port."""
        host, port = self._socket.getsockname()
        return host, port

    def attach(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def send(self, flow: Flow, data: bytes) -> None:
        try:
            self._socket.sendto(data, flow.remote)
        except OSError as error:
            raise TransportError(str(error)) from error

    def flow_to(
        self, transport: str, remote: Address, name: str | None = None, certificate: str = ""
    ) -> Flow:
        del name, certificate  # for TLS, which this phone has not
        if transport != "udp":
            msg = f"the phone has no {transport}"
            raise TransportError(msg)
        return Flow("udp", self.address, remote)

    async def run(self) -> None:
        """Give what arrives to the endpoint, for ever."""
        while True:
            await anyio.wait_readable(self._socket)
            try:
                data, remote = self._socket.recvfrom(MAX_DATAGRAM)
            except OSError:  # nothing there after all
                continue
            if self._receiver is not None:
                self._receiver.receive_datagram(data, Flow("udp", self.address, remote))

    def close(self) -> None:
        self._socket.close()
