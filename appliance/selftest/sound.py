"""A built-in phone's sound: one RTP socket that plays a tone and listens for another.

RFC 3550 §5.1, RFC 3551 §6 (PCMU is payload type 0: 20 ms are 160 octets).
"""

from __future__ import annotations

import socket
from array import array
from typing import TYPE_CHECKING

import anyio

from appliance.errors import PeerError
from appliance.media.g711 import PAYLOAD_TYPES, RATE_HZ, decode, encode
from appliance.media.rtp import Packet
from appliance.media.sdp import parse_sdp
from appliance.media.tone import sine, tone_share

if TYPE_CHECKING:
    from random import Random

__all__ = ["Sound"]

PACKET_S = 0.02
PACKET_SAMPLES = 160
LISTEN_SAMPLES = RATE_HZ  # one second: what is judged at once
CLEAR_SHARE = 0.9  # G.711 alone leaves 0.99; a missing packet or another tone leaves far less
MAX_DATAGRAM = 2048


class Sound:
    """Plays `tone_hz` to wherever it is aimed, and keeps the second of sound that came last."""

    def __init__(self, host: str, tone_hz: float, random: Random) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._tone_hz = tone_hz
        self._sequence = random.getrandbits(15)  # §5.1: random start, with room before it wraps
        self._start = random.getrandbits(31)
        self._ssrc = random.getrandbits(32)
        self._sample = 0
        self._target: tuple[str, int] | None = None
        self._heard = array("h")
        self._arrived = anyio.Event()

    @property
    def description(self) -> bytes:
        """What we offer or answer: PCMU at our address."""
        host, port = self._socket.getsockname()
        return (
            f"v=0\r\no=- {self._start} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ).encode()

    def aim(self, description: bytes) -> None:
        """Play to the peer's address. PeerError when its description has none."""
        media = parse_sdp(description).media
        host = media[0].connection.host if media and media[0].connection else None
        if host is None or media[0].rejected:
            raise PeerError(488, "No Sound Offered")
        self._target = host, media[0].port

    async def run(self) -> None:
        """Play and listen, for ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._play)
            tasks.start_soon(self._listen)

    async def hear(self, tone_hz: float) -> None:
        """Return once a whole second of that tone was heard."""
        del self._heard[:]
        while True:
            await self._arrived.wait()
            self._arrived = anyio.Event()
            if len(self._heard) < LISTEN_SAMPLES:
                continue
            if tone_share(self._heard[-LISTEN_SAMPLES:], tone_hz) >= CLEAR_SHARE:
                return
            del self._heard[:]

    def close(self) -> None:
        self._socket.close()

    async def _play(self) -> None:
        due = anyio.current_time()
        while True:
            if self._target is not None:
                self._send(self._target)
            due += PACKET_S
            await anyio.sleep_until(due)

    def _send(self, target: tuple[str, int]) -> None:
        samples = sine(self._tone_hz, PACKET_SAMPLES, start=self._sample)
        timestamp = (self._start + self._sample) & 0xFFFF_FFFF
        packet = Packet(PAYLOAD_TYPES["PCMU"], self._sequence, timestamp, self._ssrc, encode(samples, "PCMU"))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._sample += PACKET_SAMPLES
        try:
            self._socket.sendto(bytes(packet), target)
        except OSError:  # a lost packet, which the listener will miss
            return

    async def _listen(self) -> None:
        while True:
            await anyio.wait_readable(self._socket)
            try:
                packet = Packet.parse(self._socket.recv(MAX_DATAGRAM))
            except (OSError, PeerError):
                continue
            if packet.payload_type == PAYLOAD_TYPES["PCMU"]:
                self._heard.extend(decode(packet.payload, "PCMU"))
                del self._heard[:-LISTEN_SAMPLES]
                self._arrived.set()
