"""appliance/directory/message_counts.py: RFC 3842, on the wire of a notifier."""

from __future__ import annotations

import pytest

from appliance.directory.message_counts import MessageCount, MessageCounts, MessageSummary
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import Phone, Playbook
from tests.call.watcher import Watcher


@pytest.fixture
def book() -> Playbook:
    return Playbook()


@pytest.fixture
def phone(book: Playbook) -> Phone:
    return book.phone("101")


@pytest.fixture
def counts(book: Playbook) -> MessageCounts:
    counts = MessageCounts()
    notifier = Notifier(book.endpoint, lambda each: book.verify(each.request))
    counts.on_change = MessageSummary(notifier, counts).changed
    return counts


def test_what_a_phone_is_told(book: Playbook, phone: Phone, counts: MessageCounts) -> None:
    light = Watcher(book, phone, "101", "message-summary")
    assert light.begin() == (
        "Messages-Waiting: no\r\nMessage-Account: sip:101@192.0.2.1\r\nVoice-Message: 0/0 (0/0)\r\n"
    )
    book.waits(1)
    counts.note("101", MessageCount(2, 8, 1, 0))
    told = light.hears("Content-Type: application/simple-message-summary")
    assert told.splitlines() == [
        "Messages-Waiting: yes",
        "Message-Account: sip:101@192.0.2.1",
        "Voice-Message: 2/8 (1/0)",
    ]
    # Two that come too soon are one, which says how it is in the end; what is no news is not told.
    counts.note("101", MessageCount(1, 9))
    counts.note("101", MessageCount(0, 9))
    counts.note("101", MessageCount(0, 9))
    book.quiet().waits(1)
    assert "Messages-Waiting: no" in (told := light.hears())
    assert "Voice-Message: 0/9 (0/0)" in told
    book.waits(5).quiet()


def test_a_phone_is_told_of_its_own_messages_only(
    book: Playbook, phone: Phone, counts: MessageCounts
) -> None:
    book >> Watcher(book, phone, "102", "message-summary").subscribe() << phone.gets(403)
    book >> Watcher(book, phone, "101", "message-summary").subscribe(Authorization="none") << phone.gets(401)
    book >> Watcher(book, phone, "101", "message-summary").subscribe(Authorization="102") << phone.gets(403)
    counts.note("102", MessageCount(1))
    book.quiet()


def test_the_table_keeps_what_there_is(counts: MessageCounts) -> None:
    told: list[str] = []
    counts.on_change = told.append
    counts.note("101", MessageCount())
    counts.note("101", MessageCount(1))
    counts.note("102", MessageCount(0, 1))
    counts.note("101", MessageCount())
    assert told == ["101", "102", "101"]
    assert [counts.count(number) for number in ("101", "102")] == [MessageCount(), MessageCount(0, 1)]
    assert list(counts._counts) == ["102"]
