"""Session descriptions: bytes to values and back, every line kept as it came.

RFC 8866 (grammar), RFC 3264 (port 0, directions), RFC 3605 (a=rtcp), RFC 5761 (a=rtcp-mux).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from typing import Literal

import msgspec

from appliance.errors import PeerError

__all__ = [
    "DIRECTIONS",
    "MAX_LINES",
    "MAX_MEDIA",
    "MAX_OCTETS",
    "Connection",
    "Description",
    "Direction",
    "Line",
    "Media",
    "Rtcp",
    "parse_sdp",
]

MAX_OCTETS = 32_768  # a browser's offer of audio and video with every codec is about 10,000
MAX_LINES = 1_024  # the same offer has about 300
HOST_CACHE = (
    1_024  # addresses of phones, some 200 octets each; reading one takes longer than the rest of its line
)
FORMATS_CACHE = 64  # what phones offer: few ever differ, and 32 kB is the longest that a description can hold
MAX_MEDIA = 16  # each takes two UDP ports on both legs; a video call with slides has 3 or 4

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line. A blank one, which some phones put at the end, has an empty letter."""

    letter: str
    value: str
    end: str
    "The line's own end: CR LF, LF, or nothing on a last line without one."

    def __str__(self) -> str:
        return f"{self.letter}={self.value}{self.end}" if self.letter else self.end

    @property
    def attribute(self) -> str:
        """The name of an a= line; empty for any other line."""
        return self.value.partition(":")[0] if self.letter == "a" else ""

    def with_value(self, value: str) -> Line:
        return Line(self.letter, value, self.end)


class Connection(msgspec.Struct, frozen=True, gc=False):
    """What a c= line says: §5.7."""

    host: str | None
    "An IP address in its usual spelling, without a zone; None for a host name, which is never looked up."

    @property
    def unspecified(self) -> bool:
        """Whether this is 0.0.0.0 or ::, the hold of RFC 2543."""
        return self.host in ("0.0.0.0", "::")  # compared with, not bound to


class Rtcp(msgspec.Struct, frozen=True, gc=False):
    """What a=rtcp says (RFC 3605)."""

    port: int
    host: str | None
    "None when the line names no address, or one that is a host name."


class Media(msgspec.Struct, frozen=True, gc=False):
    """One m= section."""

    lines: tuple[Line, ...]
    "The section's lines; the first is the m= line."
    kind: str
    port: int
    "0 to 65535; 0 refuses the medium (RFC 3264 §6)."
    proto: str
    formats: tuple[str, ...]
    connection: Connection | None
    "The section's own c=, or the session's."
    direction: Direction
    rtcp: Rtcp | None
    rtcp_mux: bool

    @property
    def rejected(self) -> bool:
        return self.port == 0

    @property
    def is_rtp(self) -> bool:
        """RTP over UDP, plain, encrypted, or with DTLS."""
        parts = self._proto_parts
        return "RTP" in parts and "TCP" not in parts

    @property
    def is_dtls(self) -> bool:
        """RTP whose keys are agreed by DTLS on the same port (RFC 5764)."""
        return self.is_rtp and "TLS" in self._proto_parts

    @property
    def is_encrypted(self) -> bool:
        """RTP that is encrypted, by whatever keys (RFC 3711)."""
        return any(part.startswith("SAVP") for part in self._proto_parts)

    @property
    def is_datagrams(self) -> bool:
        """Whether the medium travels in UDP at all."""
        return "TCP" not in self._proto_parts

    @property
    def payload_types(self) -> frozenset[int]:
        """RTP's payload types named on the m= line, 0 to 127."""
        if not self.is_rtp:
            return frozenset()
        return _payload_types(self.formats)

    @property
    def _proto_parts(self) -> frozenset[str]:
        return _split_proto(self.proto)


@lru_cache(FORMATS_CACHE)
def _payload_types(formats: tuple[str, ...]) -> frozenset[int]:
    return frozenset(int(each) for each in formats if _is_number(each, 127))


@lru_cache(FORMATS_CACHE)
def _split_proto(proto: str) -> frozenset[str]:
    return frozenset(proto.upper().split("/"))


class Description(msgspec.Struct, frozen=True, gc=False):
    """A whole description. `bytes(parse_sdp(data)) == data`."""

    session: tuple[Line, ...]
    media: tuple[Media, ...]

    def __bytes__(self) -> bytes:
        sections = (self.session, *(media.lines for media in self.media))
        lines = [
            f"{line.letter}={line.value}{line.end}" if line.letter else line.end
            for section in sections
            for line in section
        ]
        return "".join(lines).encode("utf-8", "surrogateescape")


