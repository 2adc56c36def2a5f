"""Lamps as XML: `application/dialog-info+xml`.

RFC 4235 §4.
"""

from __future__ import annotations

__all__ = ["CONTENT_TYPE", "dialog_info"]

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from appliance.directory.xml_text import address_of, xml_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.directory.lamps import Lamp, Party
    from appliance.sip.message import Uri

CONTENT_TYPE = "application/dialog-info+xml"
NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
ANONYMOUS = "sip:anonymous@anonymous.invalid"
"RFC 3323 §4.1.1.3."


def dialog_info(entity: Uri, version: int, lamps: Iterable[Lamp]) -> bytes:
    """The whole state of `entity`, in the `version`th document of its subscription, counted from 0.

    All numbers are given as that subscriber reaches them: at the host of `entity`.
    """
    root = Element(
        "dialog-info",
        {"xmlns": NAMESPACE, "version": str(version), "state": "full", "entity": xml_text(str(entity))},
    )
    for lamp in lamps:
        _add(root, lamp, entity)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(root: Element, lamp: Lamp, entity: Uri) -> None:
    attributes = {"id": lamp.id}
    if lamp.names is not None:
        attributes["call-id"] = xml_text(lamp.names.call_id)
        attributes["local-tag"] = xml_text(lamp.names.local_tag)
        attributes["remote-tag"] = xml_text(lamp.names.remote_tag)
    attributes["direction"] = "initiator" if lamp.initiator else "recipient"
    dialog = SubElement(root, "dialog", attributes)
    SubElement(dialog, "state").text = lamp.state.value
    for side, party in (("local", lamp.here), ("remote", lamp.there)):
        _add_party(SubElement(dialog, side), party, entity)


def _add_party(side: Element, party: Party, entity: Uri) -> None:
    uri = address_of(party.number, entity) if party.number else ANONYMOUS
    display = {"display": xml_text(party.display)} if party.display else {}
    SubElement(side, "identity", display).text = uri
    # §4.1.6: where it can be called is by way of us; the phone's own address concerns nobody else.
    target = SubElement(side, "target", {"uri": uri})
    if not party.renders:
        # §4.1.6, RFC 4235's own feature tag: by this a lamp tells a talk from one that somebody holds.
        SubElement(target, "param", {"pname": "+sip.rendering", "pval": "no"})
