"""Sockets bound to our own addresses, and which of these a peer sees.

RFC 3261 §18.1.1, §18.2.1.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from appliance.errors import BranchboxError
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address

__all__ = ["CannotListenError", "PortInUseError", "bind_sockets", "family_of", "local_host_toward"]

BACKLOG = 256
"Connections the kernel keeps for us until we accept them: an office of phones that come back at once."
# Linux's names for it, which Python 3.11 lacks: <linux/in.h>, <linux/in6.h>.
IP_RECVERR, IPV6_RECVERR = 11, 25
RECEIVE_BUFFER = 4 * 1024 * 1024
"Octets of datagrams the kernel keeps while we work on the ones before: half a second of a flood."


OTHER_WILDCARD = {"0.0.0.0": "::", "::": "0.0.0.0"}
PORT_ATTEMPTS = 8
"A port that the kernel chose for one family may be taken in the other: how often it chooses again."


class CannotListenError(BranchboxError):
    """An address to listen on is none of ours, or we may not have that port."""

    def __init__(self, transport: str, address: Address, reason: str) -> None:
        super().__init__(f"cannot listen on {address[0]} port {address[1]} ({transport.upper()}): {reason}")
        self.transport = transport
        self.address = address
        self.reason = reason
        "The operating system's words."


class PortInUseError(CannotListenError):
    """Another program, or another start of this one, listens there already."""


def family_of(host: str) -> socket.AddressFamily:
    """IPv6 for a host with a colon, IPv4 for any other."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bind_sockets(transport: str, address: Address) -> list[socket.socket]:
    """Sockets that listen. Port 0 lets the kernel choose. CannotListenError.

    One for an address of ours. For `0.0.0.0` or `::`, which both mean all our addresses, one for IPv4 and one
    for IPv6 on the same port, the family that was asked for first; the other is left out where the machine
    has none.
    """
    other = OTHER_WILDCARD.get(address[0])
    if other is None:
        return [_bind(transport, address)]
    for attempt in range(PORT_ATTEMPTS):
        first = _bind(transport, address)
        try:
            return [first, _bind(transport, (other, first.getsockname()[1]))]
        except PortInUseError:
            first.close()
            if address[1] or attempt == PORT_ATTEMPTS - 1:
                raise
        except CannotListenError:
            return [first]
    raise AssertionError


def _bind(transport: str, address: Address) -> socket.socket:
    family = family_of(address[0])
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    except OSError as error:  # no IPv6 in this kernel
        raise CannotListenError(transport, address, os.strerror(error.errno or 0)) from error
    try:
        if family == socket.AF_INET6:
            # IPv4 has its own socket: its peers are not to appear as ::ffff:192.0.2.1.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport == "udp":
            _prepare_udp(sock)
            sock.bind(address)
        else:
            # For connections that linger after a restart; two listeners on one port still exclude each other.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        kind_of_error = PortInUseError if error.errno == errno.EADDRINUSE else CannotListenError
        raise kind_of_error(transport, address, os.strerror(error.errno or 0)) from error
    return sock


def _prepare_udp(sock: socket.socket) -> None:
    # §18.4: ICMP errors are to reach us. They come with the address that the datagram went to.
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    # The kernel cuts this to what net.core.rmem_max allows.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def local_host_toward(remote: Address) -> str:
    """Which of our addresses the kernel would send from to `remote`. Nothing is sent. TransportError."""
    try:
        # Connecting UDP waits for nobody; what watches the event loop in tests goes by the socket's mode.
        with socket.socket(family_of(remote[0]), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as probe:
            probe.connect(remote)
            return str(probe.getsockname()[0])
    except OSError as error:
        msg = f"no way to {remote[0]}: {error.strerror}"
        raise TransportError(msg) from error
