"""appliance/call/unread.py: what is kept of calls from outside that cannot be read."""

from __future__ import annotations

import pytest

from appliance.call.record import CallRecord
from appliance.call.refusals import Refusals
from appliance.call.unread import UnreadCalls
from appliance.sip.message import BadMessage, Headers, Request, StreamFramer, parse_message
from appliance.sip.message.limits import MAX_HEAD
from appliance.sip.transport.flow import Flow
from tests.sip.wire import TCP, UDP, text_of


class Office:
    """Everybody is on a trunk, unless `way` is empty."""

    def __init__(self, way: str = "trunk:hq") -> None:
        self.way = way
        self.refusals = Refusals()
        self.records: list[CallRecord] = []
        self.unread = UnreadCalls(
            self.way_at, self.refusals, self.records.append, lambda: f"c{len(self.records)}", lambda: 100.0
        )

    def way_at(self, _flow: Flow) -> str:
        return self.way


def bad(data: bytes) -> BadMessage:
    with pytest.raises(BadMessage) as refused:
        parse_message(data)
    return refused.value


def test_an_invite_that_is_too_large() -> None:
    office = Office()
    begun = b"INVITE sip:100@box SIP/2.0\r\nFrom: <sip:" + b"7" * MAX_HEAD
    (item,) = StreamFramer().feed(begun)
    assert isinstance(item, BadMessage)
    office.unread.received(item, TCP)
    (record,) = office.records
    assert (record.way_in, record.status, record.cause) == ("trunk:hq", 513, "bad_request")
    assert (record.from_number, record.to_number, record.started_at) == ("", "", 100.0)
    assert office.refusals.of("trunk:hq") == {"bad_request": 1}


def test_what_can_be_read_is_kept() -> None:
    office = Office()
    broken = bad(text_of("INVITE", CSeq="1 OPTIONS"))
    assert broken.request is not None
    office.unread.received(broken, UDP)
    (record,) = office.records
    assert (record.from_number, record.to_number, record.status) == ("101", "100", 400)


def test_numbers_that_cannot_be_read_do_no_harm() -> None:
    office = Office()
    request = Request("INVITE", "sip:[", Headers([("From", "<")]))
    office.unread.received(BadMessage(400, "Bad From", request), UDP)
    assert [(each.from_number, each.to_number) for each in office.records] == [("", "")]


@pytest.mark.parametrize(
    "item",
    [
        BadMessage(513, "Message Too Large", method="MESSAGE"),
        BadMessage(400, "Stray CR or LF"),
        BadMessage(513, "Message Too Large"),
        BadMessage(482, "Merged", Request("INVITE", "sip:1@box", Headers([("To", "<sip:1@box>")]))),
        BadMessage(481, "Gone", Request("INVITE", "sip:1@box", Headers([("To", "<sip:1@box>;tag=t")]))),
    ],
)
def test_what_is_no_call(item: BadMessage) -> None:
    office = Office()
    office.unread.received(item, TCP)
    assert (office.records, office.refusals.all()) == ([], [])


def test_what_strangers_send_is_no_call() -> None:
    office = Office(way="")
    office.unread.received(BadMessage(513, "Message Too Large", method="INVITE"), TCP)
    assert (office.records, office.refusals.all()) == ([], [])
