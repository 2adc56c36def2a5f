"""What others wrote, as it may stand in XML that phones read: XML 1.0 §2.2."""

from __future__ import annotations

__all__ = ["address_of", "xml_text"]

import re
from urllib.parse import quote

from appliance.sip.message import Uri
from appliance.sip.transport.own_address import USER_MARKS

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_OCTET = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"Half a character that stands for no octet of the wire either (PEP 383 takes U+DC80 to U+DCFF)."


def xml_text(text: str) -> str:
    """A peer may write what no XML can hold, escaped or not."""
    return _NO_XML.sub("\ufffd", text)


def address_of(number: str, entity: Uri) -> str:
    """A number as a subscriber reaches it: at the host of `entity`."""
    user = quote(_NO_OCTET.sub("\ufffd", number), safe=USER_MARKS, errors="surrogateescape")
    return xml_text(str(Uri(entity.scheme, user, None, entity.host, entity.port)))
