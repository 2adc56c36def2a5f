"""The range of UDP ports for media, given out in pairs: RTP on an even port, RTCP on the one above.

RFC 3550 §11. A pair is reserved by binding it, so a port that somebody else holds is passed over.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from appliance.errors import LocalError, PeerError
from appliance.media.rewrite import PortPair

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["REST_S", "DatagramSocket", "OpenSocket", "Ports", "Reserved", "open_datagram_socket"]

REST_S = 5.0  # a port stays empty that long, so that one call's last packets do not enter the next
MAX_BINDS = 256  # tries for one reservation: 10 µs each, and the event loop waits meanwhile
EXPEDITED_FORWARDING = 0xB8  # RFC 3246: the code point that routers give voice


class DatagramSocket(Protocol):
    """What the relay needs of a socket. `fileno()` of -1 means that nobody polls it: the simulation's."""

    def fileno(self) -> int: ...
    def recvfrom(self, size: int, /) -> tuple[bytes, Any]: ...
    def sendto(self, data: bytes, address: Any, /) -> int: ...
    def close(self) -> None: ...


if TYPE_CHECKING:
    OpenSocket = Callable[[str, int], DatagramSocket]
    "Binds a host's port; OSError with EADDRINUSE when another holds it."


class Reserved(NamedTuple):
    """A pair of ports and their sockets."""

    ports: PortPair
    rtp: DatagramSocket
    rtcp: DatagramSocket


def open_datagram_socket(host: str, port: int) -> DatagramSocket:
    """A bound UDP socket that never blocks."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_FORWARDING)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


class Ports:
    """Which pairs of the range are in use, resting or free."""

    def __init__(
        self, low: int, high: int, random: Random, now: Callable[[], float], open_socket: OpenSocket
    ) -> None:
        first = low + low % 2
        if not 0 < low <= high <= 65_535 or first >= high:
            msg = f"the port range {low}-{high} holds no pair"
            raise LocalError(msg)
        self._random = random
        self._now = now
        self._open_socket = open_socket
        self._free = list(range(first, high, 2))
        self._resting: deque[tuple[float, int]] = deque()
        self._open = 0

    @property
    def in_use(self) -> int:
        """How many ports are open now."""
        return 2 * self._open

    def reserve(self, host: str) -> Reserved:
        """Bind a free pair on `host`, whichever; PeerError 503 when there is none."""
        self._end_rests()
        tried: list[int] = []
        try:
            while len(tried) < MAX_BINDS:
                tried.append(self._take())
                reserved = self._bind(host, tried[-1])
                if reserved is not None:
                    tried.pop()
                    self._open += 1
                    return reserved
        finally:
            self._free += tried  # somebody else's on this machine now, and perhaps not later
        raise PeerError(503, "No Media Port Left")

    def _take(self) -> int:
        free = self._free
        if not free:
            # More than 250 calls a second: the pair that has rested longest is a better answer than none.
            if not self._resting:
                raise PeerError(503, "No Media Port Left")
            return self._resting.popleft()[1]
        at = int(self._random.random() * len(free))
        free[at], free[-1] = free[-1], free[at]
        return free.pop()

    def release(self, reserved: Reserved) -> None:
        """Close a pair's sockets; its ports rest, and are free again then."""
        reserved.rtp.close()
        reserved.rtcp.close()
        self._open -= 1
        self._resting.append((self._now() + REST_S, reserved.ports.rtp))

    def _end_rests(self) -> None:
        now = self._now()
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])

    def _bind(self, host: str, port: int) -> Reserved | None:
        rtp = self._bind_one(host, port)
        if rtp is None:
            return None
        rtcp = self._bind_one(host, port + 1)
        if rtcp is None:
            rtp.close()
            return None
        return Reserved(PortPair(port, port + 1), rtp, rtcp)

    def _bind_one(self, host: str, port: int) -> DatagramSocket | None:
        try:
            return self._open_socket(host, port)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return None
            # No file descriptor left, or the address is no longer this machine's: no other port will do better.
            raise PeerError(503, "No Media Port Left") from error
