"""Where phones are. RFC 3261 §10.3."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.directory import Binding, Bindings, Change
from appliance.directory.bindings import MAX_BINDINGS
from appliance.errors import PeerError
from appliance.sip.message import Params, Uri
from appliance.sip.transport.flow import Flow, TransportError
from tests.directory.fakes import HOME, HandClock

TCP = Flow("tcp", ("192.0.2.10", 5060), ("192.0.2.21", 40000), 7)


def binding(
    clock: HandClock, contact: str = "sip:101@192.0.2.21", number: str = "101", **other: Any
) -> Binding:
    made = Binding(
        number=number, contact=Uri.parse(contact), flow=HOME, q=1.0, expires_at=clock.now() + 60, granted=60,
        user_agent="Phone/1", call_id="c", cseq=1, registered_at=5.0, refreshed_at=clock.now(),
    )  # fmt: skip
    return msgspec.structs.replace(made, **other)


class Listening:
    """Bindings, and what they tell."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.bindings = Bindings(self.clock)
        self.told: list[tuple[str, Change]] = []
        self.bindings.on_change(lambda binding, change: self.told.append((str(binding.contact), change)))

    def take(self) -> list[tuple[str, Change]]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def all_() -> Listening:
    return Listening()


def contacts(bindings: Bindings, number: str = "101") -> list[str]:
    return [str(each.contact) for each in bindings.lookup(number)]


def test_highest_q_first_then_the_latest(all_: Listening) -> None:
    for contact, q in [("sip:1@a", 0.5), ("sip:2@a", 1.0), ("sip:3@a", 0.5)]:
        all_.clock.advance(1)
        all_.bindings.update("101", [binding(all_.clock, contact, q=q)])
    assert contacts(all_.bindings) == ["sip:2@a", "sip:3@a", "sip:1@a"]
    assert contacts(all_.bindings, "102") == []
    assert len(all_.bindings) == 3


def test_they_lapse_by_themselves(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock)])
    all_.clock.advance(59)
    all_.bindings.update("101", [binding(all_.clock, cseq=2)])
    all_.clock.advance(59)
    assert len(all_.bindings) == 1
    assert all_.clock.pending == 1
    all_.clock.advance(1)
    assert contacts(all_.bindings) == []
    assert all_.clock.pending == 0
    assert all_.take() == [("sip:101@192.0.2.21", Change.ADDED), ("sip:101@192.0.2.21", Change.GONE)]


def test_a_refresh_is_no_change_and_keeps_the_day_of_registration(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock)])
    all_.take()
    all_.bindings.update("101", [binding(all_.clock, cseq=2, registered_at=99.0)])
    assert all_.take() == []
    assert all_.bindings.lookup("101")[0].registered_at == 5.0
    all_.bindings.update("101", [binding(all_.clock, cseq=3, flow=TCP)])
    assert all_.take() == [("sip:101@192.0.2.21", Change.MOVED)]


def test_equivalent_uris_are_one_contact(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock, "sip:%6101@HOST")])
    all_.bindings.update("101", [binding(all_.clock, "sip:a01@host;x=y", cseq=2)])
    assert contacts(all_.bindings) == ["sip:a01@host;x=y"]


def test_a_phone_that_restarts_replaces_itself(all_: Listening) -> None:
    params = Params({"+sip.instance": '"<urn:uuid:1>"'})
    all_.bindings.update("101", [binding(all_.clock, "sip:1@a:4000", params=params)])
    all_.bindings.update("101", [binding(all_.clock, "sip:1@a:5000", params=params, call_id="new")])
    assert contacts(all_.bindings) == ["sip:1@a:5000"]
    all_.bindings.update("101", [binding(all_.clock, "sip:1@a:6000", params=params.put("reg-id", "2"))])
    assert len(all_.bindings) == 2


def test_a_late_request_changes_nothing(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock, cseq=5)])
    for late in (4, 5):
        with pytest.raises(PeerError) as refusal:
            all_.bindings.update(
                "101", [binding(all_.clock, "sip:new@a", cseq=late), binding(all_.clock, cseq=late)]
            )
        assert refusal.value.status == 500
        with pytest.raises(PeerError):
            all_.bindings.clear("101", "c", late)
    assert contacts(all_.bindings) == ["sip:101@192.0.2.21"]
    all_.bindings.update("101", [binding(all_.clock, call_id="another", cseq=1)])
    assert all_.bindings.lookup("101")[0].call_id == "another"


def test_dropping(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock, "sip:1@a"), binding(all_.clock, "sip:2@a")])
    all_.bindings.update(
        "101", [], [binding(all_.clock, "sip:1@a", cseq=2), binding(all_.clock, "sip:9@a", cseq=2)]
    )
    assert contacts(all_.bindings) == ["sip:2@a"]
    all_.bindings.clear("101", "c", 3)
    all_.bindings.clear("nobody", "c", 1)
    all_.bindings.forget("101")
    assert len(all_.bindings) == 0
    assert all_.clock.pending == 0


