"""One leg's session description retold to the other leg, with our addresses and ports in it.

RFC 3264 §5, §8 (versions, addresses), RFC 3605 (a=rtcp), RFC 8839 (what ICE adds), RFC 9143 (BUNDLE).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.media.sdp import Description, Line, Media

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Origin", "PortPair", "rewrite"]

# What a relay in the middle takes out: candidates are addresses that would lead around it.
ICE_ATTRIBUTES = frozenset({
    "candidate", "end-of-candidates", "remote-candidates",
    "ice-ufrag", "ice-pwd", "ice-options", "ice-lite", "ice-mismatch", "ice-pacing",
})  # fmt: skip


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What we put into o= (RFC 8866 §5.2): the peer's own user name and address stay behind."""

    session_id: int
    version: int


class PortPair(msgspec.Struct, frozen=True, gc=False):
    """The ports of one m= line: RTP even, RTCP the odd one above."""

    rtp: int
    rtcp: int


def rewrite(
    description: Description, host: str, ports: Sequence[PortPair | None], origin: Origin
) -> Description:
    """`description` with `host` and `ports`, one entry an m= line; None refuses that medium."""
    address = f"IN {'IP6' if ':' in host else 'IP4'} {host}"
    session = tuple(
        line.with_value(f"- {origin.session_id} {origin.version} {address}")
        if line.letter == "o"
        else _rewrite_connection(line, address)
        for line in description.session
        if _is_kept(line)
    )
    media = tuple(
        _rewrite_media(each, address, pair) for each, pair in zip(description.media, ports, strict=True)
    )
    return Description(session, media)


def _rewrite_media(media: Media, address: str, pair: PortPair | None) -> Media:
    lines = [_rewrite_m(media, pair)]
    for line in media.lines[1:]:
        if not _is_kept(line):
            continue
        if media.rtcp is not None and pair is not None and line.attribute == "rtcp":
            lines.append(_rewrite_rtcp(line, media, address, pair))
        else:
            lines.append(_rewrite_connection(line, address))
    return Media(
        lines=tuple(lines),
        kind=media.kind,
        port=pair.rtp if pair else 0,
        proto=media.proto,
        formats=media.formats,
        connection=media.connection,
        direction=media.direction,
        rtcp=media.rtcp,
        rtcp_mux=media.rtcp_mux,
    )


def _rewrite_m(media: Media, pair: PortPair | None) -> Line:
    line = media.lines[0]
    if media.rejected:
        return line
    # A number of ports after the slash is left out: the relay has one pair for a medium.
    fields = [media.kind, str(pair.rtp if pair else 0), media.proto, *media.formats]
    return line.with_value(" ".join(fields))


def _rewrite_connection(line: Line, address: str) -> Line:
    if line.letter != "c":
        return line
    host = line.value.split()[-1]
    if host == "0.0.0.0":  # RFC 2543's hold must arrive as a hold
        return line.with_value("IN IP6 ::" if " IP6 " in address else line.value)
    if host == "::":
        return line.with_value(line.value if " IP6 " in address else "IN IP4 0.0.0.0")
    return line.with_value(address)


def _rewrite_rtcp(line: Line, media: Media, address: str, pair: PortPair) -> Line:
    if media.rtcp is None:
        return line
    # RFC 5761 §5.1.1: with rtcp-mux the two ports may be written as one.
    port = pair.rtp if media.rtcp.port == media.port else pair.rtcp
    has_address = len(line.value.split()) > 1
    return line.with_value(f"rtcp:{port} {address}" if has_address else f"rtcp:{port}")


def _is_kept(line: Line) -> bool:
    name = line.attribute
    if name in ICE_ATTRIBUTES:
        return False
    # Each m= line has ports of its own here, so they cannot be bundled on the first one's.
    return not (name == "group" and line.value.startswith("group:BUNDLE"))
