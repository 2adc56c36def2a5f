"""What the formats of an m= line mean: encoding name, clock and channels behind each payload number.

RFC 8866 §6.6 (a=rtpmap), RFC 3551 §6 (numbers that need none).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from appliance.media.sdp import Media

__all__ = ["PCMA", "PCMU", "TELEPHONE_EVENT", "Format", "formats_of", "number_of"]


class Format(msgspec.Struct, frozen=True, gc=False):
    """One encoding, whatever number stands for it."""

    name: str
    "In capitals; for a medium that is not RTP, the format as it is written."
    clock_hz: int = 8000
    channels: int = 1


PCMU = Format("PCMU")
PCMA = Format("PCMA")
TELEPHONE_EVENT = Format("TELEPHONE-EVENT")

STATIC = {
    "0": PCMU,
    "3": Format("GSM"),
    "4": Format("G723"),
    "5": Format("DVI4"),
    "6": Format("DVI4", 16_000),
    "7": Format("LPC"),
    "8": PCMA,
    "9": Format("G722"),  # a clock of 8000 by an old mistake that stands: RFC 3551 §4.5.2
    "10": Format("L16", 44_100, 2),
    "11": Format("L16", 44_100),
    "12": Format("QCELP"),
    "13": Format("CN"),
    "14": Format("MPA", 90_000),
    "15": Format("G728"),
    "16": Format("DVI4", 11_025),
    "17": Format("DVI4", 22_050),
    "18": Format("G729"),
    "26": Format("JPEG", 90_000),
    "31": Format("H261", 90_000),
    "32": Format("MPV", 90_000),
    "33": Format("MP2T", 90_000),
    "34": Format("H263", 90_000),
}
UNNAMED_CLOCK = 0  # a number without a=rtpmap and without a meaning of its own is equal to itself only


def formats_of(media: Media) -> dict[str, Format]:
    """The formats of an m= line in its order. One whose a=rtpmap cannot be read is known by its number alone."""
    named = _named(media) if media.is_rtp else {}
    return {
        number: named.get(number) or STATIC.get(number) or Format(number, UNNAMED_CLOCK)
        if media.is_rtp
        else Format(number, UNNAMED_CLOCK)
        for number in media.formats
    }


def number_of(line_value: str) -> str:
    """The payload number that an attribute `rtpmap:N …`, `fmtp:N …` or `rtcp-fb:N …` speaks of; empty for others."""
    name, _, rest = line_value.partition(":")
    if name not in ("rtpmap", "fmtp", "rtcp-fb"):
        return ""
    return rest.split(maxsplit=1)[0] if rest.strip() else ""


def _named(media: Media) -> dict[str, Format]:
    named: dict[str, Format] = {}
    for line in media.lines:
        if line.attribute != "rtpmap":
            continue
        fields = line.value.partition(":")[2].split()
        encoding = _encoding(fields[1]) if len(fields) > 1 else None
        if encoding is not None:
            named.setdefault(fields[0], encoding)
    return named


def _encoding(text: str) -> Format | None:
    # §6.6: <encoding name>/<clock rate>[/<encoding parameters>], which for audio are the channels
    name, *numbers = text.split("/")
    if (
        not name
        or not 1 <= len(numbers) <= 2
        or not all(each.isascii() and each.isdigit() for each in numbers)
    ):
        return None
    if any(len(each) > 9 for each in numbers):
        return None
    clock_hz, channels = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 1
    return Format(name.upper(), clock_hz, channels)
