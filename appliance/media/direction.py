"""Who sends and who receives: the directions of descriptions, mirrored, limited, and written.

RFC 3264 §6.1 (what an answer may say), §8.4 (hold); RFC 2543 §B.5 (hold by the address 0.0.0.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.sdp import DIRECTIONS, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.sdp import Direction, Media

__all__ = ["is_held", "limited", "mirrored", "with_direction", "without_direction"]

SENDING = ("sendrecv", "sendonly")
RECEIVING = ("sendrecv", "recvonly")


def mirrored(direction: Direction) -> Direction:
    """The same seen from the other end."""
    return _direction(sends=direction in RECEIVING, receives=direction in SENDING)


def limited(wanted: Direction, offered: Direction) -> Direction:
    """What an answerer that wants `wanted` may say to an offer of `offered`: §6.1."""
    allowed = mirrored(offered)
    return _direction(
        sends=wanted in SENDING and allowed in SENDING,
        receives=wanted in RECEIVING and allowed in RECEIVING,
    )


def is_held(media: Media) -> bool:
    """Whether the side that describes `media` so does not listen."""
    unspecified = media.connection is not None and media.connection.unspecified
    return media.direction not in RECEIVING or unspecified


def without_direction(lines: Sequence[Line]) -> tuple[Line, ...]:
    """`lines` without their direction attributes and without blank lines, each with an end of its own."""
    return tuple(
        Line(line.letter, line.value, line.end or "\r\n")
        for line in lines
        if line.letter and not (line.letter == "a" and line.value in DIRECTIONS)
    )


def with_direction(lines: Sequence[Line], direction: Direction) -> tuple[Line, ...]:
    """A section's `lines` with that direction, and no other."""
    return (*without_direction(lines), Line("a", direction, lines[0].end or "\r\n"))


def _direction(*, sends: bool, receives: bool) -> Direction:
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"
