"""Which m= lines of two joined legs belong together.

RFC 3264 §6, §8: within a session lines keep their places. Two parties that called each other have the same ones; two that
both made an offer, and were joined later (call pick-up), may have them in another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.media.sdp import Media

    Lines = tuple[tuple[Media, ...], tuple[Media, ...]]
    "What a peer was told, and what it said."

__all__ = ["opposite"]


def opposite(ours: Lines, theirs: Lines) -> tuple[int | None, ...]:
    """For each of our lines its place on the other side, None for those without; empty: each at its own place.

    The first live audio line belongs to the first live audio line, the second to the second, and so with each kind.
    """
    if _kinds(ours) == _kinds(theirs) or not any(ours) or not any(theirs):
        return ()
    places = {key: at for at, key in enumerate(_keys(theirs)) if key is not None}
    return tuple(None if key is None else places.get(key) for key in _keys(ours))


def _kinds(lines: Lines) -> list[tuple[str, str]]:
    return [(media.kind, media.proto) for media in _longer(lines)]


def _keys(lines: Lines) -> list[tuple[str, int] | None]:
    seen: dict[str, int] = {}
    keys: list[tuple[str, int] | None] = []
    for at, media in enumerate(_longer(lines)):
        if any(at < len(side) and side[at].rejected for side in lines):
            keys.append(None)
            continue
        keys.append((media.kind, seen.setdefault(media.kind, 0)))
        seen[media.kind] += 1
    return keys


def _longer(lines: Lines) -> tuple[Media, ...]:
    told, said = lines
    return told if len(told) > len(said) else said
