"""The media of one leg of a call: its ports, what its peer was told, and what its peer said.

RFC 3264 §8 (m= lines keep their place; a changed description has a higher version), RFC 3605, RFC 5761.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from appliance.errors import LocalError
from appliance.media.codecs import only_g711
from appliance.media.keys import KeyReader, event_numbers
from appliance.media.opposite import opposite
from appliance.media.outlet import Playable, find_playable
from appliance.media.rewrite import Origin, rewrite
from appliance.media.sdp import HOST_CACHE, Description, Media, parse_sdp
from appliance.media.seam import Seam, place_of
from appliance.media.sections import with_lines_of
from appliance.media.stream import Announced, Carries, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.ports import Reserved
    from appliance.media.seam import Place

__all__ = ["LegMedia", "LegStatistics", "StreamPair", "Streams"]

BROADCAST = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class LegStatistics:
    """What came in from one leg's peer, all its ports together."""

    packets: int
    octets: int
    "Without IP and UDP headers."
    dropped: int
    "Packets that were not let in: a wrong source, or no RTP."
    unsent: int
    "Packets for this peer that could not be sent, for want of an address or by the network's refusal."
    last_packet_at: float | None
    "Seconds on the exchange's clock."


@dataclass(slots=True)
class StreamPair:
    """The two ports of one m= line."""

    reserved: Reserved
    rtp: Stream
    rtcp: Stream
    mux: bool = False
    "Whether the peer takes RTCP on the RTP port (RFC 5761)."

    def carry(self, media: Media) -> None:
        if not media.is_rtp:
            kinds = Carries.DATAGRAMS, Carries.DATAGRAMS
        elif media.is_dtls:
            kinds = Carries.DTLS_RTP, Carries.DTLS_RTCP
        else:
            kinds = Carries.RTP, Carries.RTCP
        self.rtp.carry(kinds[0])
        self.rtcp.carry(kinds[1])


class Streams(Protocol):
    """What a leg asks of the relay."""

    def open_pair(self, local_host: str, hosts: frozenset[str]) -> StreamPair: ...
    def close_pair(self, local_host: str, pair: StreamPair) -> None: ...
    def is_own(self, address: tuple[str, int]) -> bool: ...


