"""Two parties that both made an offer are joined: what each is told is the other's offer, cut down to what they share.

RFC 3264 §6 (answers), RFC 4568 §5.1.2 (one a=crypto of those offered), RFC 8842 (why DTLS cannot be joined so).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.media.direction import limited, with_direction, without_direction
from appliance.media.formats import TELEPHONE_EVENT, Format, formats_of, number_of
from appliance.media.sdp import Description, Line, Media, parse_sdp
from appliance.media.sections import find_attribute, print_sections, rejected, times_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["common_part"]

NO_SOUND = (TELEPHONE_EVENT, Format("CN"), Format("RED"))
"What goes along with sound and is none."
OFFERER_ONLY = frozenset({"extmap", "rtcp-mux", "rtcp-mux-only", "rtcp-rsize"})
"What an answer may say only if the offer did. The relay needs none of it."
REPLACED = frozenset({"mid", "crypto", *OFFERER_ONLY})


def common_part(offer: bytes, other: bytes) -> bytes:
    """What answers `offer` when the other party's own offer is `other`.

    Lines of the same kind and transport are taken for each other in their order; formats keep `other`'s numbers.
    PeerError 400 or 488 for descriptions that cannot be read; 488 when they have no sound in common.
    """
    offered, others = parse_sdp(offer), parse_sdp(other)
    left = list(others.media)
    sections = [_section(media, left) for media in offered.media]
    if not any(sections[at] and media.kind == "audio" for at, media in enumerate(offered.media)):
        raise PeerError(488, "Not Acceptable Here")
    answered = [section or rejected(media) for section, media in zip(sections, offered.media, strict=True)]
    return print_sections(_session(offered, others), answered)


def _session(offered: Description, others: Description) -> tuple[Line, ...]:
    kept = [
        line
        for line in without_direction(others.session)
        if line.letter not in ("t", "r") and line.attribute not in ("group", "setup", "fingerprint")
    ]
    # §5: t= stands before the session's attributes.
    head = [line for line in kept if line.letter in "voisuepcb"]
    return (*head, *times_of(offered.session), *(line for line in kept if line not in head))


def _section(offered: Media, left: list[Media]) -> tuple[Line, ...]:
    """What answers one line, by the first of the other's lines that fits, which is taken out of `left`."""
    for other in left:
        section = _reduced(offered, other) if _is_counterpart(offered, other) else ()
        if section:
            left.remove(other)
            return section
    return ()


def _is_counterpart(offered: Media, other: Media) -> bool:
    if offered.rejected or other.rejected or offered.kind != other.kind:
        return False
    # Who offers DTLS leaves it to the other to begin, and so do both here: nobody would.
    return _profile(offered) == _profile(other) and not offered.is_dtls


def _profile(media: Media) -> str:
    """The transport without RFC 4585's feedback, which nobody has to send."""
    return media.proto.upper().removesuffix("F") if media.is_rtp else media.proto.upper()


def _reduced(offered: Media, other: Media) -> tuple[Line, ...]:
    known = set(formats_of(offered).values())
    formats = {number: each for number, each in formats_of(other).items() if each in known}
    if not any(each not in NO_SOUND for each in formats.values()):
        return ()
    crypto = _common_crypto(offered, other)
    if other.is_encrypted and not crypto:
        return ()
    mid = find_attribute(offered, "mid")
    port = other.lines[0].value.split()[1]
    lines = [
        other.lines[0].with_value(f"{other.kind} {port} {offered.proto} {' '.join(formats)}"),
        *(line for line in other.lines[1:] if _is_kept(line, formats)),
        *(Line("a", value, "\r\n") for value in (f"mid:{mid}" if mid else "", crypto) if value),
    ]
    return with_direction(lines, limited(other.direction, offered.direction))


def _is_kept(line: Line, formats: dict[str, Format]) -> bool:
    if line.letter != "a":
        return True
    number = number_of(line.value)
    # rtcp-fb:* speaks of all formats
    return line.attribute not in REPLACED and (not number or number == "*" or number in formats)


def _common_crypto(offered: Media, other: Media) -> str:
    """The key by which `other` sends, under the offer's tag; empty when they share no suite.

    Both sides must be told the same suite: the one that stands foremost in both lists together.
    """
    offers, others = _suites(offered), _suites(other)
    shared = [suite for suite in others if suite in offers]
    if not shared:
        return ""
    best = min(shared, key=lambda suite: (list(offers).index(suite) + list(others).index(suite), suite))
    return f"crypto:{offers[best][0]} {' '.join(others[best][1:])}"


def _suites(media: Media) -> dict[str, Sequence[str]]:
    """The a=crypto lines by their suite: tag, suite, keys and parameters. The first of a suite stands."""
    found: dict[str, Sequence[str]] = {}
    for line in media.lines:
        fields = line.value.partition(":")[2].split() if line.attribute == "crypto" else []
        if len(fields) > 2:
            found.setdefault(fields[1], fields)
    return found
