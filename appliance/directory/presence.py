"""Presence: the event package by which softphones, and some desk phones, show whether somebody can be called.

RFC 3856, PIDF (RFC 3863, RFC 4479) with RPID (RFC 4480). It says what lamps say, as far as those phones can read it.
"""

from __future__ import annotations

__all__ = ["CONTENT_TYPE", "Availability", "Presence", "pidf"]

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from appliance.directory.xml_text import address_of, xml_text
from appliance.errors import PeerError
from appliance.sip.dialog.subscription import Lifetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.message import Uri
    from appliance.sip.subscriptions import Notifier

CONTENT_TYPE = "application/pidf+xml"
NAMESPACES = {
    "xmlns": "urn:ietf:params:xml:ns:pidf",
    "xmlns:dm": "urn:ietf:params:xml:ns:pidf:data-model",
    "xmlns:rpid": "urn:ietf:params:xml:ns:pidf:rpid",
}
"""With these very prefixes: baresip looks for `<rpid:`, and knows no namespaces."""


class Availability(Enum):
    """How a number stands."""

    AWAY = "away"
    "None of its phones is registered."
    FREE = "free"
    BUSY = "busy"
    "It wants no calls now. Texts arrive."
    ON_THE_PHONE = "on-the-phone"
    "It rings, or somebody talks there."


class Presence:
    """Who is there, and who watches that."""

    name = "presence"
    content_type = CONTENT_TYPE
    lifetime = Lifetime()  # RFC 3856 §6.4: an hour
    pace = 5.0  # §6.10
    "Seconds."

    def __init__(self, notifier: Notifier, look: Callable[[str], Availability | None]) -> None:
        """`look` tells how a number stands; None: there is none."""
        self._notifier = notifier
        self._look = look
        self._shown: dict[str, Availability] = {}  # of numbers that somebody watches
        notifier.serve(self)

    def changed(self, number: str) -> None:
        """A number may stand otherwise than before: whoever watches it is told, if so."""
        if not self._notifier.is_watched(self.name, number):
            self._shown.pop(number, None)
            return
        now = self._look(number) or Availability.AWAY
        if now is not self._shown.get(number):
            self._shown[number] = now
            self._notifier.notify(self.name, number)

    def gone(self, number: str) -> None:
        """There is no such number any more."""
        self._shown.pop(number, None)
        self._notifier.terminate(self.name, number, "noresource")

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        """§6.6: every extension may watch every number, as with lamps. PeerError 404 when there is no such number."""
        del subscriber
        number = resource.number or ""
        now = self._look(number)
        if now is None:
            raise PeerError(404, "Not Found")
        if not self._notifier.is_watched(self.name, number):
            self._shown[number] = now
        return partial(self._say, resource)

    def _say(self, entity: Uri, _full: bool) -> bytes:  # the shape that packages have
        return pidf(entity, self._look(entity.number or "") or Availability.AWAY)


def pidf(entity: Uri, availability: Availability) -> bytes:
    """The document about `entity`."""
    number = entity.number or ""
    root = Element("presence", {**NAMESPACES, "entity": xml_text(str(entity))})
    sip = SubElement(root, "tuple", {"id": "sip"})
    # RFC 3863 §4.1.4: open means that somebody is there. Who talks can be called, and who is busy reads texts.
    basic = "closed" if availability is Availability.AWAY else "open"
    SubElement(SubElement(sip, "status"), "basic").text = basic
    SubElement(sip, "contact").text = address_of(number, entity)
    person = SubElement(root, "dm:person", {"id": "person"})
    if availability in (Availability.ON_THE_PHONE, Availability.BUSY):
        SubElement(SubElement(person, "rpid:activities"), f"rpid:{availability.value}")
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document
