"""appliance/sip/subscriptions.py and live_notifier.py on the wire: who may watch, what is told and when it ends.

RFC 6665 §4.2. Time is turned by hand.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.errors import LocalError, PeerError
from appliance.sip import subscriptions
from appliance.sip.dialog import Dialog
from appliance.sip.dialog.notifier import Accept
from appliance.sip.dialog.subscription import Lifetime
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.live_notifier import retry_after
from appliance.sip.message import Headers, Request, Response, Uri, parse_message
from appliance.sip.subscriptions import Notifier
from appliance.sip.transport.flow import Flow
from tests.sip.wire import UDP, Wire, text_of


class Door:
    """A package: a door is open or shut, and each subscription counts what it was told."""

    name = "door"
    content_type = "text/plain"
    lifetime = Lifetime(60, 600, 3600)
    pace = 0.0

    def __init__(self) -> None:
        self.state = "shut"
        self.broken = False

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        if resource.number == "666":
            raise PeerError(403, "Forbidden")
        told = 0

        def say(full: bool) -> bytes:  # the protocol's own shape
            nonlocal told
            if self.broken:
                raise ZeroDivisionError
            if not self.state:
                return b""
            told += 1
            return f"{resource.number} {self.state} {told} {'all' if full else 'part'}".encode()

        return say


def identify(transaction: ServerTransaction) -> str:
    number = transaction.request.from_.uri.number
    if number == "999":
        raise PeerError(401, "Unauthorized", (("WWW-Authenticate", "Digest"),))
    return number or ""


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def notifier(wire: Wire, door: Door) -> Notifier:
    notifier = Notifier(wire.endpoint, identify)
    notifier.serve(door)
    return notifier


def subscribe(number: int = 1, /, **changes: str | None) -> bytes:
    usual: dict[str, str | None] = {
        "Via": f"SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKs{number}{changes.get('Call_ID', '')};rport",
        "CSeq": f"{number} SUBSCRIBE",
        "Event": "door;id=5",
        "Expires": "600",
    }
    return text_of("SUBSCRIBE", **(usual | changes))


def answer(wire: Wire, notify: Request, status: int = 200, *headers: tuple[str, str]) -> None:
    wire.receive(notify.respond(status, headers=headers))


def first(wire: Wire, **changes: str | None) -> tuple[Response, Request]:
    """Subscribe; the 2xx and the NOTIFY, in this order."""
    wire.receive(subscribe(**changes))
    return pair(wire)


def pair(wire: Wire) -> tuple[Response, Request]:
    ok, notify = wire.take()
    assert isinstance(ok, Response)
    assert isinstance(notify, Request)
    return ok, notify


def test_a_whole_life(wire: Wire, door: Door, notifier: Notifier) -> None:
    ok, notify = first(wire)
    assert (ok.status, ok.headers.get("Expires"), ok.to.tag) == (200, "600", notify.from_.tag)
    assert ok.headers.get("Allow-Events") == "door"
    assert (notify.method, notify.uri, notify.to.tag) == ("NOTIFY", "sip:101@192.0.2.10:5062", "f1")
    assert [
        notify.headers.get(name) for name in ("Event", "Subscription-State", "Content-Type", "Contact")
    ] == [
        "door;id=5",
        "active;expires=600",
        "text/plain",
        "<sip:100@192.0.2.1:5060>",
    ]
    assert notify.body == b"100 shut 1 all"
    answer(wire, notify)
    # A change is told; two while that is under way make one more.
    for state in ("open", "ajar", "shut"):
        door.state = state
        notifier.notify("door", "100")
    notify = wire.request()
    assert notify.body == b"100 open 2 part"
    answer(wire, notify)
    notify = wire.request()
    assert notify.body == b"100 shut 3 part"
    answer(wire, notify)
    # A refresh, by another way: it is answered, and everything is told anew.
    wire.timers.wait(100)
    tag = ok.to.tag
    wire.receive(
        subscribe(2, To=f"<sip:100@192.0.2.1>;tag={tag}", Expires="60", Contact="<sip:101@192.0.2.10:6000>")
    )
    again, notify = pair(wire)
    assert (again.status, again.headers.get("Expires")) == (200, "60")
    assert (notify.uri, notify.headers.get("Subscription-State")) == (
        "sip:101@192.0.2.10:6000",
        "active;expires=60",
    )
    answer(wire, notify)
    # Nobody refreshes it any more.
    wire.timers.wait(60)
    notify = wire.request()
    assert notify.headers.get("Subscription-State") == "terminated;reason=timeout"
    assert len(notifier) == 1
    answer(wire, notify)
    assert (len(notifier), wire.endpoint.dialogs) == (0, 0)
    wire.timers.wait(64)
    assert (wire.endpoint.transactions, len(wire.timers.heap), wire.take()) == (0, 0, [])


def test_unsubscribing(wire: Wire, notifier: Notifier) -> None:
    ok, notify = first(wire)
    answer(wire, notify)
    wire.receive(subscribe(2, To=f"<sip:100@192.0.2.1>;tag={ok.to.tag}", Expires="0"))
    gone, notify = pair(wire)
    assert gone.headers.get("Expires") == "0"
    assert notify.headers.get("Subscription-State") == "terminated;reason=timeout"
    answer(wire, notify)
    assert (len(notifier), wire.endpoint.dialogs) == (0, 0)
    notifier.notify("door", "100")
    assert wire.take() == []


def test_a_fetch_leaves_nothing(wire: Wire, notifier: Notifier) -> None:
    _, notify = first(wire, Expires="0")
    assert notify.body == b"100 shut 1 all"
    answer(wire, notify)
    assert len(notifier) == 0


@pytest.mark.parametrize(
    ("changes", "status", "header"),
    [
        ({"Event": "presence"}, 489, ("Allow-Events", "door")),
        ({"Event": None}, 489, ("Allow-Events", "door")),
        ({"Event": "door;"}, 400, None),
        ({"Expires": "5"}, 423, ("Min-Expires", "60")),
        ({"Accept": "application/pidf+xml"}, 406, ("Accept", "text/plain")),
        ({"Contact": None}, 400, None),
        ({"uri": "sip:666@192.0.2.1"}, 403, None),
        ({"From": "<sip:999@x>;tag=f1"}, 401, ("WWW-Authenticate", "Digest")),
    ],
)
def test_refused(
    wire: Wire,
    notifier: Notifier,
    changes: dict[str, str | None],
    status: int,
    header: tuple[str, str] | None,
) -> None:
    wire.receive(subscribe(**changes))
    response = wire.response()
    assert response.status == status
    if header is not None:
        assert response.headers.get(header[0]) == header[1]
    assert (len(notifier), wire.endpoint.dialogs) == (0, 0)


@pytest.mark.parametrize("accept", ["text/plain;q=0.5", "a/b, text/*", "*/*"])
def test_what_the_subscriber_can_read(wire: Wire, notifier: Notifier, accept: str) -> None:
    assert first(wire, Accept=accept)[0].status == 200


def test_nothing_is_offered_yet(wire: Wire) -> None:
    Notifier(wire.endpoint, identify)
    wire.receive(subscribe())
    response = wire.response()
    assert (response.status, "Allow-Events" in response.headers) == (489, False)


def test_what_may_be_asked_in_the_dialog(wire: Wire, notifier: Notifier) -> None:
    ok, notify = first(wire)
    answer(wire, notify)
    to = f"<sip:100@192.0.2.1>;tag={ok.to.tag}"
    wire.receive(text_of("MESSAGE", To=to))
    assert wire.response().status == 405
    for number, event, status in ((2, "door", 481), (3, None, 481), (4, "x;", 400)):
        wire.receive(subscribe(number, To=to, Event=event))
        assert wire.response().status == status
    wire.receive(subscribe(5, To=to, From="<sip:102@x>;tag=f1"))
    assert wire.response().status == 403
    wire.receive(subscribe(1, To=to, Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKlate"))
    assert wire.response().status == 500  # out of order
    wire.receive(text_of("ACK", To=to))
    assert (wire.take(), len(notifier)) == ([], 1)


@pytest.mark.parametrize("name", ["MAX_PER_SUBSCRIBER", "MAX_SUBSCRIPTIONS"])
def test_too_many(wire: Wire, notifier: Notifier, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(subscriptions, name, 2)
    for call_id in ("one", "two"):
        assert first(wire, Call_ID=call_id)[0].status == 200
    wire.receive(subscribe(Call_ID="three"))
    response = wire.response()
    assert (response.status, response.headers.get("Retry-After")) == (503, "60")
    # One phone's greed is not the others' loss.
    other = subscribe(Call_ID="four", From="<sip:102@192.0.2.1>;tag=f2")
    wire.receive(other)
    answers = wire.take()
    assert isinstance(answers[0], Response)
    assert answers[0].status == (200 if name == "MAX_PER_SUBSCRIBER" else 503)


def test_a_subscriber_that_is_gone_is_forgotten(wire: Wire, notifier: Notifier) -> None:
    first(wire)
    wire.timers.wait(32)  # timer F of the NOTIFY
    assert (len(notifier), wire.endpoint.dialogs) == (0, 0)


def test_a_subscriber_that_forgot(wire: Wire, notifier: Notifier) -> None:
    _, notify = first(wire)
    answer(wire, notify, 481)
    assert len(notifier) == 0
    # An answer that comes again says nothing.
    answer(wire, notify, 481)
    assert wire.take() == []


def test_a_subscriber_that_asks_for_a_pause(wire: Wire, notifier: Notifier) -> None:
    _, notify = first(wire)
    answer(wire, notify, 100)
    answer(wire, notify, 503, ("Retry-After", "20 (lunch)"))
    notifier.notify("door", "100")
    wire.timers.wait(19)
    assert wire.take() == []
    wire.timers.wait(1)
    assert wire.request().body == b"100 shut 2 all"


def test_everybody_who_watches_is_told(wire: Wire, notifier: Notifier) -> None:
    for call_id, uri in (("a", "100"), ("b", "100"), ("c", "101")):
        _, notify = first(wire, Call_ID=call_id, uri=f"sip:{uri}@192.0.2.1")
        answer(wire, notify)
    notifier.notify("door", "100")
    told = wire.take()
    assert [notify.call_id for notify in told] == ["a", "b"]
    for one in told:
        assert isinstance(one, Request)
        answer(wire, one)
    notifier.terminate("door", "101", "noresource")
    assert wire.request().headers.get("Subscription-State") == "terminated;reason=noresource"
    notifier.shut_down()
    assert {notify.headers.get("Subscription-State") for notify in wire.take()} == {
        "terminated;reason=probation;retry-after=10"
    }
    wire.receive(subscribe(Call_ID="d"))
    refusal = wire.response()
    assert (refusal.status, refusal.headers.get("Retry-After")) == (503, "10")


def test_changes_are_told_at_the_package_s_pace(wire: Wire, door: Door, notifier: Notifier) -> None:
    door.pace = 1.0
    _, notify = first(wire)
    answer(wire, notify)
    for door.state in ("open", "ajar"):
        notifier.notify("door", "100")
    wire.timers.wait(0.9)
    assert wire.take() == []
    wire.timers.wait(0.1)
    notify = wire.request()
    assert notify.body == b"100 ajar 2 part"
    answer(wire, notify)


def test_a_crowd_is_told_bit_by_bit(wire: Wire, notifier: Notifier) -> None:
    crowd = [f"c{number}" for number in range(subscriptions.SLICE + 2)]
    for call_id in crowd:
        _, notify = first(wire, Call_ID=call_id)
        answer(wire, notify)
    notifier.notify("door", "100")
    told = wire.take()
    assert [each.call_id for each in told] == crowd[:-2]
    # One of those that wait is over by then.
    wire.receive(
        subscribe(2, Call_ID=crowd[-1], To=f"<sip:100@192.0.2.1>;tag={notify.from_.tag}", Expires="0")
    )
    answer(wire, pair(wire)[1])
    wire.timers.wait(subscriptions.SLICE_PAUSE)
    assert wire.request().call_id == crowd[-2]


def test_an_extension_that_is_gone_watches_nothing(wire: Wire, notifier: Notifier) -> None:
    _, notify = first(wire)
    answer(wire, notify)
    notifier.dismiss("102")
    assert wire.take() == []
    notifier.dismiss("101")
    notify = wire.request()
    assert notify.headers.get("Subscription-State") == "terminated;reason=rejected"
    answer(wire, notify)
    assert len(notifier) == 0


def test_a_subscription_goes_where_its_phone_has_moved(wire: Wire, door: Door) -> None:
    moved = Flow("tcp", UDP.local, ("192.0.2.10", 40_000), 7)
    asked: list[tuple[str, str, float]] = []

    def find_flow(subscriber: str, contact: Uri, since: float) -> Flow | None:
        asked.append((subscriber, str(contact), since))
        return moved if wire.timers.now() > 1005 else None

    notifier = Notifier(wire.endpoint, identify, find_flow)
    notifier.serve(door)
    ok, notify = first(wire)
    answer(wire, notify)
    wire.timers.wait(10)
    notifier.notify("door", "100")
    assert [flow for flow, _ in wire.out] == [moved]
    answer(wire, wire.request())
    # Where it was heard of last counts, here and there.
    wire.receive(subscribe(2, To=f"<sip:100@192.0.2.1>;tag={ok.to.tag}"))
    wire.take()
    assert asked == [("101", "sip:101@192.0.2.10:5062", at) for at in (1000.0, 1000.0, 1010.0)]


def test_proxies_on_the_way_stay_on_it(wire: Wire, door: Door) -> None:
    def find_flow(_subscriber: str, _contact: Uri, _since: float) -> Flow:
        raise AssertionError

    notifier = Notifier(wire.endpoint, identify, find_flow)
    notifier.serve(door)
    _, notify = first(wire, Record_Route="<sip:192.0.2.99;lr>")
    assert notify.headers.get("Route") == "<sip:192.0.2.99;lr>"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("sip:100:secret@x.example:5070;transport=tcp", "sip:100@x.example:5070"),
        ("sips:100@x.example", "sips:100@x.example"),
        ("tel:+1-00", "sip:+100@192.0.2.1:5060"),
    ],
)
def test_what_is_watched_goes_by_its_plain_name(wire: Wire, asked: str, named: str) -> None:
    class Namer(Door):
        def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
            return lambda _: str(resource).encode()

    Notifier(wire.endpoint, identify).serve(Namer())
    _, notify = first(wire, uri=asked)
    assert notify.body.decode() == named


def test_a_package_that_fails_costs_its_subscription_only(wire: Wire, door: Door, notifier: Notifier) -> None:
    _, notify = first(wire)
    answer(wire, notify)
    door.broken = True
    notifier.notify("door", "100")
    assert (len(notifier), wire.take()) == (0, [])
    wire.receive(subscribe(Call_ID="next"))
    assert (wire.response().status, len(notifier)) == (200, 0)


def test_an_answer_that_comes_when_it_is_over(wire: Wire, notifier: Notifier) -> None:
    _, notify = first(wire)
    (subscription,) = notifier._watchers["door", "100"]
    subscription.live.end()
    subscription.live.end()
    answer(wire, notify)
    assert (len(notifier), wire.take()) == (0, [])


def test_an_acceptance_of_nothing_is_our_defect(wire: Wire, notifier: Notifier) -> None:
    first(wire)
    (subscription,) = notifier._watchers["door", "100"]
    with pytest.raises(LocalError):
        subscription.live.run([Accept(5)])


def test_nothing_to_say_has_no_type(wire: Wire, door: Door, notifier: Notifier) -> None:
    door.state = ""
    _, notify = first(wire)
    assert ("Content-Type" in notify.headers, notify.body) == (False, b"")


class Call:
    """The user of a dialog that an INVITE made: it gives SUBSCRIBEs to the notifier."""

    def __init__(self, wire: Wire, notifier: Notifier) -> None:
        invite = parse_message(text_of("INVITE"))
        assert isinstance(invite, Request)
        self.dialog = Dialog.of_uas(invite, "ours", "<sip:100@192.0.2.1>")
        self.notifier = notifier
        wire.endpoint.add_dialog(self.dialog.id, self)

    def receive(self, transaction: ServerTransaction) -> None:
        self.dialog.receive_request(transaction.request)
        self.notifier.receive_within(transaction, self.dialog)

    def receive_ack(self, ack: Request) -> None:
        raise AssertionError


WITHIN = {"To": "<sip:100@192.0.2.1>;tag=ours"}


def test_in_the_dialog_of_a_call(wire: Wire, door: Door, notifier: Notifier) -> None:
    call = Call(wire, notifier)
    wire.receive(subscribe(2, Event="door", **WITHIN))
    ok, notify = pair(wire)
    assert (ok.status, notify.call_id, notify.from_.tag) == (200, "c1@192.0.2.10", "ours")
    assert (notify.cseq.number, notify.body) == (1, b"100 shut 1 all")
    answer(wire, notify)
    # Another one beside it, and one that exists already: a refresh.
    wire.receive(subscribe(3, **WITHIN))
    answer(wire, pair(wire)[1])
    wire.receive(subscribe(4, Expires="60", **WITHIN))
    _, notify = pair(wire)
    assert notify.headers.get("Subscription-State") == "active;expires=60"
    answer(wire, notify)
    wire.receive(subscribe(5, From="<sip:102@x>;tag=f1", **WITHIN))
    assert wire.response().status == 403
    assert len(notifier) == 2
    door.state = "open"
    notifier.notify("door", "100")
    for told in wire.take():
        assert isinstance(told, Request)
        answer(wire, told)
    # The call is over; its dialog was never the notifier's.
    notifier.leave(call.dialog)
    last = wire.take()
    assert {each.headers.get("Subscription-State") for each in last} == {"terminated;reason=noresource"}
    for told in last:
        assert isinstance(told, Request)
        answer(wire, told, 481)
    assert (len(notifier), wire.endpoint.dialogs) == (0, 1)
    notifier.leave(call.dialog)
    assert (wire.take(), notifier._shared) == ([], {})


@pytest.mark.parametrize(
    ("changes", "status"), [({"Event": "presence"}, 489), ({"Event": None}, 489), ({"Expires": "5"}, 423)]
)
def test_refused_in_the_dialog_of_a_call(
    wire: Wire, notifier: Notifier, changes: dict[str, str | None], status: int
) -> None:
    Call(wire, notifier)
    wire.receive(subscribe(2, **(WITHIN | changes)))
    assert wire.response().status == status
    assert (len(notifier), notifier._shared) == (0, {})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5), (" 7;duration=3", 7), ("9 (x)", 9), ("x", None), ("9x", None), ("", None)],
)
def test_retry_after(value: str, seconds: int | None) -> None:
    assert retry_after(Response(503, headers=Headers([("Retry-After", value)]))) == seconds
