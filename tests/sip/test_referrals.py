"""appliance/sip/referrals.py on the wire: REFERs of one dialog, in both directions.

RFC 3515, RFC 4488. Time is turned by hand.
"""

from __future__ import annotations

import pytest

from appliance.errors import PeerError
from appliance.sip.dialog import Dialog
from appliance.sip.dialog.refer import ReferRequest
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import ReferTo, Request, Response, Uri, parse_message
from appliance.sip.referrals import LiveReferral, Referrals
from tests.sip.wire import UDP, Wire, text_of


class Call:
    """The user of a dialog, as a leg of a call will be."""

    def __init__(self, wire: Wire) -> None:
        invite = parse_message(text_of("INVITE"))
        assert isinstance(invite, Request)
        self.wire = wire
        self.dialog = Dialog.of_uas(invite, "ours", "<sip:100@192.0.2.1>")
        self.referrals = Referrals(wire.endpoint, self.dialog, UDP)
        self.taken: list[LiveReferral] = []
        self.seq = 1
        wire.endpoint.add_dialog(self.dialog.id, self)
        wire.endpoint.allowed |= {"REFER", "NOTIFY", "SUBSCRIBE"}

    def receive(self, transaction: ServerTransaction) -> None:
        self.dialog.receive_request(transaction.request)
        if transaction.request.method == "REFER":
            request = ReferRequest.of_request(transaction.request)
            self.taken.append(self.referrals.take(transaction, request))
        else:
            self.referrals.receive(transaction)

    def receive_ack(self, ack: Request) -> None:
        raise AssertionError

    def ask(self, method: str, **changes: str | None) -> None:
        """The peer sends a request in the dialog."""
        self.seq += 1
        usual: dict[str, str | None] = {
            "Via": f"SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKr{self.seq};rport",
            "To": "<sip:100@192.0.2.1>;tag=ours",
            "CSeq": f"{self.seq} {method}",
        }
        self.wire.receive(text_of(method, **(usual | changes)))

    def refer(self, **changes: str | None) -> tuple[Response, Request]:
        self.ask("REFER", **({"Refer_To": "<sip:103@192.0.2.1>"} | changes))
        accepted, notify = self.wire.take()
        assert isinstance(accepted, Response)
        assert isinstance(notify, Request)
        return accepted, notify

    def answer(self, notify: Request, status: int = 200) -> None:
        self.wire.receive(notify.respond(status))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def call(wire: Wire) -> Call:
    return Call(wire)


def test_a_transfer(wire: Wire, call: Call) -> None:
    accepted, notify = call.refer(Referred_By="<sip:101@192.0.2.1>")
    assert (accepted.status, accepted.headers.get("Contact")) == (202, "<sip:100@192.0.2.1>")
    assert [notify.headers.get(name) for name in ("Event", "Subscription-State", "Content-Type")] == [
        "refer;id=2",
        "active;expires=300",
        "message/sipfrag;version=2.0",
    ]
    assert notify.body == b"SIP/2.0 100 Trying\r\n"
    (referral,) = call.taken
    assert (str(referral.request.refer_to.target), referral.request.referred_by) == (
        "sip:103@192.0.2.1",
        "<sip:101@192.0.2.1>",
    )
    call.answer(notify)
    referral.progress(180)
    notify = wire.request()
    assert notify.body == b"SIP/2.0 180 Ringing\r\n"
    call.answer(notify)
    assert referral.heard
    referral.progress(486, "Engaged")
    notify = wire.request()
    assert (notify.body, notify.headers.get("Subscription-State")) == (
        b"SIP/2.0 486 Engaged\r\n",
        "terminated;reason=noresource",
    )
    call.answer(notify)
    assert (len(call.referrals), referral.heard) == (0, False)
    wire.timers.wait(64)
    assert (wire.endpoint.transactions, len(wire.timers.heap)) == (0, 0)


def test_a_dialog_is_found_by_its_name(wire: Wire, call: Call) -> None:
    assert wire.endpoint.dialog_user(("c1@192.0.2.10", "ours", "f1")) is call
    assert wire.endpoint.dialog_user(("c1@192.0.2.10", "f1", "ours")) is None


