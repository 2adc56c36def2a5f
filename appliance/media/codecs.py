"""A session description with G.711 alone: what every carrier takes, also one that stumbles over more.

RFC 3551 §6 (payload types 0, 8 and 13), RFC 4733 (keys), RFC 8866 §6.6 (rtpmap) and §6.15 (fmtp).
"""

from __future__ import annotations

__all__ = ["beyond_g711", "codec_names", "only_g711", "with_formats"]

import msgspec

from appliance.media.sdp import Description, Media

G711 = frozenset({"pcmu/8000", "pcma/8000"})
KEPT = G711 | {"telephone-event/8000", "cn/8000"}
"Beside sound itself: keys, and comfort noise."

STATIC = {
    "0": "pcmu/8000", "3": "gsm/8000", "4": "g723/8000", "8": "pcma/8000", "9": "g722/8000", "13": "cn/8000",
    "15": "g728/8000", "18": "g729/8000",
}  # fmt: skip
"Those that sound is sent by without an rtpmap."

PER_FORMAT = frozenset({"rtpmap", "fmtp", "rtcp-fb"})
"Attributes that begin with a payload type."


def only_g711(description: Description) -> Description:
    """The same with G.711 alone, where there is any; the m= lines keep their number and place."""
    return Description(description.session, tuple(map(_cut, description.media)))


def beyond_g711(description: Description) -> bool:
    """Whether `only_g711` makes a difference."""
    return any(_cut(media) is not media for media in description.media)


def codec_names(media: Media) -> dict[str, str]:
    """By payload type: name and clock rate, in small letters; a format that says neither stands for itself."""
    names = {each: STATIC.get(each, each) for each in media.formats}
    for line in media.lines:
        if line.attribute == "rtpmap":
            kind, _, name = line.value.partition(":")[2].strip().partition(" ")
            if kind in names:
                # One channel is what no number of channels means.
                names[kind] = name.strip().lower().removesuffix("/1")
    return names


def with_formats(media: Media, kept: tuple[str, ...]) -> Media:
    """The same with these of its formats alone, one or more."""
    m, *rest = media.lines
    head = m.value.split()[:3]
    lines = [m.with_value(" ".join([*head, *kept]))]
    for line in rest:
        of = line.value.partition(":")[2].split(" ", 1)[0]
        if line.attribute not in PER_FORMAT or of in kept or of == "*":
            lines.append(line)
    return msgspec.structs.replace(media, lines=tuple(lines), formats=kept)


def _cut(media: Media) -> Media:
    if media.rejected or media.kind != "audio" or not media.is_rtp:
        return media
    names = codec_names(media)
    kept = tuple(each for each in media.formats if names[each] in KEPT)
    if kept == media.formats or not any(names[each] in G711 for each in kept):
        return media
    return with_formats(media, kept)
