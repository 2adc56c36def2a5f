"""Header names: any case and the compact forms lead to one key.

RFC 3261 §7.3.1, §7.3.3, §20; the compact forms by their RFCs below.
"""

from __future__ import annotations

import re

from appliance.errors import PeerError

__all__ = ["COMPACT", "DISPLAY", "KEYS", "header_key", "is_token"]

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")

COMPACT = {
    "a": "accept-contact",  # RFC 3841
    "b": "referred-by",  # RFC 3892
    "c": "content-type",
    "d": "request-disposition",  # RFC 3841
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",  # RFC 3841
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",  # RFC 4474
    "o": "event",  # RFC 6665
    "r": "refer-to",  # RFC 3515
    "s": "subject",
    "t": "to",
    "u": "allow-events",  # RFC 6665
    "v": "via",
    "x": "session-expires",  # RFC 4028
    "y": "identity",  # RFC 8224
}

_NAMES = """
Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info
Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length
Content-Type CSeq Date Diversion Error-Info Event Expires Flow-Timer From History-Info Identity Identity-Info
In-Reply-To Join Max-Forwards Min-Expires Min-SE MIME-Version Organization P-Access-Network-Info
P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Preferred-Identity Path Priority Privacy
Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info Refer-Sub Refer-To
Referred-By Reject-Contact Remote-Party-ID Replaces Reply-To Request-Disposition Require Retry-After Route RSeq
Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog
Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate
"""

DISPLAY = {name.lower(): name for name in _NAMES.split()}
"The spelling we write for each key we know."

KEYS: dict[str, str] = {}
"The usual spellings of the names we know; `header_key` knows all of them."
for _key, _name in DISPLAY.items():
    KEYS.update({_name: _key, _key: _key, _name.upper(): _key, _name.title(): _key})
for _letter, _key in COMPACT.items():
    KEYS.update({_letter: _key, _letter.upper(): _key})


def is_token(text: str) -> bool:
    """Whether `text` is a token of §25.1: a method, a header's name, a parameter's name."""
    return _TOKEN.fullmatch(text) is not None


def header_key(name: str) -> str:
    """The one key of a header's name as somebody wrote it; PeerError 400 when it can be no name."""
    known = KEYS.get(name)
    if known is not None:
        return known
    # §25.1: HCOLON allows white space before the colon.
    key = name.rstrip(" \t").lower()
    if not is_token(key):
        raise PeerError(400, "Malformed Header Name")
    return COMPACT.get(key, key)
