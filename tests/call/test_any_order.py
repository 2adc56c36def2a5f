"""Phones that say anything at any time: the exchange answers, and nothing is left when they are through.

RFC 3261 as far as two phones can break it. Not tested here: what the parser refuses (tests/sip/message).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, Sends, sdp

BODIES = (b"", OFFER, ANSWER, sdp("10.3.3.3", 0), sdp("0.0.0.0", 4, "a=inactive"), b"rubbish")
STATUSES = (100, 180, 183, 199, 200, 200, 202, 302, 404, 408, 481, 486, 487, 488, 491, 503, 603)

TAKES: tuple[dict[str, str], ...] = (
    {},
    {"Allow": "INVITE, UPDATE"},
    {"Allow": "INVITE"},
    {"Require": "100rel"},
)
VERBS: dict[str, Callable[[Phone, int], Sends]] = {
    "call": lambda phone, number: phone.invite("102" if phone.number == "101" else "101", body(number)),
    "invite again": lambda phone, number: phone.again(body(number)),
    "answer": lambda phone, number: phone.says(STATUSES[number % len(STATUSES)], body(number // 17)),
    "answer as another": lambda phone, number: phone.says(
        STATUSES[number % len(STATUSES)], body(number // 17), tag=f"fork{number % 3}"
    ),
    "call with 100rel": lambda phone, number: phone.invite(
        "102" if phone.number == "101" else "101",
        body(number),
        Supported="100rel, timer",
        Session_Expires=str(45 * (number % 9)),
        **TAKES[number % len(TAKES)],
    ),
    "answer reliably": lambda phone, number: phone.says_reliably(
        (180, 183)[number % 2], number % 3, body(number // 2), tag=f"fork{number % 2}"
    ),
    "prack": lambda phone, number: phone.prack(body(number)),
    "refresh": lambda phone, number: phone.ask(
        "UPDATE",
        b"",
        Supported="timer",
        Session_Expires=f"{45 * (number % 9)};refresher=uac",
        **TAKES[number % len(TAKES)],
    ),
    "ack": lambda phone, number: phone.ack(body(number)),
    "ack refusal": lambda phone, number: phone.ack_refusal(),
    "cancel": lambda phone, number: phone.cancel(),
    "bye": lambda phone, number: phone.bye(),
    "ok": lambda phone, number: phone.ok(STATUSES[4 + number % 13], body(number // 13)),
    "update": lambda phone, number: phone.ask("UPDATE", body(number)),
    "info": lambda phone, number: phone.ask("INFO", body(number)),
    "refer": lambda phone, number: phone.ask("REFER"),
}
WAIT = st.tuples(st.just("wait"), st.sampled_from((0.1, 1.0, 5.0, 33.0, 950.0)))
OUTSIDE = st.tuples(st.sampled_from(("unplug", "hang up")), st.just(0))
"A phone's cable is pulled, or plugged in again; the console ends all calls."
SAY = st.tuples(st.sampled_from(sorted(VERBS)), st.integers(0, 200))
# A call that gets somewhere is worth more than one that is refused at the door.
OPENINGS = (
    (),
    ((0, "call", 1), (1, "answer", 1)),
    ((0, "call", 1), (1, "answer", 4 + 17), (0, "ack", 0)),
    ((0, "call", 0), (1, "answer", 4 + 17), (0, "ack", 1)),
    ((0, "call with 100rel", 9), (1, "answer reliably", 3), (0, "prack", 0)),
    ((0, "call with 100rel", 8), (1, "answer reliably", 3), (0, "prack", 1)),
)


def body(number: int) -> bytes:
    return BODIES[number % len(BODIES)]


def hang_up_all(book: Playbook) -> None:
    for call in book.exchange.calls():
        assert book.exchange.hang_up(call.id)


def deliver(book: Playbook, phones: list[Phone]) -> None:
    """Give the phones what was sent to them."""
    while book.wiretap.sent:
        flow, message = book.wiretap.sent.popleft()
        for phone in phones:
            if phone.address == flow.remote:
                phone.take(message)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.sampled_from(OPENINGS),
    st.lists(st.tuples(st.integers(0, 2), st.one_of(SAY, SAY, SAY, SAY, WAIT, OUTSIDE)), max_size=40),
)
def test_nothing_is_left_whatever_phones_say(
    caplog: pytest.LogCaptureFixture,
    opening: tuple[tuple[int, str, int], ...],
    steps: list[tuple[int, tuple[str, float]]],
) -> None:
    caplog.clear()
    book = Playbook()
    phones = [book.phone("101"), book.phone("102"), book.phone("102")]
    for who, (verb, number) in [*((who, (verb, number)) for who, verb, number in opening), *steps]:
        if verb == "wait":
            book.waits(number)
        elif verb == "unplug":
            book.wiretap.dead ^= {phones[who].address}
        elif verb == "hang up":
            hang_up_all(book)
        else:
            say(book, phones[who], verb, int(number))
        deliver(book, phones)
    hang_up_all(book)
    assert (len(book.exchange), book.relay.open_ports) == (0, 0), book.story
    book.waits(300)
    assert book.endpoint.transactions == 0, book.story
    assert book.endpoint._dialogs == {}, book.story
    assert len(book.timers.heap) == 0, book.story
    assert len({record.id for record in book.records}) == len(book.records)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == [], book.story


def say(book: Playbook, phone: Phone, verb: str, number: int) -> None:
    """One step, unless the phone does not know enough for it yet."""
    if verb in {"ack", "ack refusal", "cancel"}:
        knows = phone.invite_request is not None
    elif verb.startswith("answer"):
        knows = phone.invited is not None
    elif verb == "ok":
        knows = phone.asked is not None
    else:
        knows = verb.startswith("call") or phone.local != ""
    if knows:
        assert book >> VERBS[verb](phone, number) is book