@lru_cache(1)  # each is read for both legs of a call, one right after the other
def parse_sdp(data: bytes) -> Description:
    """The description in `data`.

    PeerError 400 when it breaks the grammar, 488 when it asks for what cannot be had here.
    """
    if len(data) > MAX_OCTETS:
        raise PeerError(488, "Session Description Too Large")
    sections = _split_sections(_split_lines(data.decode("utf-8", "surrogateescape")))
    session = sections[0]
    if not session or (session[0].letter, session[0].value) != ("v", "0"):
        raise PeerError(400, "Session Description Without v=0")
    if not any(line.letter == "o" for line in session):
        raise PeerError(400, "Session Description Without o=")
    if len(sections) - 1 > MAX_MEDIA:
        raise PeerError(488, "Too Many Media")
    connection = _connection(session)
    direction = _direction(session, "sendrecv")
    media = tuple(_parse_media(lines, connection, direction) for lines in sections[1:])
    return Description(session, media)


def _split_lines(text: str) -> list[Line]:
    # §5: lines end in CRLF; a bare LF is to be taken too. str.splitlines would also cut at other characters.
    pieces = text.split("\n")
    if len(pieces) > MAX_LINES:
        raise PeerError(488, "Session Description Too Long")
    lines = [_parse_line(piece, "\n") for piece in pieces[:-1]]
    if pieces[-1]:
        lines.append(_parse_line(pieces[-1], ""))
    return lines


def _parse_line(piece: str, end: str) -> Line:
    if piece.endswith("\r"):
        piece, end = piece[:-1], "\r" + end
    if not piece:
        return Line("", "", end)
    if piece[1:2] != "=" or not (piece[0].isascii() and piece[0].isalpha()):
        raise PeerError(400, "Malformed Session Description")
    return Line(piece[0], piece[2:], end)


def _split_sections(lines: list[Line]) -> list[tuple[Line, ...]]:
    starts = [at for at, line in enumerate(lines) if line.letter == "m"]
    cuts = [0, *starts, len(lines)]
    return [tuple(lines[start:end]) for start, end in pairwise(cuts)]


def _parse_media(lines: tuple[Line, ...], session: Connection | None, direction: Direction) -> Media:
    # §5.14: m=<media> <port>[/<number of ports>] <proto> <fmt> ...
    fields = lines[0].value.split()
    if len(fields) < 3:
        raise PeerError(400, "Malformed m= Line")
    port = _number(fields[1].partition("/")[0], "Malformed m= Line")
    connection = _connection(lines) or session
    if port and connection is None:
        raise PeerError(400, "Session Description Without c=")
    return Media(
        lines=lines,
        kind=fields[0],
        port=port,
        proto=fields[2],
        formats=tuple(fields[3:]),
        connection=connection,
        direction=_direction(lines, direction),
        rtcp=_rtcp(lines),
        rtcp_mux=any(line == "rtcp-mux" for line in _attributes(lines)),
    )


def _attributes(lines: tuple[Line, ...]) -> list[str]:
    return [line.value for line in lines if line.letter == "a"]


def _connection(lines: tuple[Line, ...]) -> Connection | None:
    # More than one c= in a section is for layered multicast only: the first stands.
    value = next((line.value for line in lines if line.letter == "c"), None)
    if value is None:
        return None
    fields = value.split()
    if len(fields) != 3:
        raise PeerError(400, "Malformed c= Line")
    if fields[0].upper() != "IN" or fields[1].upper() not in ("IP4", "IP6"):
        raise PeerError(488, "Network Type Not Supported")
    return Connection(_host(fields[2].partition("/")[0]))


def _direction(lines: tuple[Line, ...], default: Direction) -> Direction:
    named = set(_attributes(lines))
    return next((each for each in DIRECTIONS if each in named), default)


def _rtcp(lines: tuple[Line, ...]) -> Rtcp | None:
    # RFC 3605 §2.1: a=rtcp:<port> [<nettype> <addrtype> <connection-address>]
    value = next((each[5:] for each in _attributes(lines) if each.startswith("rtcp:")), None)
    if value is None:
        return None
    fields = value.split()
    if not fields:
        raise PeerError(400, "Malformed a=rtcp Line")
    port = _number(fields[0], "Malformed a=rtcp Line")
    return Rtcp(port, _host(fields[3]) if len(fields) > 3 else None)


@lru_cache(HOST_CACHE)
def _host(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A zone after `%` (RFC 4007) means something on the peer's machine only.
    return None if "%" in text else str(address)


def _is_number(text: str, highest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= highest


def _number(text: str, complaint: str) -> int:
    if not _is_number(text, 65_535):
        raise PeerError(400, complaint)
    return int(text)