def test_one_extension_has_so_many_and_no_more(all_: Listening) -> None:
    for host in range(MAX_BINDINGS + 2):
        all_.clock.advance(1)
        all_.bindings.update("101", [binding(all_.clock, f"sip:101@h{host}")])
    assert len(all_.bindings) == MAX_BINDINGS
    assert "sip:101@h0" not in contacts(all_.bindings)
    assert ("sip:101@h1", Change.GONE) in all_.take()


def test_a_lost_connection_takes_its_bindings_along(all_: Listening) -> None:
    all_.bindings.update("101", [binding(all_.clock, "sip:1@a", flow=TCP), binding(all_.clock, "sip:2@a")])
    all_.bindings.connection_lost(HOME)
    all_.bindings.connection_lost(TCP)
    assert contacts(all_.bindings) == ["sip:2@a"]


def test_over_a_restart(all_: Listening) -> None:
    params = Params({"+sip.instance": '"<urn:uuid:1,2>"'})
    whole = binding(all_.clock, "sip:1@a;x?y=z", params=params, q=0.5)
    all_.bindings.update("101", [whole, binding(all_.clock, "sip:2@a", flow=TCP)])
    later = Listening()
    later.clock.advance(500)
    rows = all_.bindings.to_rows()
    assert all(isinstance(value, str | int | float) for row in rows for value in row)
    later.bindings.from_rows(rows)
    (back,) = later.bindings.all()
    assert back == msgspec.structs.replace(whole, expires_at=1560.0, refreshed_at=1500.0)
    assert later.take() == []
    later.clock.advance(60)
    assert later.take() == [("sip:1@a;x?y=z", Change.GONE)]


def test_all_by_extension(all_: Listening) -> None:
    for number in ("102", "101"):
        all_.bindings.update(number, [binding(all_.clock, number=number)])
    assert [each.number for each in all_.bindings.all()] == ["101", "102"]


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("<sip:192.0.2.80:5070;transport=tcp;lr>, <sip:edge.example;lr>", ("192.0.2.80", 5070)),
        ("<sip:[2001:db8::1];lr>", ("2001:db8::1", 5060)),
        ("<sip:192.0.2.80;transport=udp;lr>", None),
        ("<sip:proxy.example;lr>", None),
    ],
)
def test_a_proxy_may_close_its_connection(path: str, remote: tuple[str, int] | None) -> None:
    clock, opened = HandClock(), []

    def flow_to(transport: str, remote: tuple[str, int]) -> Flow:
        opened.append((transport, remote))
        if len(opened) > 1:
            raise TransportError("nobody there")
        return Flow(transport, TCP.local, remote, 8)

    bindings = Bindings(clock, flow_to)
    bindings.update("101", [binding(clock, flow=TCP, path=path)])
    assert [each.flow for each in bindings.targets("101")] == [TCP]
    bindings.connection_lost(TCP)
    if remote is None:
        assert bindings.all() == []
        return
    assert bindings.targets("101") == [binding(clock, path=path, flow=Flow("tcp", TCP.local, remote, 8))]
    assert bindings.targets("101") == [], "the proxy is down"
    assert opened == [("tcp", remote)] * 2
    later = Bindings(clock)
    later.from_rows(bindings.to_rows())
    assert later.lookup("101") == bindings.lookup("101")
    assert later.targets("101") == []
    clock.advance(60)
    assert clock.pending == 0


def test_who_is_online_and_where(all_: Listening) -> None:
    assert all_.bindings.count_online() == 0
    all_.bindings.update("101", [binding(all_.clock), binding(all_.clock, "sip:101@b", flow=TCP)])
    all_.bindings.update("102", [binding(all_.clock, "sip:102@c", "102")])
    assert all_.bindings.count_online() == 2
    assert all_.bindings.is_at("101", TCP)
    assert not all_.bindings.is_at("102", TCP)
    assert not all_.bindings.is_at("101", Flow("tcp", TCP.local, TCP.remote, 8)), "another connection"
    assert not all_.bindings.is_at("103", HOME)
    assert all_.bindings.is_near("101", TCP.remote[0])
    assert not all_.bindings.is_near("103", TCP.remote[0])
    assert not all_.bindings.is_near("101", "198.51.100.200")


def test_where_a_phone_has_moved_to(all_: Listening) -> None:
    bindings, contact = all_.bindings, Uri.parse("sip:101@192.0.2.21")
    registered = all_.clock.now()
    bindings.update("101", [binding(all_.clock)])
    assert bindings.moved_to("101", contact, registered) is None, "it was heard of since"
    assert bindings.moved_to("101", contact, registered - 1) == HOME
    assert bindings.moved_to("101", Uri.parse("sip:101@192.0.2.99"), 0) is None, "another phone"
    assert bindings.moved_to("102", contact, 0) is None
    all_.clock.advance(10)
    bindings.update("101", [binding(all_.clock, flow=TCP, cseq=2)])
    assert bindings.moved_to("101", contact, registered) == TCP
    bindings.update("101", [binding(all_.clock, flow=HOME, cseq=3, path="<sip:192.0.2.99;lr>")])
    assert bindings.moved_to("101", contact, 0) is None, "it is behind a proxy"
