"""Numbers in URIs."""

from __future__ import annotations

__all__ = ["escaped"]

from urllib.parse import quote

from appliance.sip.transport.own_address import USER_MARKS


def escaped(number: str) -> str:
    """A number as the user part of a URI (RFC 3261 §19.1.2): it may be a stranger's, who writes what he likes."""
    return quote(number, safe=USER_MARKS)
