"""Keys that somebody presses, out of RTP: named telephone events (RFC 4733 §2.3, §2.5).

An event is sent in many packets, which all bear the timestamp of its beginning. It is told once, with the first of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.formats import TELEPHONE_EVENT, formats_of
from appliance.media.rtp import HEADER_OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.media.sdp import Media

__all__ = ["KEYS", "KeyReader", "event_numbers"]

KEYS = "0123456789*#ABCD"
"§3.2: by the number of the event."
EVENT_OCTETS = 4
CSRC_OCTETS = 4
LAST_STATIC = 34
"RFC 3551 §6: up to here a payload type has a meaning of its own, and none of them is keys. Nearly all sound is below."
EXTENSION_BIT = 0x10


def event_numbers(media: Iterable[Media]) -> frozenset[int]:
    """The payload types that stand for keys in these m= lines."""
    return frozenset(
        int(number)
        for each in media
        if each.kind == "audio" and each.is_rtp
        for number, encoding in formats_of(each).items()
        if encoding == TELEPHONE_EVENT and number.isdigit()
    )


class KeyReader:
    """Of one stream."""

    __slots__ = ("_find", "_last", "_numbers", "_on_key")

    def __init__(self, on_key: Callable[[str], None], find: Callable[[], frozenset[int]]) -> None:
        """`find` gives the payload types that stand for keys. It is asked when the first packet comes that may be one."""
        self._on_key = on_key
        self._find = find
        self._numbers: frozenset[int] | None = None
        self._last: bytes | None = None  # the SSRC and timestamp of the event that was told last

    def forget(self) -> None:
        """Another description holds: its numbers may be others."""
        self._numbers = None

    @property
    def heard(self) -> bool:
        """Whether a key was told."""
        return self._last is not None

    def read(self, packet: bytes) -> None:
        """Any packet of the stream that has a whole RTP header."""
        if len(packet) < HEADER_OCTETS or packet[1] & 0x7F <= LAST_STATIC:
            return
        if self._numbers is None:
            self._numbers = self._find()
        if packet[1] & 0x7F not in self._numbers:
            return
        # A header with an extension is one that no telephone sends with an event: it is not worth reading.
        start = HEADER_OCTETS + CSRC_OCTETS * (packet[0] & 0x0F)
        if packet[0] & EXTENSION_BIT or len(packet) < start + EVENT_OCTETS or packet[start] >= len(KEYS):
            return
        event = packet[4:HEADER_OCTETS]
        if event != self._last:
            self._last = event
            self._on_key(KEYS[packet[start]])
