"""appliance/directory/busy_lamps.py: who may watch what, what is told and what is not. RFC 4235 §3.

Not tested here: the lamps of calls (tests/call/test_extension_lamps.py).
"""

from __future__ import annotations

import pytest

from appliance.directory.busy_lamps import BusyLamps
from appliance.directory.lamps import Lamp, LampState, Party
from appliance.errors import PeerError
from appliance.sip.message import Uri
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import Phone, Playbook
from tests.call.watcher import Watcher

CALLER = Party("+49 30 1", 'A "b" <c> & \x07')
PARKED = Lamp("p1", LampState.CONFIRMED, initiator=False, here=Party("701"), there=CALLER)


class Park:
    """A feature with numbers of its own."""

    def __init__(self, book: Playbook) -> None:
        self.notifier = Notifier(book.endpoint, lambda each: book.verify(each.request))
        self.lamps = BusyLamps(self.notifier)
        self.slots: dict[str, tuple[Lamp, ...]] = {"701": (), "702": ()}
        self.lamps.serve({"800": ()}.get)
        self.lamps.serve(self.slots.get)

    def show(self, number: str, *lamps: Lamp) -> None:
        self.slots[number] = lamps
        self.lamps.changed(number)


@pytest.fixture
def book() -> Playbook:
    return Playbook()


@pytest.fixture
def park(book: Playbook) -> Park:
    return Park(book)


@pytest.fixture
def carol(book: Playbook) -> Phone:
    return book.phone("103", "Carol")


def test_numbers_that_are_no_extensions(book: Playbook, park: Park, carol: Phone) -> None:
    lamp = Watcher(book, carol, "701")
    assert lamp.looks().dialogs == ()
    park.show("701")
    book.quiet()
    park.show("701", PARKED)
    seen = lamp.sees().only
    assert (seen.state, seen.direction, seen.names) == ("confirmed", "recipient", None)
    assert (seen.remote, seen.remote_name) == ("sip:+49%2030%201@192.0.2.1", 'A "b" <c> & \ufffd')
    # Every document says all there is, and what is over once more.
    book.waits(1)
    park.show("701")
    assert lamp.sees().states == ["terminated"]
    book >> lamp.subscribe(600) << carol.gets(200)
    assert lamp.sees().dialogs == ()


def test_a_number_that_is_gone(book: Playbook, park: Park, carol: Phone) -> None:
    lamp = Watcher(book, carol, "701")
    lamp.looks()
    del park.slots["701"]
    park.lamps.gone("701")
    lamp.sees("terminated;reason=noresource")
    assert len(park.notifier) == 0
    with pytest.raises(PeerError) as refusal:
        park.lamps.accept("103", Uri.sip("701", "192.0.2.1"))
    assert refusal.value.status == 404


def test_nobody_is_told_of_what_nobody_watches(book: Playbook, park: Park, carol: Phone) -> None:
    Watcher(book, carol, "701").looks()
    park.show("702", PARKED)
    book.quiet()
    assert park.lamps._shown.keys() == {"701"}


def test_one_that_comes_after_the_others_have_gone(book: Playbook, park: Park, carol: Phone) -> None:
    """What the others were told last says nothing about what this one was told first."""
    lamp = Watcher(book, carol, "701")
    lamp.looks()
    book >> lamp.subscribe(0) << carol.gets(200)
    lamp.sees("terminated;reason=timeout")
    park.slots["701"] = (PARKED,)
    lamp = Watcher(book, carol, "701")
    assert lamp.looks().states == ["confirmed"]
    park.show("701")
    assert lamp.sees().states == ["terminated"]
    book >> lamp.subscribe(0) << carol.gets(200)
    lamp.sees()
    park.show("701", PARKED)
    assert park.lamps._shown == {}


def test_who_may_watch_what(book: Playbook, park: Park, carol: Phone) -> None:
    book >> Watcher(book, carol, "999").subscribe() << carol.gets(404)
    book >> Watcher(book, carol, "701").subscribe(Authorization="none") << carol.gets(401)
    pidf = {"Accept": "application/pidf+xml"}
    (
        book
        >> Watcher(book, carol, "701").subscribe(600, **pidf)
        << carol.gets(406, "Accept: application/dialog-info+xml")
    )
    book >> Watcher(book, carol, "701", "presence").subscribe() << carol.gets(489, "Allow-Events: dialog")
    assert len(park.notifier) == 0
