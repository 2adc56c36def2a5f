"""One UDP port of a leg: whose packets may come in, and where packets go out to.

RFC 3550 §5.1, §6.4 (what RTP and RTCP look like), RFC 4961 (symmetric RTP), RFC 7362 (latching, and its dangers).

The first plausible packet from a host that this leg's peer may use fixes ("latches") the source. From then on
nothing else is let in, until the peer's own description names another address.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.media.rtp import HEADER_OCTETS, is_rtcp
from appliance.media.seam import Heard

if TYPE_CHECKING:
    from appliance.media.keys import KeyReader
    from appliance.media.ports import DatagramSocket
    from appliance.media.seam import Seam

__all__ = ["RELATCH_PACKETS", "Announced", "Carries", "Stream"]

# After a new address was announced, packets from the old one still pass, some being on their way. After this many
# of them (a second of sound) the peer evidently goes on sending from there, as behind a NAT: latch it again.
RELATCH_PACKETS = 50

COMFORT_NOISE = 13  # RFC 3389: sent by some phones without having been named


class Carries(Enum):
    """What travels through a port."""

    RTP = auto()
    DTLS_RTP = auto()
    RTCP = auto()
    DTLS_RTCP = auto()
    DATAGRAMS = auto()


class Announced(msgspec.Struct, frozen=True, gc=False):
    """What the peer's description says about this port's other end."""

    target: tuple[str, int] | None
    "Where the peer wants packets; None when that is nowhere we would send to."
    hosts: frozenset[str]
    "The hosts that packets may come from."
    held: bool
    "The peer wants nothing at present: port 0, or the address 0.0.0.0."


class Stream:
    """One UDP port. `other` is the port of the other leg that what comes in here goes out from."""

    __slots__ = (
        "_announced", "_countdown", "_former", "_hosts", "_is_strict", "_sendto", "_source", "_target", "carries",
        "dropped", "heard", "held", "keys", "last", "last_packet_at", "octets", "other", "other_rtcp", "own", "packets",
        "payload_types", "recvfrom", "seam", "unsent",
    )  # fmt: skip

    def __init__(
        self, socket: DatagramSocket, carries: Carries, hosts: frozenset[str], own: set[Any]
    ) -> None:
        self.recvfrom = socket.recvfrom
        self._sendto = socket.sendto
        self._hosts = hosts
        self._announced: tuple[str, int] | None = None
        self._source: Any = None
        self._former: Any = None
        self._countdown = 0
        self._target: Any = None
        self.own = own
        "The relay's own addresses, kept up to date by it: a packet from one of them would go round for ever."
        self.payload_types: frozenset[int] = frozenset()
        "What a first packet may carry; empty while nothing was said."
        self.held = False
        self.other: Stream | Seam | None = None
        self.other_rtcp: Stream | None = None
        "Where RTCP that comes in on an RTP port (RFC 5761) goes out from."
        self.packets = self.octets = self.dropped = self.unsent = 0
        self.last = b""
        "What came in last."
        self.last_packet_at: float | None = None
        self.heard: Heard | None = None
        "What this port's peer heard last from whom it was parted from."
        self.seam: Seam | None = None
        "Makes one stream of all that the peer hears, once it has heard more than one."
        self.keys: KeyReader | None = None
        "Listens for keys that are pressed, if anybody wants to know of them."
        self.carry(carries)

    @property
    def source(self) -> tuple[str, int] | None:
        """The latched source; None before."""
        return None if self._source is None else self._source[:2]

    @property
    def target(self) -> tuple[str, int] | None:
        """Where packets go at present."""
        return None if self._target is None else self._target[:2]

    def carry(self, carries: Carries) -> None:
        self.carries = carries
        self._is_strict = carries in (Carries.RTP, Carries.RTCP)

    def announce(self, announced: Announced) -> None:
        """Take what the peer's description says. Another address than before may be latched anew."""
        self._hosts = announced.hosts
        self.held = announced.held
        if not announced.held and announced.target != self._announced:
            self._announced = announced.target
            self._former = self._source or self._former
            self._source = None
            self._countdown = RELATCH_PACKETS
        self._aim()

    def receive(self, data: bytes, source: Any, now: float) -> None:
        """Count one datagram and pass it on, or drop it."""
        # The usual packet costs two comparisons here; everything else is decided in _admit.
        if (
            source != self._source or not data or (self._is_strict and data[0] & 0xC0 != 0x80)
        ) and not self._admit(data, source):
            self.dropped += 1
            return
        self.packets += 1
        self.octets += len(data)
        self.last = data
        self.last_packet_at = now
        if self.keys is not None:
            self.keys.read(data)
        other = self.other
        if other is None:
            return
        if self.other_rtcp is not None and is_rtcp(data):
            self.other_rtcp.send(data)
            return
        other.send(data)

    def lead_to(self, port: Stream | None, *, sewn: bool = True) -> None:
        """Let what comes in here from now on go out from `port`, by way of its seam, if it has one and `sewn`."""
        former, self.other = self.other, port
        if isinstance(former, Stream):
            if former is not port and self.last_packet_at is not None:
                former.heard = Heard(id(self), self.last, self.last_packet_at)
        elif former is not None and former.feeder is self:
            former.feeder = None
        if sewn and port is not None and port.seam is not None:
            port.seam.feeder = self
            self.other = port.seam

    def send(self, data: bytes) -> None:
        """Send to this leg's peer, or count what could not be sent."""
        if self._target is None:
            self.unsent += 1
            return
        try:
            self._sendto(data, self._target)
        except OSError:  # no route, a full buffer, a broadcast address: media is never sent twice
            self.unsent += 1

    def _admit(self, data: bytes, source: Any) -> bool:
        if not data or (source != self._source and self._source is not None):
            return False
        if source == self._source:
            return not self._is_strict
        address = source[:2]
        if address[0] not in self._hosts or address in self.own or not self._is_plausible(data):
            return False
        if source == self._former and address != self._announced and self._countdown > 0:
            self._countdown -= 1
            return True
        self._source = source
        self._aim()
        return True

    def _is_plausible(self, data: bytes) -> bool:
        if self.carries in (Carries.DTLS_RTP, Carries.DTLS_RTCP) and 20 <= data[0] <= 63:  # RFC 7983 §7: DTLS
            return True
        match self.carries:
            case Carries.RTP | Carries.DTLS_RTP:
                return self._is_rtp(data)
            case Carries.RTCP | Carries.DTLS_RTCP:
                return is_rtcp(data)
            case Carries.DATAGRAMS:
                return True

    def _is_rtp(self, data: bytes) -> bool:
        if len(data) < HEADER_OCTETS or data[0] & 0xC0 != 0x80 or is_rtcp(data):
            return False
        payload_type = data[1] & 0x7F
        return not self.payload_types or payload_type in self.payload_types or payload_type == COMFORT_NOISE

    def _aim(self) -> None:
        self._target = None if self.held else self._source or self._announced