class LegMedia:
    """The RTP and RTCP ports that belong to one leg of a call. Made by `Relay.open_leg`."""

    def __init__(self, streams: Streams, local_host: str, peer_host: str, session_id: int) -> None:
        self._streams = streams
        self._local_host = local_host
        self._peer_host = peer_host
        self._origin = Origin(session_id, 1)
        self._described: bytes | None = None
        # One entry an m= line, by position. Ports once given to a position stay with it as long as the leg lives.
        self._pairs: list[StreamPair | None] = [streams.open_pair(local_host, frozenset({peer_host}))]
        self._told: tuple[Media, ...] = ()
        self._expected: tuple[Media, ...] = ()
        self._partner: LegMedia | None = None
        self._occupied = False
        self._on_key: Callable[[str], None] | None = None
        self._playable: Playable | None = None
        self._playable_known = False
        self.only_g711 = False
        "Whether the peer hears of no other codec."
        self._final: LegStatistics | None = None
        "What came in until the leg was closed."

    def describe(self, sdp: bytes) -> bytes:
        """The *other* leg's description with this leg's address and ports in it.

        PeerError 400 or 488 for a description that cannot be used, 503 when no port is left.
        """
        self._check_open()
        description = only_g711(parse_sdp(sdp)) if self.only_g711 else parse_sdp(sdp)
        description = with_lines_of(description, max(self._told, self._expected, key=len))
        self._told = description.media
        self._playable_known = False
        pairs = [self._pair_for(at, media) for at, media in enumerate(description.media)]
        for at in range(len(pairs)):
            self._announce(at)
        self._link_both()
        return self._print(description, pairs)

    def expect(self, sdp: bytes) -> None:
        """Take what this leg's own peer said: where its packets come from and want to go.

        PeerError 400 or 488 for a description that cannot be used.
        """
        self._check_open()
        self._expected = parse_sdp(sdp).media
        self._playable_known = False
        for at in range(len(self._pairs)):
            self._announce(at)
        self._link_both()

    @property
    def playable(self) -> Playable | None:
        """What the peer can be played at present; None when it wants nothing, or nothing that we can play."""
        if not self._playable_known:
            self._playable = find_playable(self._told, self._expected)
            self._playable_known = True
        return self._playable

    def play(self, packet: bytes) -> None:
        """Send an RTP packet of our own to the peer, on the line that `playable` names; nowhere when it names none."""
        playable = self.playable
        pair = self._pairs[playable.line] if playable and playable.line < len(self._pairs) else None
        if pair is not None:
            pair.rtp.send(packet)

    def listen(self, on_key: Callable[[str], None] | None) -> None:
        """Tell of each key that the peer presses (`media/keys`); None: of none any more."""
        self._on_key = on_key
        for at, pair in enumerate(self._pairs):
            if pair is not None:
                pair.rtp.keys = self._key_reader(at)

    @property
    def hears_keys(self) -> bool:
        """Whether the peer has pressed a key since `listen`."""
        return any(pair.rtp.keys is not None and pair.rtp.keys.heard for pair in self._pairs if pair)

    def occupy(self, occupied: bool) -> None:
        """Let what we play be all that the peer hears, or let the partner be heard again."""
        self._occupied = occupied
        self._link_both()

    @property
    def closed(self) -> bool:
        return self._final is not None

    @property
    def described(self) -> bytes:
        """What `describe` gave last; empty before."""
        return self._described or b""

    def statistics(self) -> LegStatistics:
        """What came in so far, or until the leg was closed."""
        if self._final is not None:
            return self._final
        packets = octets = dropped = unsent = 0
        last: float | None = None
        for stream in [stream for pair in self._pairs if pair for stream in (pair.rtp, pair.rtcp)]:
            packets += stream.packets
            octets += stream.octets
            dropped += stream.dropped
            unsent += stream.unsent
            if stream.last_packet_at is not None:
                last = stream.last_packet_at if last is None else max(last, stream.last_packet_at)
        return LegStatistics(packets, octets, dropped, unsent, last)

    def close(self) -> None:
        """Give the ports back. Closing twice is harmless."""
        if self._final is not None:
            return
        self._final = self.statistics()
        self.unlink()
        for pair in self._pairs:
            if pair:
                self._streams.close_pair(self._local_host, pair)
        self._pairs = []
        self._on_key = None  # a leg that outlives its call must not keep it alive
        self._told = self._expected = ()
        self._playable, self._playable_known = None, True

    def link(self, partner: LegMedia) -> None:
        """Pass on each m= line's packets to the same line of `partner`, and its packets to this leg."""
        if partner is self:
            raise LocalError("a leg cannot be joined to itself")
        self._check_open()
        partner._check_open()
        if self._partner is not partner:
            self.unlink()
            partner.unlink()
            self._partner, partner._partner = partner, self
        self._link_both()

    def unlink(self) -> None:
        """Pass nothing on any more, in either direction."""
        partner, self._partner = self._partner, None
        if partner is not None:
            partner._partner = None
            partner._link()
        self._link()

    def _pair_for(self, at: int, media: Media) -> StreamPair | None:
        if media.rejected or not media.is_datagrams:
            return None
        while len(self._pairs) <= at:
            self._pairs.append(None)
        pair = self._pairs[at]
        if pair is None:
            pair = self._streams.open_pair(self._local_host, frozenset({self._peer_host}))
            self._pairs[at] = pair
        pair.carry(media)
        return pair

    def _print(self, description: Description, pairs: list[StreamPair | None]) -> bytes:
        ports = [pair.reserved.ports if pair else None for pair in pairs]
        printed = bytes(rewrite(description, self._local_host, ports, self._origin))
        if self._described is not None and printed != self._described:
            # RFC 3264 §8: a changed description has the version one higher, an unchanged one the same.
            self._origin = Origin(self._origin.session_id, self._origin.version + 1)
            printed = bytes(rewrite(description, self._local_host, ports, self._origin))
        self._described = printed
        return printed

    def _announce(self, at: int) -> None:
        pair = self._pairs[at] if at < len(self._pairs) else None
        if pair is None:
            return
        if pair.rtp.keys is None:
            pair.rtp.keys = self._key_reader(at)
        else:
            pair.rtp.keys.forget()
        told = self._told[at].payload_types if at < len(self._told) else frozenset()
        if at >= len(self._expected):
            pair.rtp.payload_types = told
            return
        media = self._expected[at]
        pair.carry(media)
        pair.mux = media.rtcp_mux
        # The numbers are each side's own choice (RFC 3264 §5.1), and not every phone heeds the other's.
        pair.rtp.payload_types = told | media.payload_types
        rtp_host, rtcp_host, rtcp_port = _ends(media)
        held = media.rejected or (media.connection is not None and media.connection.unspecified)
        for stream, host, port in (
            (pair.rtp, rtp_host, media.port),
            (pair.rtcp, rtcp_host, rtcp_port),
        ):
            hosts = frozenset(each for each in (host, self._peer_host) if each)
            stream.announce(Announced(self._target(host, port), hosts, held))

    def _key_reader(self, at: int) -> KeyReader | None:
        return None if self._on_key is None else KeyReader(self._on_key, partial(self._key_numbers, at))

    def _key_numbers(self, at: int) -> frozenset[int]:
        # The numbers are each side's own choice, and not every phone heeds the other's.
        return event_numbers(each for side in (self._told, self._expected) for each in side[at : at + 1])

    def _target(self, host: str | None, port: int) -> tuple[str, int] | None:
        if not host or not 0 < port <= 65_535 or self._streams.is_own((host, port)):
            return None
        return (host, port) if _may_send(host, self._local_host) else None

    def _link_both(self) -> None:
        self._link()
        if self._partner is not None:
            self._partner._link()

    def _link(self) -> None:
        partner = self._partner
        others = partner._heard if partner else []
        places = opposite(self._lines, partner._lines) if partner else ()
        for at, pair in enumerate(self._pairs):
            if pair is None:
                continue
            place = places[at] if at < len(places) else at
            other = others[place] if place is not None and place < len(others) else None
            sewn = partner is not None and place is not None and partner._sew(place, pair.rtp)
            pair.rtp.lead_to(other.rtp if other else None, sewn=sewn)
            pair.rtp.other_rtcp = other.rtcp if other and not other.mux else None
            pair.rtcp.other = other.rtcp if other else None

    @property
    def _lines(self) -> tuple[tuple[Media, ...], tuple[Media, ...]]:
        return self._told, self._expected

    @property
    def _heard(self) -> list[StreamPair | None]:
        """The pairs that the partner's packets may go out from."""
        playable = self.playable if self._occupied else None
        if playable is None:
            return self._pairs
        return [None if at == playable.line else pair for at, pair in enumerate(self._pairs)]

    def _sew(self, line: int, source: Stream | None) -> bool:
        """Whether there is a seam, where the peer is to hear `source` now and has heard another one, in the same codec.

        Never where sound is encrypted: it is to arrive as it was sent.
        """
        playable = self.playable
        pair = self._pairs[line] if line < len(self._pairs) else None
        if pair is None or playable is None or playable.line != line:
            return False
        heard = pair.rtp.heard
        place = place_of(heard.data, playable.payload_type) if heard is not None else None
        if pair.rtp.seam is None and heard is not None and place is not None and heard.source != id(source):
            pair.rtp.seam = Seam(pair.rtp, playable.payload_type, place, heard.at)
        return pair.rtp.seam is not None

    def begin(self, drawn: Place, now: float) -> Place:
        """The place of the first packet of our own that is played from now on: `drawn`, if nothing was heard before."""
        playable = self.playable
        pair = self._pairs[playable.line] if playable and playable.line < len(self._pairs) else None
        if playable is None or pair is None:
            return drawn
        self._sew(playable.line, None)
        seam = pair.rtp.seam
        return drawn if seam is None or seam.payload_type != playable.payload_type else seam.next(now)

    def end(self, last: Place, now: float) -> None:
        """What was played was played until now; whoever is heard next goes on behind it."""
        playable = self.playable
        pair = self._pairs[playable.line] if playable and playable.line < len(self._pairs) else None
        if playable is None or pair is None:
            for each in self._pairs:
                if each is not None and each.rtp.seam is not None:
                    each.rtp.seam.note(last, now)
            return
        if pair.rtp.seam is None or pair.rtp.seam.payload_type != playable.payload_type:
            pair.rtp.seam = Seam(pair.rtp, playable.payload_type, last, now)
        pair.rtp.seam.note(last, now)

    def _check_open(self) -> None:
        if self._final is not None:
            raise LocalError("the leg's media is closed already")


def _ends(media: Media) -> tuple[str | None, str | None, int]:
    """The peer's RTP host, RTCP host and RTCP port."""
    host = media.connection.host if media.connection else None
    if media.rtcp is None:
        return host, host, media.port + 1
    return host, media.rtcp.host or host, media.rtcp.port


@lru_cache(HOST_CACHE)
def _may_send(host: str, local_host: str) -> bool:
    """Whether a description may make us send there: one machine, of our kind of IP, and not ourselves."""
    target, local = ip_address(host), ip_address(local_host)
    if target.version != local.version or target.is_multicast or target.is_unspecified or host == BROADCAST:
        return False
    return local.is_loopback or not target.is_loopback
