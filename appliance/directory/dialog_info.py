"""Lamps as XML: `application/dialog-info+xml`.

RFC 4235 §4; XML 1.0 §2.2 for what may stand in it at all.
"""

from __future__ import annotations

__all__ = ["CONTENT_TYPE", "dialog_info"]

import re
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from appliance.sip.message import Uri
from appliance.sip.transport.own_address import USER_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.directory.lamps import Lamp, Party

CONTENT_TYPE = "application/dialog-info+xml"
NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
ANONYMOUS = "sip:anonymous@anonymous.invalid"
"RFC 3323 §4.1.1.3."

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_OCTET = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"Half a character that stands for no octet of the wire either (PEP 383 takes U+DC80 to U+DCFF)."


def dialog_info(entity: Uri, version: int, lamps: Iterable[Lamp]) -> bytes:
    """The whole state of `entity`, in the `version`th document of its subscription, counted from 0.

    All numbers are given as that subscriber reaches them: at the host of `entity`.
    """
    root = Element(
        "dialog-info",
        {"xmlns": NAMESPACE, "version": str(version), "state": "full", "entity": _clean(str(entity))},
    )
    for lamp in lamps:
        _add(root, lamp, entity)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(root: Element, lamp: Lamp, entity: Uri) -> None:
    attributes = {"id": lamp.id}
    if lamp.names is not None:
        attributes["call-id"] = _clean(lamp.names.call_id)
        attributes["local-tag"] = _clean(lamp.names.local_tag)
        attributes["remote-tag"] = _clean(lamp.names.remote_tag)
    attributes["direction"] = "initiator" if lamp.initiator else "recipient"
    dialog = SubElement(root, "dialog", attributes)
    SubElement(dialog, "state").text = lamp.state.value
    for side, party in (("local", lamp.here), ("remote", lamp.there)):
        _add_party(SubElement(dialog, side), party, entity)


def _add_party(side: Element, party: Party, entity: Uri) -> None:
    uri = _uri(party.number, entity) if party.number else ANONYMOUS
    display = {"display": _clean(party.display)} if party.display else {}
    SubElement(side, "identity", display).text = uri
    # §4.1.6: where it can be called is by way of us; the phone's own address concerns nobody else.
    SubElement(side, "target", {"uri": uri})


def _uri(number: str, entity: Uri) -> str:
    user = quote(_NO_OCTET.sub("\ufffd", number), safe=USER_MARKS, errors="surrogateescape")
    return _clean(str(Uri(entity.scheme, user, None, entity.host, entity.port)))


def _clean(text: str) -> str:
    """A peer may write what no XML can hold, escaped or not."""
    return _NO_XML.sub("\ufffd", text)
