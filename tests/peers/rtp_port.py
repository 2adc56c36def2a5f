"""A telephone's ear and mouth: one UDP port that sends single RTP packets and says what came."""

from __future__ import annotations

import socket
from select import select
from typing import Self

from appliance.media.rtp import Packet
from appliance.media.sdp import parse_sdp
from tests.peers.sip_line import LIMIT_S

__all__ = ["KEYS", "RtpPort"]

PCMA, KEY_TYPE = 8, 101
EVENTS = "0123456789*#ABCD"
"RFC 4733 §3.2."
KEYS = f"a=rtpmap:{KEY_TYPE} telephone-event/8000"
"What a description says of keys beside the payload type in its m= line."


class RtpPort:
    """A port on `host`; what it says is told apart by the octets of its packets."""

    def __init__(self, host: str) -> None:
        self._sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((host, 0))
        self._sock.settimeout(LIMIT_S)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._sock.getsockname()[:2]
        return host, port

    def describe(self, *lines: str, version: int = 1) -> bytes:
        """Sound in G.711 A-law at this port, with further lines behind it."""
        return describe(self.address, *lines, version=version)

    def say(self, description: bytes, sound: bytes) -> None:
        """Send one packet to where a description wants it."""
        self._sequence += 1
        self._send(description, Packet(PCMA, self._sequence, 160 * self._sequence, self.address[1], sound))

    def press(self, description: bytes, key: str) -> None:
        """Send a key as `describe(KEYS)` announced it: six packets of one event (RFC 4733 §2.5.1.4)."""
        self._sequence += 1
        began, ends = 160 * self._sequence, (0, 0, 0, 0x80, 0x80, 0x80)
        for at, end in enumerate(ends, 1):
            event = bytes([EVENTS.index(key), end | 10]) + (160 * min(at, 4)).to_bytes(2, "big")
            self._sequence += 1
            self._send(description, Packet(KEY_TYPE, self._sequence, began, self.address[1], event, at == 1))

    def _send(self, description: bytes, packet: Packet) -> None:
        (media,) = parse_sdp(description).media
        assert media.connection is not None
        assert media.connection.host is not None
        self._sock.sendto(bytes(packet), (media.connection.host, media.port))

    def hears(self) -> bytes:
        """The sound of the next packet; AssertionError when none comes."""
        try:
            return Packet.parse(self._sock.recv(2048)).payload
        except TimeoutError:
            msg = f"no sound came to {self.address}"
            raise AssertionError(msg) from None

    def heard(self) -> list[bytes]:
        """The sound of all packets that have come by now; it waits for none."""
        packets = []
        while select([self._sock], [], [], 0)[0]:
            packets.append(Packet.parse(self._sock.recv(2048)).payload)
        return packets

    def hears_at_last(self, sound: bytes) -> None:
        """As `hears`, behind the music that came while the phone was held."""
        while self.hears() != sound:
            pass


def describe(address: tuple[str, int], *lines: str, version: int = 1) -> bytes:
    """Sound in G.711 A-law at an address, with further lines behind it."""
    host, port = address
    where = f"IN IP6 {host}" if ":" in host else f"IN IP4 {host}"
    text = [
        *(
            "v=0",
            f"o=- 1 {version} {where}",
            "s=-",
            f"c={where}",
            "t=0 0",
            f"m=audio {port} RTP/AVP {PCMA}{f' {KEY_TYPE}' if KEYS in lines else ''}",
        ),
        *lines,
    ]
    return "".join(f"{line}\r\n" for line in text).encode()
