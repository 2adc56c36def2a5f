"""appliance/sip/subscriber.py on the wire: what we want to be told by others.

RFC 6665 §4.1, §4.4.1. Time is turned by hand.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from appliance.errors import LocalError
from appliance.sip.message import Event, Headers, Request, Response, SubscriptionState
from appliance.sip.subscriber import Subscriber, Wish
from appliance.sip.transport.flow import Flow, TransportError
from tests.sip.wire import UDP, Wire, text_of

WISH = Wish("sip:102@192.0.2.10", "<sip:101@192.0.2.1>", "101", Event.of("door"), ("text/plain", "a/b"), 600)


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.deaf = False

    def notified(self, state: SubscriptionState, content_type: str | None, body: bytes) -> None:
        if self.deaf:
            raise ZeroDivisionError
        self.heard.append(f"{state.state} {content_type} {body.decode()}")

    def lost(self, reason: str) -> None:
        self.heard.append(f"lost {reason}")

    def over(self, reason: str) -> None:
        self.heard.append(f"over {reason}")


class Peer:
    """A notifier at the other end of the wire."""

    def __init__(self, wire: Wire, subscriber: Subscriber) -> None:
        self.wire = wire
        self.seq = 0
        subscriber.start()
        self.subscribe = wire.request()

    def accept(self, expires: int = 600, tag: str = "t1") -> None:
        headers = (("Expires", str(expires)), ("Contact", "<sip:102@192.0.2.10:5062>"))
        self.wire.receive(self.subscribe.respond(200, to_tag=tag, headers=headers))

    def notify(self, state: str, *, tag: str = "t1", **changes: str | None) -> Response:
        self.seq += 1
        usual: dict[str, str | None] = {
            "Via": f"SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKn{self.seq};rport",
            "From": f"<sip:102@192.0.2.10>;tag={tag}",
            "To": self.subscribe.headers.get("From"),
            "Call-ID": self.subscribe.call_id,
            "CSeq": f"{self.seq} NOTIFY",
            "Contact": "<sip:102@192.0.2.10:5062>",
            "Event": "door",
            "Subscription-State": state,
            "Content-Type": "text/plain",
            "body": "open",
        }
        usual = {name.replace("-", "_"): value for name, value in usual.items()}
        self.wire.receive(text_of("NOTIFY", **(usual | changes)))
        return self.wire.response()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def subscriber(wire: Wire, ear: Ear) -> Subscriber:
    return Subscriber(wire.endpoint, random.Random(1), WISH, lambda: UDP, ear)


def test_a_whole_life(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    sent = peer.subscribe
    assert (sent.uri, sent.headers.get("Event"), sent.headers.get("Accept")) == (
        "sip:102@192.0.2.10",
        "door",
        "text/plain, a/b",
    )
    assert (sent.expires, sent.headers.get("Contact")) == (600, "<sip:101@192.0.2.1:5060>")
    peer.accept()
    assert peer.notify("active;expires=600").status == 200
    # It is refreshed in its dialog, at the address that the peer named.
    wire.timers.wait(536)
    peer.subscribe = wire.request()
    assert (peer.subscribe.uri, peer.subscribe.to.tag) == ("sip:102@192.0.2.10:5062", "t1")
    assert peer.subscribe.cseq.number == 2
    peer.accept()
    assert peer.notify("active;expires=600").status == 200
    assert wire.endpoint.dialogs == 1
    subscriber.stop()
    peer.subscribe = wire.request()
    assert peer.subscribe.expires == 0
    peer.accept(0)
    assert peer.notify("terminated;reason=timeout").status == 200
    assert ear.heard == [
        "active text/plain open", "active text/plain open", "terminated text/plain open", "over timeout"
    ]  # fmt: skip
    wire.timers.wait(64)
    assert (wire.endpoint.dialogs, wire.endpoint.transactions, len(wire.timers.heap)) == (0, 0, 0)
    with pytest.raises(LocalError):
        subscriber.start()


def test_the_notify_overtakes_the_2xx(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    assert peer.notify("active;expires=60").status == 200
    peer.accept()
    assert ear.heard == ["active text/plain open"]
    assert wire.endpoint.dialogs == 1
    # §4.4.1: what another branch of a fork says is refused.
    assert peer.notify("active", tag="t2").status == 481


def test_the_notify_comes_from_elsewhere_than_the_2xx(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    peer.accept(tag="t1")
    assert peer.notify("active", tag="t2").status == 200
    assert peer.notify("active", tag="t1").status == 481
    assert wire.endpoint.dialogs == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"Event": "window"}, 481), ({"Event": None}, 400), ({"Subscription_State": None}, 400), ({"Contact": None}, 400)],
)  # fmt: skip
def test_notifies_that_are_refused(
    wire: Wire, ear: Ear, subscriber: Subscriber, changes: dict[str, Any], status: int
) -> None:
    peer = Peer(wire, subscriber)
    assert peer.notify("active", **changes).status == status
    assert ear.heard == []
    # Nor does it make the dialog.
    assert peer.notify("active", tag="t9").status == 200


def test_what_else_may_come_in_the_dialog(wire: Wire, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    peer.accept()
    peer.notify("active")
    same = {"Call_ID": peer.subscribe.call_id, "To": peer.subscribe.headers.get("From")}
    wire.receive(text_of("INFO", From="<sip:102@192.0.2.10>;tag=t1", **same))
    assert wire.response().status == 405
    wire.receive(text_of("ACK", From="<sip:102@192.0.2.10>;tag=t1", **same))
    assert wire.take() == []
    peer.seq = 0
    assert (
        peer.notify("active", Via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKlate").status == 500
    )  # out of order


def test_without_a_notify_another_try(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    peer.accept()
    wire.timers.wait(32)
    assert (ear.heard, wire.endpoint.dialogs) == (["lost silence"], 0)
    wire.timers.wait(30)
    again = wire.take()[0]
    assert again.call_id != peer.subscribe.call_id
    assert peer.notify("active").status == 481  # of the one that is over


def test_nobody_answers(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    Peer(wire, subscriber)
    wire.timers.wait(32)
    assert ear.heard == ["lost 408"]
    assert wire.endpoint.dialogs == 0


def test_refused_for_good(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    wire.receive(peer.subscribe.respond(100))
    wire.receive(peer.subscribe.respond(489, to_tag="t1"))
    assert (ear.heard, wire.endpoint.dialogs) == (["over 489"], 0)


@pytest.mark.parametrize(("value", "wanted"), [("900", 900), ("x", None), (None, None)])
def test_too_brief(
    wire: Wire, ear: Ear, subscriber: Subscriber, value: str | None, wanted: int | None
) -> None:
    peer = Peer(wire, subscriber)
    headers = () if value is None else (("Min-Expires", value),)
    wire.receive(peer.subscribe.respond(423, to_tag="t1", headers=headers))
    if wanted is None:
        assert ear.heard == ["over 423"]
    else:
        assert wire.request().expires == wanted


def test_there_is_no_way(wire: Wire, ear: Ear) -> None:
    ways = [True]

    def way() -> Flow:
        if ways:
            raise TransportError("no way there")
        return UDP

    subscriber = Subscriber(wire.endpoint, random.Random(1), WISH, way, ear)
    subscriber.start()
    wire.timers.wait(0)
    assert ear.heard == ["lost 503"]
    ways.clear()
    wire.timers.wait(30)
    assert wire.take()[0].cseq.method == "SUBSCRIBE"


def test_stopped_while_there_is_no_way(wire: Wire, ear: Ear) -> None:
    def way() -> Flow:
        raise TransportError("no way there")

    subscriber = Subscriber(wire.endpoint, random.Random(1), WISH, way, ear)
    subscriber.start()
    subscriber.stop()
    wire.timers.wait(0)
    assert ear.heard == ["over "]


def prove(request: Request, challenge: Response) -> Request | None:
    headers = Headers(item for item in request.headers.items() if item[0] not in {"Via", "CSeq"})
    headers.add("CSeq", f"{request.cseq.number + 1} SUBSCRIBE")
    headers.add("Authorization", "Digest proof")
    return Request("SUBSCRIBE", request.uri, headers)


def test_a_challenge_is_answered_once(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    subscriber.authorize = prove
    peer = Peer(wire, subscriber)
    wire.receive(peer.subscribe.respond(401, to_tag="t0"))
    peer.subscribe = wire.request()
    assert peer.subscribe.headers.get("Authorization") == "Digest proof"
    peer.accept()
    peer.notify("active;expires=60")
    wire.timers.wait(30)
    refresh = wire.request()
    wire.receive(refresh.respond(401))
    proven = wire.request()
    assert (refresh.cseq.number, proven.cseq.number) == (3, 4)
    wire.receive(proven.respond(401))
    wire.timers.wait(1)
    subscriber.stop()
    assert wire.request().cseq.number == 5


def test_a_challenge_that_cannot_be_answered(wire: Wire, ear: Ear, subscriber: Subscriber) -> None:
    peer = Peer(wire, subscriber)
    wire.receive(peer.subscribe.respond(401, to_tag="t0"))
    assert ear.heard == ["over 401"]


def test_a_listener_that_fails_does_not_end_the_subscription(
    wire: Wire, ear: Ear, subscriber: Subscriber
) -> None:
    peer = Peer(wire, subscriber)
    peer.accept()
    ear.deaf = True
    assert peer.notify("active;expires=60").status == 200
    wire.timers.wait(30)
    assert wire.request().method == "SUBSCRIBE"  # the refresh