def test_without_a_subscription(wire: Wire, call: Call) -> None:
    call.ask("REFER", Refer_To="<sip:103@192.0.2.1>", Refer_Sub="false")
    accepted = wire.response()
    assert (accepted.status, accepted.headers.get("Refer-Sub")) == (202, "false")
    call.taken[0].progress(200)
    assert (wire.take(), len(call.referrals)) == ([], 0)


def test_several_at_once(wire: Wire, call: Call) -> None:
    _, one = call.refer()
    _, two = call.refer()
    assert [notify.headers.get("Event") for notify in (one, two)] == ["refer;id=2", "refer;id=3"]
    call.answer(one)
    call.answer(two)
    # The sender has heard enough of the second.
    call.ask("SUBSCRIBE", Event="refer;id=3", Expires="0")
    ok, last = wire.take()
    assert isinstance(ok, Response)
    assert isinstance(last, Request)
    assert (ok.status, last.headers.get("Event")) == (200, "refer;id=3")
    assert last.headers.get("Subscription-State") == "terminated;reason=timeout"
    call.answer(last)
    call.taken[1].progress(200)
    assert wire.take() == []
    call.taken[0].progress(200)
    assert wire.request().headers.get("Event") == "refer;id=2"


def test_a_sender_that_hung_up(wire: Wire, call: Call) -> None:
    _, notify = call.refer()
    call.answer(notify, 481)
    assert len(call.referrals) == 0
    call.taken[0].progress(200)
    assert wire.take() == []


@pytest.mark.parametrize(
    ("method", "changes", "status"),
    [("SUBSCRIBE", {"Event": "refer"}, 481), ("NOTIFY", {"Event": "refer", "Subscription_State": "active"}, 481),
     ("NOTIFY", {"Event": "refer"}, 400), ("NOTIFY", {}, 400), ("MESSAGE", {"Event": "refer"}, 405),
     ("REFER", {}, 400)],
)  # fmt: skip
def test_refused(wire: Wire, call: Call, method: str, changes: dict[str, str | None], status: int) -> None:
    call.ask(method, **changes)
    assert wire.response().status == status
    assert len(call.referrals) == 0


