"""appliance/service/watching.py: who is removed, switched off or given another password, and the figures."""

from __future__ import annotations

import msgspec
import pytest

from appliance.call.exchange import Directory
from appliance.config.extension import Extension
from appliance.directory.message_counts import MessageCount
from appliance.service.watching import Watching
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import OFFER, Phone, Playbook
from tests.call.watcher import Watcher


class House:
    """An exchange whose extensions may be changed."""

    def __init__(self) -> None:
        self.book = Playbook()
        notifier = Notifier(self.book.endpoint, lambda each: self.book.verify(each.request))
        directory = Directory(self.book.extensions.get, self.book, self.book)
        self.watching = Watching(notifier, self.book.exchange, directory, self._find)

    def _find(self, number: str) -> Extension | None:
        extension = self.book.extensions.get(number)
        return extension if extension is not None and extension.enabled else None

    def set(self, number: str, **changes: object) -> None:
        self.book.extensions[number] = msgspec.structs.replace(self.book.extensions[number], **changes)
        self.follow()

    def follow(self) -> None:
        self.watching.follow(dict(self.book.extensions))

    @property
    def subscriptions(self) -> int:
        return self.watching.figures()["subscriptions"]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def alice(house: House) -> Phone:
    return house.book.phone("101")


@pytest.fixture
def bob(house: House) -> Phone:
    phone = house.book.phone("102")
    house.follow()
    return phone


def test_who_is_removed_is_watched_no_more(house: House, alice: Phone, bob: Phone) -> None:
    lamp = Watcher(house.book, alice, "102")
    lamp.looks()
    house.watching.messages.note("102", MessageCount(1))
    del house.book.extensions["102"]
    house.follow()
    lamp.sees("terminated;reason=noresource")
    assert (house.subscriptions, house.watching.messages.count("102")) == (0, MessageCount())
    house.book >> lamp.subscribe() << alice.gets(481)
    house.book >> Watcher(house.book, alice, "102").subscribe() << alice.gets(404)


def test_who_is_switched_off_neither_watches_nor_is_watched(house: House, alice: Phone, bob: Phone) -> None:
    lamp, other = Watcher(house.book, alice, "102"), Watcher(house.book, bob, "101")
    lamp.looks()
    other.looks()
    house.watching.messages.note("102", MessageCount(1))
    house.set("102", enabled=False)
    other.sees("terminated;reason=rejected")
    lamp.sees("terminated;reason=noresource")
    assert house.subscriptions == 0
    assert house.watching.messages.count("102") == MessageCount(1), "it may be switched on again"


def test_who_has_another_password_must_prove_it(house: House, alice: Phone, bob: Phone) -> None:
    lamp, other = Watcher(house.book, alice, "102"), Watcher(house.book, bob, "101")
    lamp.looks()
    other.looks()
    house.set("102", ha1_sha256="other")
    other.sees("terminated;reason=rejected")
    house.book.quiet()
    assert house.subscriptions == 1


def test_another_name_changes_nothing(house: House, alice: Phone, bob: Phone) -> None:
    Watcher(house.book, alice, "102").looks()
    house.set("102", name="Robert")
    house.book.quiet()
    assert house.watching.figures() == {"subscriptions": 1, "texts": 0, "texts_refused": 0}


def test_how_an_extension_stands(house: House, alice: Phone, bob: Phone) -> None:
    """Who is not there is away, whatever they have set; who talks is on the phone; else who wants no calls is busy."""
    lazy: set[str] = set()
    house.watching.wants_no_calls = lazy.__contains__
    watcher = Watcher(house.book, alice, "102", event="presence")
    assert "<basic>open</basic>" in (free := watcher.begin())
    assert "rpid:busy" not in free
    house.book.waits(6)
    lazy.add("102")
    house.watching.lamps.changed("102")
    assert "<rpid:busy />" in watcher.hears()
    house.book.exchange.on_change = house.watching.call_changed
    carol = house.book.phone("103")
    house.book.waits(6)
    house.book >> bob.invite("103", OFFER) << carol.gets("INVITE") << bob.gets(100)
    house.book.waits(1)
    assert "<rpid:on-the-phone />" in watcher.hears()


def test_the_end_says_when_to_come_back(house: House, alice: Phone, bob: Phone) -> None:
    lamp = Watcher(house.book, alice, "102")
    lamp.looks()
    house.watching.shut_down()
    lamp.sees("Subscription-State: terminated;reason=probation;retry-after=10")
    assert house.subscriptions == 0
