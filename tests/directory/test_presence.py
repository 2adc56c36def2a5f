"""appliance/directory/presence.py: what is told of whom, and when. RFC 3856, RFC 3863, RFC 4480."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.directory.presence import Availability, Presence, pidf
from appliance.errors import PeerError
from appliance.sip.message import Uri
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import Playbook
from tests.call.watcher import Watcher

PIDF = "{urn:ietf:params:xml:ns:pidf}"
ACTIVITIES = ".//{urn:ietf:params:xml:ns:pidf:rpid}activities/*"
ENTITY = Uri.sip("102", "192.0.2.1")


def read(document: bytes) -> tuple[str, list[str]]:
    """`open` or `closed`, and what else somebody does."""
    root = fromstring(document)
    assert root.tag == PIDF + "presence"
    basic = root.findtext(f"{PIDF}tuple/{PIDF}status/{PIDF}basic")
    return basic or "", [each.tag.partition("}")[2] for each in root.iterfind(ACTIVITIES)]


@pytest.mark.parametrize(
    ("availability", "seen"),
    [
        (Availability.AWAY, ("closed", [])),
        (Availability.FREE, ("open", [])),
        (Availability.ON_THE_PHONE, ("open", ["on-the-phone"])),
        (Availability.BUSY, ("open", ["busy"])),
    ],
)
def test_how_it_is_written(availability: Availability, seen: tuple[str, list[str]]) -> None:
    document = pidf(ENTITY, availability)
    assert read(document) == seen
    assert fromstring(document).get("entity") == "sip:102@192.0.2.1"
    assert fromstring(document).findtext(f"{PIDF}tuple/{PIDF}contact") == "sip:102@192.0.2.1"
    # baresip knows no namespaces.
    assert (b"<rpid:on-the-phone />" in document) == (availability is Availability.ON_THE_PHONE)
    assert (b"<rpid:busy />" in document) == (availability is Availability.BUSY)


@given(st.text(st.characters(codec=None)))
@example("\ud800\udcff")
def test_any_number_makes_xml(number: str) -> None:
    assert read(pidf(Uri("sip", number, None, "192.0.2.1", None), Availability.FREE))[0] == "open"


class Reception:
    """One who watches, and how the others stand."""

    def __init__(self) -> None:
        self.book = Playbook()
        self.notifier = Notifier(self.book.endpoint, lambda each: self.book.verify(each.request))
        self.stands: dict[str, Availability] = {"102": Availability.AWAY}
        self.presence = Presence(self.notifier, self.stands.get)
        self.alice = self.book.phone("101")
        self.watcher = Watcher(self.book, self.alice, "102", event="presence")

    def set(self, availability: Availability) -> None:
        self.stands["102"] = availability
        self.presence.changed("102")

    def sees(self) -> tuple[str, list[str]]:
        return read(self.watcher.hears().encode())


def test_a_change_is_told_once_and_not_too_often() -> None:
    reception = Reception()
    book = reception.book
    assert read(reception.watcher.begin().encode()) == ("closed", [])
    book.waits(5)
    reception.set(Availability.FREE)
    assert reception.sees() == ("open", [])
    reception.set(Availability.FREE)
    reception.set(Availability.ON_THE_PHONE)
    book.quiet()
    book.waits(5)
    assert reception.sees() == ("open", ["on-the-phone"])
    reception.presence.gone("102")
    reception.watcher.hears("terminated;reason=noresource")
    assert len(reception.notifier) == 0


def test_nobody_is_told_of_what_nobody_watches() -> None:
    reception = Reception()
    reception.set(Availability.FREE)
    reception.book.quiet()
    assert reception.presence._shown == {}
    with pytest.raises(PeerError, match="404"):
        reception.presence.accept("101", Uri.sip("109", "192.0.2.1"))