class Own(Call):
    """The other direction: we ask the peer."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.heard: list[str] = []
        self.sent = self.referrals.send(
            ReferTo.of(Uri.sip("103", "192.0.2.1")),
            lambda status, reason: self.heard.append(f"{status} {reason}"),
            lambda reason: self.heard.append(f"over {reason}"),
            referred_by="<sip:100@192.0.2.1>",
        )
        self.request = wire.request()

    def tell(self, state: str, body: str, event: str = "refer") -> int:
        changes = {"Event": event, "Subscription_State": state, "body": body}
        self.ask("NOTIFY", **changes)
        return self.wire.response().status


@pytest.fixture
def own(wire: Wire) -> Own:
    return Own(wire)


def test_our_own_transfer(wire: Wire, own: Own) -> None:
    request = own.request
    assert [request.headers.get(name) for name in ("Refer-To", "Referred-By", "Contact")] == [
        "<sip:103@192.0.2.1>",
        "<sip:100@192.0.2.1>",
        "<sip:100@192.0.2.1>",
    ]
    wire.receive(request.respond(100))
    wire.receive(request.respond(202))
    assert own.tell("active;expires=60", "SIP/2.0 100 Trying\r\n") == 200
    assert (
        own.tell("terminated;reason=noresource", "SIP/2.0 200 OK\r\n", f"refer;id={request.cseq.number}")
        == 200
    )
    assert own.heard == ["100 Trying", "200 OK", "over noresource"]
    assert own.tell("active", "SIP/2.0 200 OK\r\n") == 481
    assert len(own.referrals) == 0


def test_our_own_transfer_refused(wire: Wire, own: Own) -> None:
    wire.receive(own.request.respond(603))
    assert (own.heard, len(own.referrals)) == (["over 603"], 0)


def test_our_own_transfer_unanswered(wire: Wire, own: Own) -> None:
    wire.timers.wait(32)
    assert own.heard == ["over silence"]
    assert len(wire.timers.heap) == 0


def test_we_have_heard_enough(wire: Wire, own: Own) -> None:
    wire.receive(own.request.respond(202))
    assert own.tell("active;expires=60", "SIP/2.0 100 Trying\r\n") == 200
    own.sent.unsubscribe()
    request = wire.request()
    assert (request.method, request.expires) == ("SUBSCRIBE", 0)
    assert request.headers.get("Event") == f"refer;id={own.request.cseq.number}"
    wire.receive(request.respond(100))
    wire.receive(request.respond(481))
    assert own.heard == ["100 Trying", "over "]


def test_we_have_heard_enough_and_nobody_answers(wire: Wire, own: Own) -> None:
    wire.receive(own.request.respond(202))
    assert own.tell("active", "SIP/2.0 100 Trying\r\n") == 200
    own.sent.unsubscribe()
    wire.timers.wait(32)
    assert own.heard == ["100 Trying", "over "]


def test_a_response_to_a_refer_that_is_over(wire: Wire, own: Own) -> None:
    own.sent.end()
    own.sent.end()
    wire.receive(own.request.respond(202))
    assert own.heard == ["over "]


def test_the_dialog_is_gone(wire: Wire, own: Own) -> None:
    wire.receive(own.request.respond(202))
    own.refer()
    assert len(own.referrals) == 2
    own.referrals.end()
    assert (own.heard, len(own.referrals)) == (["over "], 0)


def test_a_transfer_outlives_its_call(wire: Wire, call: Call) -> None:
    """RFC 5057 §4.1: the BYE ends the call, and the dialog only when nothing else is left in it."""
    _, notify = call.refer()
    call.answer(notify)
    wire.endpoint.remove_dialog(call.dialog.id)
    call.referrals.outlive()
    call.taken[0].progress(180)
    call.answer(wire.request())
    call.ask("BYE")
    assert wire.response().status == 481
    call.ask("SUBSCRIBE", Event="refer", CSeq="1 SUBSCRIBE")
    assert wire.response().status == 500
    call.ask("SUBSCRIBE", Event="refer", Expires="0")
    ok, last = wire.take()
    assert isinstance(ok, Response)
    assert isinstance(last, Request)
    assert (ok.status, last.headers.get("Subscription-State")) == (200, "terminated;reason=timeout")
    # With the answer to the last NOTIFY the dialog is over.
    call.answer(last)
    assert wire.endpoint.dialogs == 0
    call.ask("SUBSCRIBE", Event="refer", Expires="0")
    assert wire.response().status == 481


def test_our_own_transfer_outlives_its_call(wire: Wire, own: Own) -> None:
    wire.endpoint.remove_dialog(own.dialog.id)
    own.referrals.outlive()
    wire.receive(own.request.respond(202))
    assert own.tell("terminated;reason=noresource", "SIP/2.0 200 OK\r\n") == 200
    assert (own.heard, wire.endpoint.dialogs) == (["200 OK", "over noresource"], 0)


def test_without_transfers_nothing_is_left_of_a_call(wire: Wire, call: Call) -> None:
    wire.endpoint.remove_dialog(call.dialog.id)
    call.referrals.outlive()
    assert wire.endpoint.dialogs == 0


def test_too_many(wire: Wire, call: Call) -> None:
    for _ in range(16):
        call.refer()
    call.ask("REFER", Refer_To="<sip:103@192.0.2.1>")
    assert wire.response().status == 500
    assert (len(call.referrals), len(call.taken)) == (16, 16)


def test_a_refer_that_cannot_be_sent_twice_under_one_name(call: Call) -> None:
    # The names are CSeq numbers, so this takes a defect; it is refused, not mixed up.
    sent = call.referrals.send(ReferTo.of(Uri.sip("1", "x")), lambda *_: None, lambda _: None)
    with pytest.raises(PeerError):
        call.referrals.sent.add(sent.event, sent)
