"""Keys that phones send by INFO, in place of RTP: `application/dtmf-relay` and `application/dtmf`.

Neither has an RFC; the first is Cisco's (`Signal=5`, `Duration=160`), the second has the key alone.
"""

from __future__ import annotations

__all__ = ["key_in"]

import re
from typing import TYPE_CHECKING

from appliance.media.keys import KEYS

if TYPE_CHECKING:
    from appliance.call.events import Asked

SIGNAL = re.compile(r"^\s*signal\s*=\s*(\S+)", re.IGNORECASE | re.MULTILINE)


def key_in(asked: Asked) -> str:
    """The key that was pressed: one of 0-9 * # A-D; empty when it says none."""
    content = asked.content
    if asked.kind != "INFO" or content is None:
        return ""
    text = content.body.decode("ascii", "replace")
    match content.kind.partition(";")[0].strip().lower():
        case "application/dtmf-relay":
            found = SIGNAL.search(text)
            signal = "" if found is None else found[1]
        case "application/dtmf":
            signal = text.strip()
        case _:
            return ""
    # Some phones send the number of the event (RFC 4733 §3.2) for what is no digit.
    key = {"10": "*", "11": "#"}.get(signal, signal.upper())
    return key if len(key) == 1 and key in KEYS else ""
