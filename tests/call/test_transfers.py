"""What a leg does with REFER, SUBSCRIBE and NOTIFY, and the exchange with Replaces, whoever carries transfers out.

RFC 3515, RFC 3891 §3, RFC 4488, RFC 5057 §4.1, RFC 6665 §4.5.2; RFC 5359 §2.4, §2.5 as far as it goes without a feature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.call.call import Call
from appliance.call.cause import Cause, Ending
from appliance.call.events import Answered, Content, HungUp, Referred, Transfer
from appliance.call.sip_leg import SipLeg
from appliance.call.sip_leg_outbound import OutboundLeg
from appliance.call.transfers import Replacing
from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.subscription import Lifetime
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import Replaces, Request, Uri
from appliance.sip.message.refer_to import ReferTo
from appliance.sip.subscriptions import Notifier
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, Sends, talk

CAROL = "<sip:103@192.0.2.1>"
BUSY = HungUp(Ending.of(Cause.BUSY))


def replaces_of(phone: Phone, *more: str) -> str:
    """The Replaces header by which this phone's dialog is known: our tag first."""
    theirs, ours = (text.partition("tag=")[2] for text in (phone.local, phone.remote))
    return ";".join([phone.call_id, f"to-tag={ours}", f"from-tag={theirs}", *more])


def hang_up(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()


class Desk:
    """Whoever carries transfers out: takes all, and does nothing by itself."""

    def __init__(self, book: Playbook, refusal: PeerError | None = None) -> None:
        self.asked: list[tuple[Call, SipLeg, Referred]] = []
        self.joining: list[tuple[Call, SipLeg, Replacing]] = []
        self.refusal = refusal
        book.exchange.serve_transfers(self.refer, self.replace)

    def refer(self, call: Call, leg: SipLeg, event: Referred) -> bool:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((call, leg, event))
        return True

    def replace(self, call: Call, leg: SipLeg, replacing: Replacing) -> bool:
        if self.refusal is not None:
            raise self.refusal
        self.joining.append((call, leg, replacing))
        return True


def refer(book: Playbook, phone: Phone, desk: Desk, **headers: str) -> Transfer:
    """The phone asks for a transfer, and it is taken on."""
    book >> phone.ask("REFER", b"", **{"Refer_To": CAROL, **headers})
    transfer = desk.asked[-1][2].accept()
    book << phone.gets(202, "Contact")
    return transfer


def test_5359_2_4_declined(book: Playbook, alice: Phone, bob: Phone) -> None:
    """The call goes on; a NOTIFY or SUBSCRIBE has nothing to be about."""
    talk(book, alice, bob)
    book >> alice.ask("REFER", Refer_To=CAROL) << alice.gets(603, lacks=("REFER,",))
    book >> bob.ask("REFER", Refer_To=CAROL) << bob.gets(603)
    book >> alice.ask("NOTIFY", Event="refer", Subscription_State="active") << alice.gets(481)
    book >> alice.ask("SUBSCRIBE", Event="refer", Expires="0") << alice.gets(481)
    book >> alice.ask("SUBSCRIBE", Event="dialog") << alice.gets(489)
    book >> alice.ask("SUBSCRIBE") << alice.gets(400)
    hang_up(book, alice, bob)
    book.ends("normal")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Refer_To": "nobody"}, 400),
        ({"Refer_To": CAROL, "refer-to": CAROL}, 400),
        ({"Refer_To": "<sip:103@192.0.2.1?Replaces=x>"}, 400),
        ({"Refer_To": CAROL, "Referred_By": "?"}, 400),
        ({"Refer_To": "<http://example.org/>"}, 416),
        ({"Refer_To": "<sip:103@192.0.2.1;method=BYE>"}, 501),
    ],
)
def test_what_cannot_be_asked_for(
    book: Playbook, alice: Phone, bob: Phone, headers: dict[str, str], status: int
) -> None:
    desk = Desk(book)
    talk(book, alice, bob)
    book >> alice.ask("REFER", b"", **headers) << alice.gets(status)
    assert desk.asked == []
    hang_up(book, alice, bob)
    book.ends("normal")


