"""Offer and answer in every legal place, on two legs that differ in what they can: RFC 3264, RFC 6337 §2.1, §3.

Each row of the table is a way for a call to come about. The referee sees each message of both legs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from appliance.sip.message import Request
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook
from tests.call.referee import Referee


@dataclass(frozen=True)
class Way:
    """How the two phones set up their call."""

    offer_by_caller: bool
    caller_knows: bool
    "100rel."
    early: str
    "What the callee says before it answers: nothing, rings, or describes (reliably, twice or not)."
    again: bool
    "Whether the callee's 200 says again what its reliable response said, which it may not and many do."

    def __str__(self) -> str:
        names = "caller" if self.offer_by_caller else "callee", "100rel" if self.caller_knows else "plain"
        return "-".join((*names, self.early, "again" if self.again else "once"))


EARLY = ("none", "rings", "rings reliably", "describes", "describes reliably")
WAYS = [
    Way(*way)
    for way in product((True, False), (True, False), EARLY, (True, False))
    if not (way[3] and way[2] != "describes reliably")
]


def deliver(book: Playbook, alice: Phone, bob: Phone) -> list[tuple[Phone, str | int]]:
    """Let both phones do what RFC 3261 and RFC 3262 oblige them to; gives what came."""
    came: list[tuple[Phone, str | int]] = []
    while book.wiretap.sent:
        flow, message = book.wiretap.sent.popleft()
        phone = alice if flow.remote == alice.address else bob
        phone.take(message)
        if isinstance(message, Request):
            came.append((phone, message.method))
            if message.method in {"PRACK", "UPDATE"}:
                answer = ANSWER if phone is bob else OFFER
                book >> phone.ok(200, answer if message.body and message.method == "UPDATE" else b"")
            continue
        came.append((phone, message.status))
        if message.cseq.method != "INVITE":
            continue
        offered = bool(phone.invite_request and phone.invite_request.body)
        if "RSeq" in message.headers:
            book >> phone.prack(OFFER if message.body and not offered else b"")
        elif message.status == 200:
            book >> phone.ack(OFFER if message.body and not offered else b"")
    return came


def set_up(book: Playbook, alice: Phone, bob: Phone, way: Way) -> None:
    headers = {"Supported": "100rel"} if way.caller_knows else {}
    book >> alice.invite("102", OFFER if way.offer_by_caller else b"", Allow="UPDATE", **headers)
    deliver(book, alice, bob)
    assert bob.invited is not None
    knows = "100rel" in (bob.invited.headers.get("Supported") or "")
    settled = False
    match way.early:
        case "rings":
            book >> bob.says(180)
        case "rings reliably" if knows:
            book >> bob.says_reliably(180, 7)
        case "describes":
            book >> bob.says(183, ANSWER)
        case "describes reliably" if knows:
            book >> bob.says_reliably(183, 7, ANSWER, Allow="UPDATE")
            settled = True
    deliver(book, alice, bob)
    book >> bob.says(200, b"" if settled and not way.again else ANSWER)
    came = deliver(book, alice, bob)
    assert (alice, 200) in came
    assert (bob, "ACK") in came


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_to_set_up_a_call(book: Playbook, alice: Phone, bob: Phone, way: Way) -> None:
    referee = Referee()
    if not way.again:  # the callee's own foul
        book.endpoint.tap = referee.see
    set_up(book, alice, bob, way)
    assert referee.fouls == []
    assert referee.stable()
    assert bool(referee.patterns) != way.again
    assert book.exchange.calls()[0].state == "talking"
    call = book.exchange._calls[book.exchange.calls()[0].id]
    assert (call.caller.said, call.callee.said if call.callee else b"") == (OFFER, ANSWER)
    # Whatever the way, the session can be changed now, by either side.
    for phone, body in ((alice, OFFER), (bob, ANSWER)):
        book >> phone.ask("UPDATE", body)
        assert (phone, 200) in deliver(book, alice, bob)
    assert referee.fouls == []
    book >> alice.bye()
    deliver(book, alice, bob)
    book >> bob.ok()
    book.ends("normal")


def test_the_table_covers_all_patterns_there_are() -> None:
    patterns: set[str] = set()
    for way in WAYS:
        if way.again:
            continue
        referee, book = Referee(), Playbook()
        alice, bob = book.phone("101"), book.phone("102")
        book.endpoint.tap = referee.see
        set_up(book, alice, bob, way)
        book >> alice.ask("UPDATE", OFFER)
        deliver(book, alice, bob)
        assert referee.fouls == []
        patterns |= set(referee.patterns)
    # PRACK/2xx PRACK: test_reliable.py, for it needs a caller with something new to say.
    assert patterns == {
        "INVITE/2xx", "2xx/ACK", "INVITE/1xx-rel", "1xx-rel/PRACK", "UPDATE/2xx UPDATE",
    }  # fmt: skip
