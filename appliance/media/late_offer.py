"""Two offers made into two answers: the caller has offered, and the callee does so too, for it got no offer from us.

RFC 3264 §6 (what an answer has of an offer), §6.1 (directions); RFC 3725 §4.1 for the ways of whoever stands between the two.
"""

from __future__ import annotations

__all__ = ["as_answer"]

import msgspec

from appliance.errors import PeerError
from appliance.media.codecs import codec_names, with_formats
from appliance.media.sdp import DIRECTIONS, Description, Direction, Line, Media

BESIDE_SOUND = frozenset({"telephone-event/8000", "cn/8000"})
SENDS, RECEIVES = frozenset({"sendrecv", "sendonly"}), frozenset({"sendrecv", "recvonly"})


def as_answer(own: Description, other: Description) -> Description:
    """What `own`, made as an offer, says in answer to `other`: as many m= lines, with what both sides know.

    PeerError 488 when there is no common medium at all.
    """
    media = tuple(
        _answer(own.media[at] if at < len(own.media) else None, offered)
        for at, offered in enumerate(other.media)
    )
    if all(each.rejected for each in media):
        raise PeerError(488, "Not Acceptable Here")
    return Description(own.session, media)


def _answer(own: Media | None, offered: Media) -> Media:
    if own is None or own.rejected or offered.rejected:
        return _refused(offered)
    if (own.kind, own.proto.upper()) != (offered.kind, offered.proto.upper()):
        return _refused(offered)
    names, known = codec_names(own), set(codec_names(offered).values())
    common = tuple(each for each in own.formats if names[each] in known)
    if not any(names[each] not in BESIDE_SOUND for each in common):
        return _refused(offered)
    return _directed(with_formats(own, common), _direction(own.direction, offered.direction))


def _refused(offered: Media) -> Media:
    m = Line("m", f"{offered.kind} 0 {offered.proto} {' '.join(offered.formats)}", "\r\n")
    return msgspec.structs.replace(offered, lines=(m,), port=0, rtcp=None, rtcp_mux=False)


def _direction(own: Direction, offered: Direction) -> Direction:
    sends = own in SENDS and offered in RECEIVES
    receives = own in RECEIVES and offered in SENDS
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def _directed(media: Media, direction: Direction) -> Media:
    if direction == media.direction:
        return media
    lines = [each for each in media.lines if each.attribute not in DIRECTIONS]
    lines.append(Line("a", direction, media.lines[0].end))
    return msgspec.structs.replace(media, lines=tuple(lines), direction=direction)
