"""What a leg's peer can be played: on which of its lines, by which law of G.711, under which number.

RFC 3264 §6.1, §7 (each side's numbers are what it wants to get; whoever holds wants nothing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from appliance.media.direction import is_held
from appliance.media.formats import PCMA, PCMU, formats_of

if TYPE_CHECKING:
    from appliance.media.g711 import Law
    from appliance.media.sdp import Media

__all__ = ["Playable", "find_playable"]

LAWS: dict[object, Law] = {PCMA: "PCMA", PCMU: "PCMU"}


class Playable(NamedTuple):
    """How to play to a peer."""

    line: int
    "The position of the m= line."
    payload_type: int
    "0 to 127, by the peer's own numbers."
    law: Law


def find_playable(told: tuple[Media, ...], expected: tuple[Media, ...]) -> Playable | None:
    """The first line of what the peer said (`expected`) that takes sound at present; None when there is none.

    Of its formats those are better that it was told of as well: it may have given up the others.
    """
    for line, media in enumerate(expected):
        ours = told[line] if line < len(told) else None
        if not _takes_sound(media, ours):
            continue
        numbers = {number: each for number, each in formats_of(media).items() if each in LAWS}
        agreed = set(formats_of(ours).values()) if ours else set()
        best = min(numbers, key=lambda number: numbers[number] not in agreed, default=None)
        if best is not None:
            return Playable(line, int(best), LAWS[numbers[best]])
    return None


def _takes_sound(media: Media, ours: Media | None) -> bool:
    if media.kind != "audio" or media.rejected or is_held(media) or not media.is_rtp:
        return False
    if ours is not None and (ours.rejected or (_has_keys(ours) and _has_keys(media))):
        return False
    return not media.is_encrypted


def _has_keys(media: Media) -> bool:
    # RTP/AVP with a=crypto on both sides is encrypted all the same: an offer of RFC 4568 that left it open
    return any(line.attribute == "crypto" for line in media.lines)
