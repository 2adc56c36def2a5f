"""Descriptions that the exchange makes itself: it answers an offer, makes one, or holds somebody for somebody else.

RFC 3264 §5, §6, §8.4 (offers, answers, hold), RFC 4733 §2.4.1 (keys), RFC 4568 §5.1 (a=crypto).

Addresses and ports in here are placeholders: `LegMedia.describe` puts in those of the leg that a description goes to.
`common_part` stands in media/common_part.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.media.common_part import common_part
from appliance.media.direction import is_held, limited, mirrored, with_direction, without_direction
from appliance.media.formats import PCMA, PCMU, TELEPHONE_EVENT, Format, formats_of
from appliance.media.sdp import Line, Media, parse_sdp
from appliance.media.sections import HOST, PORT, find_attribute, print_sections, rejected, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PLAYABLE", "answer_to", "common_part", "fitted", "held", "holds", "offer_anew", "own_offer"]

PLAYABLE = (PCMA, PCMU)
"What we can play and record, best first."
KEYS = "0-15"  # RFC 4733 §3.2: the digits, *, # and A to D
OWN_EVENT_NUMBER = "101"  # any of 96 to 127 would do; this is what nearly everybody takes
PTIME_MS = 20


def answer_to(offer: bytes, playable: Sequence[Format] = PLAYABLE) -> bytes:
    """The answer of an end of our own: the first audio that we can play is accepted, anything else refused.

    PeerError 400 for an offer that cannot be read, 488 when nothing in it can be played, which is so for encrypted
    sound as well.
    """
    described = parse_sdp(offer)
    accepted = next((media for media in described.media if _common(media, playable)), None)
    if accepted is None:
        raise PeerError(488, "Not Acceptable Here")
    sections = [
        _accept(media, _common(media, playable)) if media is accepted else rejected(media)
        for media in described.media
    ]
    return print_sections(session_of(described), sections)


def own_offer() -> bytes:
    """An offer of our own, for calls that the exchange makes itself."""
    formats = {"8": PCMA, "0": PCMU, OWN_EVENT_NUMBER: TELEPHONE_EVENT}
    return print_sections(session_of(None), [_section("RTP/AVP", formats, None, "sendrecv")])


def offer_anew(said: bytes) -> bytes:
    """What somebody said earlier, perhaps while holding or held, as a full offer in their name.

    PeerError 400 or 488 for a description that cannot be read.
    """
    described = parse_sdp(said)
    session = _reachable(without_direction(described.session))
    return print_sections(session, [_reachable(without_direction(each.lines)) for each in described.media])


def held(said: bytes) -> bytes:
    """What somebody who holds said, with hold music in mind: whom they hold goes on listening.

    PeerError 400 or 488 for a description that cannot be read.
    """
    described = parse_sdp(said)
    sections = [
        _reachable(with_direction(each.lines, "sendonly"))
        if _is_live_audio(each) and is_held(each)
        else each.lines
        for each in described.media
    ]
    return print_sections(_reachable(described.session), sections)


def holds(said: bytes) -> bool:
    """Whether somebody who said this holds the other side: they listen on no audio line.

    PeerError 400 or 488 for a description that cannot be read; nothing said, or no audio, is no hold.
    """
    audio = [each for each in parse_sdp(said).media if _is_live_audio(each)] if said else []
    return bool(audio) and all(is_held(each) for each in audio)


def fitted(answer: bytes, offer: bytes) -> bytes:
    """`answer`, which was made for another offer than `offer`, with directions that `offer` allows: RFC 3264 §6.1.

    What a holder with `a=inactive` must be told, while whom it holds answered `held`'s sendonly by recvonly.
    PeerError 400 or 488 for a description that cannot be read.
    """
    offered = parse_sdp(offer).media
    described = parse_sdp(answer)
    sections = [
        with_direction(each.lines, limited(each.direction, offered[at].direction))
        if at < len(offered)
        else each.lines
        for at, each in enumerate(described.media)
    ]
    return print_sections(without_direction(described.session), sections)


def _common(media: Media, playable: Sequence[Format]) -> dict[str, Format]:
    """The formats of `media` that an end of our own takes, keys included; empty when none of them is sound."""
    if not _is_live_audio(media) or not media.is_rtp or media.is_encrypted:
        return {}
    common = {
        number: each for number, each in formats_of(media).items() if each in (*playable, TELEPHONE_EVENT)
    }
    return common if any(each in playable for each in common.values()) else {}


def _accept(media: Media, formats: dict[str, Format]) -> tuple[Line, ...]:
    return _section(media.proto, formats, find_attribute(media, "mid"), mirrored(media.direction))


def _section(proto: str, formats: dict[str, Format], mid: str | None, direction: str) -> tuple[Line, ...]:
    attributes = [f"mid:{mid}"] if mid else []
    for number, each in formats.items():
        event = each == TELEPHONE_EVENT
        attributes.append(f"rtpmap:{number} {'telephone-event' if event else each.name}/{each.clock_hz}")
        if event:
            attributes.append(f"fmtp:{number} {KEYS}")
    attributes += [f"ptime:{PTIME_MS}", direction]
    values = [("m", f"audio {PORT} {proto} {' '.join(formats)}"), *(("a", each) for each in attributes)]
    return tuple(Line(letter, value, "\r\n") for letter, value in values)


def _is_live_audio(media: Media) -> bool:
    return media.kind == "audio" and not media.rejected


def _reachable(lines: Sequence[Line]) -> tuple[Line, ...]:
    """`lines` with an address in place of 0.0.0.0 or ::, which would hold: RFC 2543 §B.5."""
    unspecified = ("IN IP4 0.0.0.0", "IN IP6 ::")
    return tuple(
        line.with_value(f"IN IP4 {HOST}") if line.letter == "c" and line.value in unspecified else line
        for line in lines
    )
