"""Sessions that are refreshed, and end when they are not: RFC 4028 on each leg by itself. X-07.

The machine alone: tests/sip/dialog/test_session_timer.py.
"""

from __future__ import annotations

import pytest

from appliance.call.leg_options import LegOptions
from appliance.sip.dialog import TimerPolicy
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp

UPDATE = "INVITE, ACK, BYE, CANCEL, UPDATE"
TIMED = {"Supported": "timer", "Session_Expires": "90;refresher=uac"}


def timed_call(
    book: Playbook, alice: Phone, bob: Phone, caller: dict[str, str], callee: dict[str, str]
) -> None:
    """A call whose INVITE and 200 carry these headers."""
    book >> alice.invite("102", OFFER, **caller) << bob.gets("INVITE", "Session-Expires: 1800;refresher=uac")
    (
        book
        << alice.gets(100)
        >> bob.says(200, ANSWER, tag=None, to=None, **callee)
        << bob.gets("ACK")
        << alice.gets(200)
    )
    (book >> alice.ack()).quiet()


def end(book: Playbook, alice: Phone, bob: Phone) -> None:
    (book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def test_both_phones_refresh(book: Playbook, alice: Phone, bob: Phone) -> None:
    by_uas = {"Session_Expires": "90;refresher=uas", "Require": "timer"}
    book >> alice.invite("102", OFFER, **TIMED) << bob.gets("INVITE", "Supported: 100rel, timer")
    book << alice.gets(100) >> bob.says(200, ANSWER, tag=None, to=None, **by_uas) << bob.gets("ACK")
    book << alice.gets(200, "Session-Expires: 90;refresher=uac", "Require: timer", "Supported: timer")
    book >> alice.ack()
    for _ in range(5):
        # Each leg has its own timer: nothing of it reaches the other phone.
        book.waits(45).quiet()
        book >> alice.ask("UPDATE", b"", **TIMED)
        book << alice.gets(200, "Contact", "Session-Expires: 90;refresher=uac", "Require: timer")
        book >> bob.again(ANSWER, Supported="timer", Session_Expires="90;refresher=uac")
        book << bob.gets(200, "Session-Expires: 90;refresher=uac", "c=IN IP4 192.0.2.1") >> bob.ack()
        book.quiet()
    end(book, alice, bob)


def test_x_07_a_refresher_that_is_dead(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, TIMED, {})
    book.waits(59.9).quiet()
    # RFC 4028 §10: a third of the interval before its end.
    book.waits(0.1) << alice.gets("BYE", "cause=27") << bob.gets("BYE", "cause=27")
    (book >> bob.ok()).ends("lost")


def test_x_07_a_phone_without_timers_that_is_dead(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, {}, {})
    book.waits(899.9).quiet()
    for number in range(1, 3):
        # Half of the interval is over: the same description, its version too.
        book.waits(0.1) << bob.gets("INVITE", "Session-Expires: 1800;refresher=uac", "192.0.2.1")
        assert b"o=- " in bob.body
        assert b" 1 IN IP4" in bob.body
        book << alice.gets("INVITE", "Session-Expires: 1800;refresher=uac")
        if number == 2:
            break
        book >> bob.says(200, ANSWER) << bob.gets("ACK") >> alice.says(200, OFFER) << alice.gets("ACK")
        book.waits(899.9).quiet()
    # Alice answers, Bob has been switched off.
    book >> alice.says(200, OFFER) << alice.gets("ACK")
    book.waits(31.9)
    book.wiretap.sent.clear()
    book.waits(0.1) << bob.gets("BYE", "cause=27") << alice.gets("BYE", "cause=27")
    (book >> alice.ok()).ends("lost")


def test_refresh_by_update(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, {"Supported": "timer", "Allow": UPDATE}, {"Allow": UPDATE})
    book.waits(900) << bob.gets("UPDATE", "Session-Expires: 1800;refresher=uac", lacks=("Content-Type",))
    # The caller's 200 said that we refresh.
    book << alice.gets("UPDATE", "Session-Expires: 1800;refresher=uac")
    book >> bob.ok(200, Session_Expires="120;refresher=uac", Require="timer")
    book >> alice.ok(200, Session_Expires="1800;refresher=uac")
    book.waits(60) << bob.gets("UPDATE", "Session-Expires: 120;refresher=uac")
    book >> bob.ok(200, Session_Expires="120;refresher=uas")
    # From now on it is the phone's turn; it does not take it.
    book.waits(87.9).quiet()
    book.waits(0.1) << bob.gets("BYE") << alice.gets("BYE")
    (book >> alice.ok() >> bob.ok()).ends("lost")


@pytest.mark.parametrize("status", [405, 501])
def test_update_that_is_not_taken_after_all(book: Playbook, alice: Phone, bob: Phone, status: int) -> None:
    timed_call(book, alice, bob, TIMED, {"Allow": UPDATE, "Session_Expires": "300;refresher=uac"})
    for _ in range(4):
        book.waits(30) >> alice.ask("UPDATE", b"", **TIMED) << alice.gets(200)
    (
        book.waits(30)
        << bob.gets("UPDATE")
        >> bob.ok(status)
        >> alice.ask("UPDATE", b"", **TIMED)
        << alice.gets(200)
    )
    book.waits(29.5) << bob.gets("INVITE", "Session-Expires") >> bob.says(200, ANSWER) << bob.gets("ACK")
    end(book, alice, bob)


def test_a_refresh_that_meets_another_request_comes_again(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, {}, {"Session_Expires": "90;refresher=uac"})
    book.waits(45) << bob.gets("INVITE") >> bob.says(491) << bob.gets("ACK")
    book.waits(3.75) << bob.gets("INVITE") >> bob.says(500) << bob.gets("ACK")
    book.waits(3.75) << bob.gets("INVITE") >> bob.says(100)
    # Not while the last one is still under way.
    book.waits(3.75).quiet()
    (book >> bob.says(200, ANSWER, Session_Expires="90;refresher=uac") << bob.gets("ACK")).quiet()
    # Never, and the session is over.
    for wait in (45, 3.75, 3.75, 3.75):
        book.waits(wait) << bob.gets("INVITE") >> bob.says(491) << bob.gets("ACK")
    book.waits(3.75) << bob.gets("BYE", "cause=27") << alice.gets("BYE") >> alice.ok() >> bob.ok()
    book.ends("lost")


def test_a_refresh_that_the_peer_knows_nothing_of_ends_the_call(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    timed_call(book, alice, bob, {}, {"Allow": UPDATE})
    book.waits(900) << bob.gets("UPDATE") << alice.gets("INVITE") >> bob.ok(481)
    book << bob.gets("BYE") << alice.gets("BYE")
    book.wiretap.sent.clear()
    (book >> alice.ok() >> bob.ok()).quiet()
    assert [record.cause for record in book.records] == ["lost"]


def test_refreshes_change_where_a_phone_hears(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, {}, {"Session_Expires": "90;refresher=uac"})
    moved = sdp("10.2.2.9", 5004)
    book.waits(45) << bob.gets("INVITE") >> bob.says(200, moved) << bob.gets("ACK")
    call = book.exchange._calls[book.exchange.calls()[0].id]
    assert call.callee is not None
    assert call.callee.said == moved
    # What cannot be read changes nothing.
    book.waits(45) << bob.gets("INVITE") >> bob.says(200, b"rubbish") << bob.gets("ACK")
    assert call.callee.said == moved
    end(book, alice, bob)


# --- 422


def test_x_07_too_short_a_session_is_422_and_no_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    short = alice.invite("102", OFFER, Supported="timer", Session_Expires="30")
    book >> short << alice.gets(422, "Min-SE: 90") >> alice.ack_refusal()
    assert book.records == []
    book >> alice.again(OFFER, Supported="timer", Session_Expires="90", Min_SE="90")
    book << bob.gets("INVITE") << alice.gets(100) >> bob.says(200, ANSWER) << bob.gets("ACK")
    book << alice.gets(200, "Session-Expires: 90;refresher=uas") >> alice.ack()
    # Within the call too; the session stays as it is.
    book >> alice.ask("UPDATE", Supported="timer", Session_Expires="10") << alice.gets(422, "Min-SE: 90")
    book >> alice.again(OFFER, Supported="timer", Session_Expires="10") << alice.gets(422)
    book >> alice.ack_refusal()
    end(book, alice, bob)


def test_422_of_the_callee_is_followed_by_a_longer_session(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE", "CSeq: 1 INVITE") << alice.gets(100)
    first = bob.invited
    book >> bob.says(180, tag="x") << alice.gets(180) >> bob.says(422, Min_SE="3600") << bob.gets("ACK")
    book << bob.gets("INVITE", "CSeq: 2 INVITE", "Session-Expires: 3600;refresher=uac", "Min-SE: 3600")
    again = bob.invited
    assert first is not None
    assert again is not None
    assert (first.call_id, first.from_.tag, first.body) == (again.call_id, again.from_.tag, again.body)
    assert again.to.tag is None
    assert len(again.vias) == 1
    book >> bob.says(200, ANSWER, Session_Expires="3600;refresher=uac") << bob.gets("ACK", "CSeq: 2 ACK")
    book << alice.gets(200) >> alice.ack()
    end(book, alice, bob)


@pytest.mark.parametrize("least", ["", "90", "x"])
def test_422_that_asks_for_nothing_is_a_refusal(book: Playbook, alice: Phone, bob: Phone, least: str) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(422, Min_SE=least) << bob.gets("ACK") << alice.gets(500) >> alice.ack_refusal()
    book.ends("failed")


def test_422_within_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    timed_call(book, alice, bob, {"Allow": UPDATE}, {"Allow": UPDATE})
    # A re-INVITE and an UPDATE that are passed on come again with what the callee asks for ...
    book >> alice.again(OFFER) << bob.gets("INVITE", "Session-Expires: 1800") << alice.gets(100)
    book >> bob.says(422, Min_SE="2000") << bob.gets("ACK") << bob.gets("INVITE", "Session-Expires: 2000")
    book >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.ask("UPDATE", OFFER) << bob.gets("UPDATE", "Session-Expires: 2000")
    book >> bob.ok(422, Min_SE="3000") << bob.gets("UPDATE", "Session-Expires: 3000", "Min-SE: 3000")
    # ... and no more than twice.
    book >> bob.ok(422, Min_SE="4000") << alice.gets(500)
    book >> alice.again(OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(422, Min_SE="5000") << bob.gets("ACK") << alice.gets(500) >> alice.ack_refusal()
    book >> bob.ask("UPDATE", ANSWER) << alice.gets("UPDATE") >> alice.ok(200, OFFER) << bob.gets(200)
    end(book, alice, bob)


# --- without session timers


def test_a_leg_without_timers(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = LegOptions(timer=None)
    book >> alice.invite("102", OFFER, Supported="timer", Session_Expires="10")
    book << bob.gets("INVITE", "Supported: 100rel", lacks=("timer", "Session-Expires")) << alice.gets(100)
    book >> bob.says(200, ANSWER, Session_Expires="90;refresher=uac") << bob.gets("ACK")
    book << alice.gets(200, lacks=("timer", "Session-Expires")) >> alice.ack()
    book.waits(10_000).quiet()
    book >> alice.ask("UPDATE") << alice.gets(200, lacks=("Session-Expires",))
    end(book, alice, bob)


def test_an_exchange_with_short_sessions(book: Playbook, alice: Phone, bob: Phone) -> None:
    book.exchange.options = LegOptions(timer=TimerPolicy(interval=120, least=100))
    (
        book
        >> alice.invite("102", OFFER, Supported="timer", Session_Expires="99")
        << alice.gets(422, "Min-SE: 100")
    )
    book >> alice.ack_refusal() >> alice.again(OFFER, Supported="timer", Session_Expires="100")
    book << bob.gets("INVITE", "Session-Expires: 120;refresher=uac", "Min-SE: 100")
    book << alice.gets(100) >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")
