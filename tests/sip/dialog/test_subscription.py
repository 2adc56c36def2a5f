"""What both ends of a subscription share. RFC 6665 §4.2.1.1; RFC 3515 §2.4.6."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.subscription import Lifetime, Usages, dialog_of_notify
from appliance.sip.message import Event, Headers, Request
from tests.sip.dialog.explore import explore


@pytest.mark.parametrize(("wanted", "granted"), [(None, 600), (0, 0), (60, 60), (3600, 3600), (2**32, 3600)])
def test_lifetime(wanted: int | None, granted: int) -> None:
    assert Lifetime(60, 600, 3600).grant(wanted) == granted


def test_too_brief() -> None:
    with pytest.raises(PeerError) as refusal:
        Lifetime(60, 600, 3600).grant(59)
    assert (refusal.value.status, refusal.value.headers) == (423, (("Min-Expires", "60"),))


@pytest.mark.parametrize("figures", [(0, 1, 2), (3, 2, 4), (3, 5, 4), (3601, 3601, 3601)])
def test_a_lifetime_that_can_never_be_granted(figures: tuple[int, int, int]) -> None:
    with pytest.raises(LocalError):
        Lifetime(*figures)


def test_several_in_one_dialog() -> None:
    usages: Usages[str] = Usages()
    usages.add(Event.of("refer", "7"), "first")
    usages.add(Event.of("refer", "9"), "second")
    usages.add(Event.of("dialog"), "lamp")
    assert usages.find(Event.of("refer", "9")) == "second"
    assert usages.find(Event.of("dialog")) == "lamp"
    # Only later REFERs must be named.
    assert usages.find(Event.of("refer")) == "first"
    usages.remove(Event.of("refer", "7"))
    usages.remove(Event.of("refer", "7"))
    assert (usages.all(), len(usages)) == (["second", "lamp"], 2)


@pytest.mark.parametrize("event", [Event.of("refer"), Event.of("dialog", "1"), Event.of("presence")])
def test_one_that_is_not_there(event: Event) -> None:
    usages: Usages[str] = Usages()
    usages.add(Event.of("dialog"), "lamp")
    with pytest.raises(PeerError) as refusal:
        usages.find(event)
    assert refusal.value.status == 481


def test_too_many_in_one_dialog() -> None:
    usages: Usages[int] = Usages()
    for number in range(Usages.MOST):
        usages.add(Event.of("refer", str(number)), number)
    with pytest.raises(PeerError) as refusal:
        usages.add(Event.of("refer"), 0)
    assert refusal.value.status == 500
    assert len(usages) == Usages.MOST


def test_a_name_that_is_taken() -> None:
    usages: Usages[int] = Usages()
    usages.add(Event.of("refer"), 1)
    with pytest.raises(PeerError):
        usages.add(Event.of("refer"), 2)
    assert usages.find(Event.of("refer")) == 1


def notify(*headers: tuple[str, str]) -> Request:
    names = [
        ("From", "<sip:102@x>;tag=theirs"),
        ("To", "<sip:101@x>;tag=ours"),
        ("Call-ID", "c"),
        ("CSeq", "9 NOTIFY"),
    ]
    return Request("NOTIFY", "sip:101@y", Headers([*names, *headers]))


SUBSCRIBE = Request("SUBSCRIBE", "sip:102@x", Headers([("CSeq", "3 SUBSCRIBE"), ("Contact", "<sip:101@y>")]))


def test_the_dialog_of_a_notify() -> None:
    first = notify(("Contact", "<sip:102@z>"), ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"))
    dialog = dialog_of_notify(SUBSCRIBE, first)
    assert dialog.id == ("c", "ours", "theirs")
    assert (dialog.confirmed, dialog.remote_seq, dialog.contact) == (True, 9, "<sip:101@y>")
    refresh = dialog.make_request("SUBSCRIBE")
    assert (refresh.uri, refresh.cseq.number, refresh.to.tag) == ("sip:102@z", 4, "theirs")
    assert refresh.headers.get_all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]


def test_a_notify_without_contact_makes_no_dialog() -> None:
    with pytest.raises(PeerError) as refusal:
        dialog_of_notify(SUBSCRIBE, notify())
    assert refusal.value.status == 400


def test_one_is_got_by_its_very_name() -> None:
    usages = Usages[str]()
    usages.add(Event.of("refer", "7"), "seven")
    assert usages.get(Event.of("refer", "7")) == "seven"
    assert (usages.get(Event.of("refer")), usages.get(None)) == (None, None)


EVENTS = [Event.of("refer", "7"), Event.of("refer", "9"), Event.of("refer"), Event.of("dialog")]
INPUTS: dict[str, Callable[[Usages[str]], object]] = {
    **{f"add {event}": lambda usages, event=event: usages.add(event, str(event)) for event in EVENTS},  # type: ignore[misc]  # mypy cannot infer the default
    **{f"find {event}": lambda usages, event=event: usages.find(event) for event in EVENTS},  # type: ignore[misc]
    **{f"remove {event}": lambda usages, event=event: usages.remove(event) for event in EVENTS},  # type: ignore[misc]
}  # fmt: skip


def test_every_input_whatever_is_there() -> None:
    outcomes = explore([Usages[str]()], INPUTS, lambda usages: ", ".join(usages.all()), steps=8)
    for (there, label), came in outcomes.items():
        verb, _, event = label.partition(" ")
        known = event in there.split(", ")
        if verb == "add":
            assert came == {"500" if known else "ok"}
        elif verb == "find":
            # RFC 3515 §2.4.6: a NOTIFY without an id is for the first REFER.
            assert came == {"ok" if known or (event == "refer" and "refer" in there) else "481"}
        else:
            assert came == {"ok"}
