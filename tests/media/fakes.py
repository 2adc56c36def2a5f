"""Doubles for the relay's sockets and clock, and descriptions that several tests use."""

from __future__ import annotations

import errno
from random import Random
from typing import Any

from appliance.clock import TimerHeap
from appliance.media.relay import Relay

__all__ = [
    "OFFER",
    "FakeSockets",
    "Socket",
    "StillTimers",
    "make_relay",
    "media_ports",
    "rtcp_packet",
    "rtp_packet",
]

OFFER = b"\r\n".join(
    (
        b"v=0",
        b"o=alice 2890844526 2890844526 IN IP4 192.0.2.10",
        b"s=-",
        b"c=IN IP4 192.0.2.10",
        b"t=0 0",
        b"m=audio 49170 RTP/AVP 0 8 101",
        b"a=rtpmap:101 telephone-event/8000",
        b"a=x-unknown:kept",
        b"",
    )
)


class Socket:
    """A UDP socket that nobody polls; what is sent is kept."""

    def __init__(self, sockets: FakeSockets, address: tuple[str, int]) -> None:
        self._sockets = sockets
        self.address = address
        self.sent: list[tuple[bytes, Any]] = []
        self.refuses = False

    def fileno(self) -> int:
        return -1

    def recvfrom(self, size: int, /) -> tuple[bytes, Any]:
        raise BlockingIOError

    def sendto(self, data: bytes, address: Any, /) -> int:
        if self.refuses:
            raise OSError(errno.ENETUNREACH, "no route")
        self.sent.append((data, address))
        return len(data)

    def close(self) -> None:
        del self._sockets.open[self.address]


class FakeSockets:
    """Opens fake sockets; an address in `held` belongs to somebody else."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], Socket] = {}
        self.held: set[int] = set()
        self.error: int | None = None

    def __call__(self, host: str, port: int) -> Socket:
        if self.error is not None:
            raise OSError(self.error, "refused")
        if port in self.held or (host, port) in self.open:
            raise OSError(errno.EADDRINUSE, "in use")
        return self.open.setdefault((host, port), Socket(self, (host, port)))


class StillTimers(TimerHeap):
    """A clock that moves when told."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def after(self, delay: float, callback: Any) -> Any:
        return self.add(self.time + delay, callback)


def make_relay(low: int = 30000, high: int = 30099) -> tuple[Relay, FakeSockets, StillTimers]:
    sockets, timers = FakeSockets(), StillTimers()
    return Relay((low, high), timers, Random(1), sockets), sockets, timers


def media_ports(sdp: bytes) -> list[int]:
    """The ports of the m= lines."""
    return [int(line.split()[1]) for line in sdp.splitlines() if line.startswith(b"m=")]


def rtp_packet(payload_type: int = 0, sequence: int = 1, payload: bytes = b"\xff" * 160) -> bytes:
    return bytes((0x80, payload_type)) + sequence.to_bytes(2) + bytes(8) + payload


def rtcp_packet(packet_type: int = 200) -> bytes:
    return bytes((0x80, packet_type)) + bytes(26)
