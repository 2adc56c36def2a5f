"""The parts that descriptions of our own are put together from.

RFC 3264 §5, §6 (s=, t=, refused media), RFC 8866 §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.media.sdp import Description, Line, Media

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "HOST",
    "PORT",
    "find_attribute",
    "print_sections",
    "rejected",
    "session_of",
    "times_of",
    "with_lines_of",
]

HOST = "192.0.2.1"  # RFC 5737: documentation only, should it ever get out unreplaced
PORT = 9  # RFC 863: thrown away, likewise
END = "\r\n"


def print_sections(session: Sequence[Line], sections: Iterable[Sequence[Line]]) -> bytes:
    """Session lines and sections as bytes. Blank lines at a phone's end of a description are left out."""
    lines = [line for part in (session, *sections) for line in part if line.letter]
    return "".join(f"{line.letter}={line.value}{END}" for line in lines).encode("utf-8", "surrogateescape")


def session_of(offer: Description | None) -> tuple[Line, ...]:
    """The session lines of an answer to `offer`, or of an offer of our own. `describe` gives the session its number."""
    times = times_of(offer.session) if offer else ()
    head = [("v", "0"), ("o", f"- 1 1 IN IP4 {HOST}"), ("s", "-"), ("c", f"IN IP4 {HOST}")]
    return (*(Line(letter, value, END) for letter, value in head), *(times or (Line("t", "0 0", END),)))


def times_of(session: Sequence[Line]) -> tuple[Line, ...]:
    """The t= lines, which an answer repeats: RFC 3264 §6."""
    return tuple(line for line in session if line.letter == "t")


def rejected(media: Media) -> tuple[Line, ...]:
    """The section that refuses `media`: RFC 3264 §6. Some format must be named, though it means nothing."""
    formats = " ".join(media.formats) or "0"
    return (Line("m", f"{media.kind} 0 {media.proto} {formats}", END),)


def with_lines_of(description: Description, known: Sequence[Media]) -> Description:
    """`description` for somebody whose session has the m= lines `known`; as it is where there is no session yet.

    RFC 3264 §8: a session never has fewer lines than before, and §6: an answer has as many as its offer. Parties that were
    joined later may have more or fewer: those that are missing are refused, and refused ones too many are left out.
    """
    media = list(description.media)
    if not known or len(media) == len(known):
        return description
    media += [msgspec.structs.replace(each, lines=rejected(each), port=0) for each in known[len(media) :]]
    while len(media) > len(known) and media[-1].rejected:
        media.pop()
    return Description(description.session, tuple(media))


def find_attribute(media: Media, name: str) -> str | None:
    """The value of the first `a=NAME:…`; None when there is none."""
    return next((line.value.partition(":")[2] for line in media.lines if line.attribute == name), None)