def test_before_the_answer_nobody_is_put_through(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180)
    book >> alice.ask("REFER", Refer_To=CAROL) << alice.gets(603)
    book >> bob.ask("REFER", Refer_To=CAROL) << bob.gets(603)
    assert desk.asked == []
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("CANCEL")
    book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    book.ends("cancelled")


def test_phones_are_told_once_somebody_takes_them(book: Playbook, alice: Phone, bob: Phone) -> None:
    talk(book, alice, bob)
    hang_up(book, alice, bob)
    Desk(book)
    book >> alice.invite("102", OFFER, Require="replaces")
    book << bob.gets("INVITE", "REFER, NOTIFY, SUBSCRIBE", "Supported: 100rel, timer, replaces, norefersub")
    book << alice.gets(100) >> bob.says(200, ANSWER) << bob.gets("ACK")
    (
        book
        << alice.gets(200, "REFER, NOTIFY, SUBSCRIBE", "Supported: timer, replaces, norefersub")
        >> alice.ack()
    )
    hang_up(book, alice, bob)
    book.ends("normal", "normal")


def test_5359_2_4_how_it_goes_is_told(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    talk(book, alice, bob)
    transfer = refer(book, alice, desk, Referred_By="<sip:101@192.0.2.1>")
    (
        book
        << alice.gets("NOTIFY", "Event: refer;id=2", "SIP/2.0 100 Trying", "active;expires=300")
        >> alice.ok()
    )
    call, leg, event = desk.asked[0]
    assert (leg is call.caller.sip, event.target, event.to_number) == (True, "sip:103@192.0.2.1", "103")
    assert (event.replaces, event.referred_by) == (None, "<sip:101@192.0.2.1>")
    transfer.progress(180)
    book << alice.gets("NOTIFY", "SIP/2.0 180 Ringing") >> alice.ok()
    assert transfer.heard
    transfer.progress(486, "Engaged")
    book << alice.gets("NOTIFY", "SIP/2.0 486 Engaged", "terminated;reason=noresource") >> alice.ok()
    assert not transfer.heard
    hang_up(book, alice, bob)
    book.ends("normal")


def test_the_callee_may_ask_too_and_without_being_told(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    talk(book, alice, bob)
    transfer = refer(book, bob, desk, Refer_Sub="false", Refer_To="<tel:+49-30-1234>")
    assert (desk.asked[0][0].callee, desk.asked[0][2].to_number) == (desk.asked[0][1], "+49301234")
    transfer.progress(200)
    book.quiet()
    hang_up(book, alice, bob)
    book.ends("normal")


def test_refused_by_whoever_carries_them_out(book: Playbook, alice: Phone, bob: Phone) -> None:
    Desk(book, PeerError(403, "Not To There", (("Warning", "399 x y"),)))
    talk(book, alice, bob)
    book >> alice.ask("REFER", Refer_To=CAROL) << alice.gets(403, "Not To There", "Warning")
    hang_up(book, alice, bob)
    book.ends("normal")


def test_taken_on_when_the_phone_has_hung_up(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    talk(book, alice, bob)
    book >> alice.ask("REFER", Refer_To=CAROL)
    hang_up(book, alice, bob)
    with pytest.raises(PeerError, match="481"):
        desk.asked[0][2].accept()
    book.ends("normal")


def test_it_outlives_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    """A phone hangs up as soon as it has its 202, and still wants to hear; or not any more."""
    desk = Desk(book)
    talk(book, alice, bob)
    transfer = refer(book, alice, desk)
    (
        book
        << alice.gets("NOTIFY")
        >> alice.ok()
        >> alice.bye()
        << alice.gets(200)
        << bob.gets("BYE")
        >> bob.ok()
    )
    transfer.progress(180)
    book << alice.gets("NOTIFY", "SIP/2.0 180 Ringing") >> alice.ok()
    book >> alice.ask("SUBSCRIBE", Event="refer", Expires="0") << alice.gets(200)
    book << alice.gets("NOTIFY", "terminated") >> alice.ok()
    transfer.progress(200)
    book.quiet()
    book >> alice.ask("SUBSCRIBE", Event="refer") << alice.gets(481)
    book.ends("normal")


def test_while_our_bye_waits_for_its_answer(book: Playbook, alice: Phone, bob: Phone) -> None:
    """5359-2.4: when the new call stands, the phone that asked for it is hung up on."""
    desk = Desk(book)
    talk(book, alice, bob)
    transfer = refer(book, alice, desk)
    book << alice.gets("NOTIFY") >> alice.ok()
    transfer.progress(200)
    book << alice.gets("NOTIFY", "SIP/2.0 200 OK", "terminated")
    told = alice.asked
    assert book.exchange.hang_up(book.exchange.calls()[0].id)
    book << alice.gets("BYE") << bob.gets("BYE") >> bob.ok()
    book >> alice.ask("SUBSCRIBE", Event="refer") << alice.gets(481)
    book >> alice.ask("INFO") << alice.gets(481) >> alice.ok()
    alice.asked = told
    book >> alice.ok()
    book.ends("administrator")


def test_a_phone_that_is_asked_to_transfer(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    talk(book, alice, bob)
    refer(book, alice, desk)  # only to lay hands on the legs
    book << alice.gets("NOTIFY") >> alice.ok(481)
    leg = desk.asked[0][0].callee
    assert leg is not None
    heard: list[str] = []
    leg.sip.referrals.send(
        ReferTo.of(Uri.sip("103", "192.0.2.1")),
        lambda status, reason: heard.append(f"{status} {reason}"),
        heard.append,
    )
    book << bob.gets("REFER", f"Refer-To: {CAROL}") >> bob.ok(202)
    book >> bob.ask(
        "NOTIFY", b"SIP/2.0 100 Trying\r\n", Event="refer", Subscription_State="active;expires=60"
    )
    book << bob.gets(200)
    hang_up(book, alice, bob)
    last = {"Event": "refer", "Subscription_State": "terminated;reason=noresource"}
    book >> bob.ask("NOTIFY", b"SIP/2.0 200 OK\r\n", **last) << bob.gets(200)
    assert heard == ["100 Trying", "200 OK", "noresource"]
    book.ends("normal")


def test_a_leg_without_a_dialog_has_no_transfers(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (call,) = book.exchange._calls.values()
    with pytest.raises(LocalError):
        _ = call.calling.ringing.legs[0].referrals
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy")


# --- Replaces


def replacing(phone: Phone, value: str) -> Sends:
    return phone.invite("102", OFFER, Replaces=value)


def test_5359_2_5_replaces_that_nobody_takes(book: Playbook, alice: Phone, bob: Phone) -> None:
    carol = book.phone("103")
    talk(book, alice, bob)
    good = replaces_of(bob)
    for value, status in (
        (good, 603),
        (f"{good};early-only", 486),
        ("unknown;to-tag=1;from-tag=2", 481),
        (f"{good[:-1]}x", 481),
        ("malformed", 400),
    ):
        book >> replacing(carol, value) << carol.gets(status) >> carol.ack_refusal()
    twice = replacing(carol, good)
    twice.message.headers.add("Replaces", good)
    book >> twice << carol.gets(400) >> carol.ack_refusal()
    book >> carol.invite("102", OFFER, Require="replaces") << carol.gets(420) >> carol.ack_refusal()
    hang_up(book, alice, bob)
    book.ends("refused", "busy", "failed", "failed", "bad_request", "bad_request", "normal")


def test_5359_2_5_somebody_joins(book: Playbook, alice: Phone, bob: Phone) -> None:
    desk = Desk(book)
    carol = book.phone("103", "Carol")
    talk(book, alice, bob)
    book >> replacing(carol, replaces_of(bob)) << carol.gets(100)
    call, leg, event = desk.joining[0]
    assert (leg is call.callee, event.dialled.from_number) == (True, "103")
    assert event.dialled.content == Content("application/sdp", OFFER)
    joined = event.join()
    joined.answer(Answered(Content("application/sdp", ANSWER), ()))
    book << carol.gets(200) >> carol.ack() >> carol.bye() << carol.gets(200)
    hang_up(book, alice, bob)
    book.ends("normal")


def test_the_full_exchange_lets_somebody_take_a_place() -> None:
    book = Playbook(max_calls=1)
    alice, bob, carol = (book.phone(number) for number in ("101", "102", "103"))
    desk = Desk(book)
    talk(book, alice, bob)
    book >> replacing(carol, replaces_of(alice)) << carol.gets(100)
    desk.joining[0][2].join().hang_up(BUSY)
    book << carol.gets(486) >> carol.ack_refusal()
    hang_up(book, alice, bob)
    book.ends("normal")


def test_refused_by_whoever_could_do_it(book: Playbook, alice: Phone, bob: Phone) -> None:
    Desk(book, PeerError(403, "Forbidden"))
    carol = book.phone("103")
    talk(book, alice, bob)
    book >> replacing(carol, replaces_of(alice)) << carol.gets(403) >> carol.ack_refusal()
    hang_up(book, alice, bob)
    book.ends("forbidden", "normal")


def test_5359_2_16_a_phone_that_rings_is_replaced_and_a_caller_is_not(
    book: Playbook, alice: Phone, bob: Phone
) -> None:
    """RFC 3891 §3: an early dialog may be replaced where we made it; the caller's only by a transfer of its own."""
    desk = Desk(book)
    carol = book.phone("103")
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(180) << alice.gets(180)
    book >> replacing(carol, replaces_of(bob, "early-only")) << carol.gets(100)
    call, leg, event = desk.joining[0]
    assert leg in call.calling.ringing.legs
    assert isinstance(leg, OutboundLeg)
    event.join().hang_up(BUSY)
    book << carol.gets(486) >> carol.ack_refusal()
    book >> replacing(carol, replaces_of(alice)) << carol.gets(481) >> carol.ack_refusal()
    by_refer = book.exchange.transfers.find(Replaces.parse(replaces_of(alice)), initiated_only=False)
    assert by_refer == (call, call.caller.sip)
    book >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("CANCEL")
    book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    book.ends("failed", "cancelled")


def test_a_call_that_is_just_ending_is_not_replaced(book: Playbook, alice: Phone, bob: Phone) -> None:
    Desk(book)
    carol = book.phone("103")
    talk(book, alice, bob)
    book >> alice.bye() << alice.gets(200) << bob.gets("BYE")
    book >> replacing(carol, replaces_of(bob)) << carol.gets(603) >> carol.ack_refusal()
    book >> bob.ok()
    book >> replacing(carol, replaces_of(bob)) << carol.gets(481) >> carol.ack_refusal()
    book.ends("normal", "refused", "failed")


# --- what else may be subscribed to in the dialog


class Lamp:
    """A package that says who asked for what."""

    name = "lamp"
    content_type = "text/plain"
    lifetime = Lifetime()
    pace = 0.0

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        return lambda _: f"{subscriber} watches {resource.number}".encode()


def test_a_subscription_within_the_call(book: Playbook, alice: Phone, bob: Phone) -> None:
    def identify(transaction: ServerTransaction) -> str:
        return book.verify(transaction.request)

    notifier = Notifier(book.endpoint, identify)
    notifier.serve(Lamp())
    book.exchange.wire = replace(book.exchange.wire, notifier=notifier)
    talk(book, alice, bob)
    book >> alice.ask("SUBSCRIBE", Event="lamp") << alice.gets(200, "Expires: 3600")
    book << alice.gets("NOTIFY", "Event: lamp", "101 watches 102") >> alice.ok()
    assert isinstance(alice.asked, Request)
    assert alice.asked.call_id == alice.call_id
    book >> alice.ask("SUBSCRIBE", Event="door") << alice.gets(489, "Allow-Events: lamp")
    book >> alice.ask("SUBSCRIBE", Event="refer") << alice.gets(481)
    book >> alice.bye() << alice.gets(200)
    (
        book
        << alice.gets("NOTIFY", "terminated;reason=noresource")
        << bob.gets("BYE")
        >> bob.ok()
        >> alice.ok(481)
    )
    assert len(notifier) == 0
    book.ends("normal")
