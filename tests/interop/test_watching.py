"""Lamps, message counters and texts before the running exchange: real sockets, real passwords, real phones.

RFC 4235 and RFC 3842 by scripted phones, since baresip has no lamps but presence (RFC 3856); RFC 3428 and message counters by baresip
too. Lamps by a real phone's stack: features/test_real_lamps.py; by sipp: features/test_sipp_watching.py.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from appliance.sip.message import Request
from tests.call.watcher import DialogInfo, read_dialog_info
from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import Exchange, free_ports, running_exchange, wait_until
from tests.peers.sip_line import StreamLine
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

all_transports = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
with_baresip = pytest.mark.skipif(
    bool(baresip.why_not() or network.why_not()), reason=baresip.why_not() or network.why_not()
)


def subscribe(stage: Stage, phone: ScriptedPhone, number: str, event: str = "dialog") -> str:
    """Watch a number, with the password that is asked for; what the first NOTIFY says."""
    phone.invite(number)
    stage >> phone.ask("SUBSCRIBE", Event=event, Expires="600") << phone.gets(401)
    stage >> phone.prove() << phone.gets(200, "Expires: 600")
    phone.remote = phone.response().headers.get("To") or ""
    phone.target = str(phone.response().contacts[0].uri)
    return hears(stage, phone, "Subscription-State: active;expires=600")


def hears(stage: Stage, phone: ScriptedPhone, *contains: str) -> str:
    """The body of the NOTIFY that comes next."""
    stage << phone.gets("NOTIFY", *contains) >> phone.ok()
    assert isinstance(phone.asked, Request)
    return phone.asked.body.decode()


def sees(stage: Stage, phone: ScriptedPhone, *contains: str) -> DialogInfo:
    return read_dialog_info(hears(stage, phone, *contains).encode())


def sees_at_last(stage: Stage, phone: ScriptedPhone, state: str) -> DialogInfo:
    """The first document that says so; on a slow machine one may come before it."""
    info = sees(stage, phone)
    return info if info.states == [state] else sees(stage, phone)


@all_transports
def test_a_lamp(stage: Stage, transport: str) -> None:
    """Full state first, then a NOTIFY when it rings, is answered and ends; Expires: 0 ends it."""
    alice, bob, carol = stage.phone(), stage.phone(), stage.phone(transport)
    first = read_dialog_info(subscribe(stage, carol, bob.number).encode())
    assert (first.version, first.entity, first.dialogs) == (0, f"sip:{bob.number}@{carol.domain}", ())
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(180) << alice.gets(180)
    rings = sees_at_last(stage, carol, "early").only
    assert bob.invited is not None
    assert rings.names == (bob.invited.call_id, bob.tag, bob.invited.from_.tag)
    assert rings.remote == f"sip:{alice.number}@{carol.domain}"
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    assert sees(stage, carol).states == ["confirmed"]
    stage.hang_up(alice, bob)
    last = sees(stage, carol)
    assert last.states == ["terminated"]
    stage >> carol.ask("SUBSCRIBE", Event="dialog", Expires="0") << carol.gets(401)
    stage >> carol.prove() << carol.gets(200, "Expires: 0")
    gone = sees(stage, carol, "Subscription-State: terminated;reason=timeout")
    assert (gone.version, gone.dialogs) == (last.version + 1, ())
    stage.ends(alice, "normal")


def test_who_may_watch_what(stage: Stage) -> None:
    phone = stage.phone()
    for number, event, status in (
        ("999", "dialog", 404),
        (phone.number, "conference", 489),
        ("999", "presence", 404),
        ("999", "message-summary", 403),
    ):
        phone.invite(number)
        stage >> phone.ask("SUBSCRIBE", Event=event, Expires="600") << phone.gets(401)
        stage >> phone.prove() << phone.gets(status)
    phone.invite(phone.number)
    (
        stage
        >> phone.ask("SUBSCRIBE", Event="dialog")
        << phone.gets(401)
        >> phone.prove("wrong")
        << phone.gets(401)
    )


def test_a_phone_that_connects_anew_keeps_its_lamps(stage: Stage) -> None:
    alice, bob, carol = stage.phone(), stage.phone(), stage.phone("tcp")
    contact = carol.contact()
    subscribe(stage, carol, bob.number)
    dialog = carol.call_id, carol.local, carol.remote, carol.target, carol.cseq
    carol.line.close()
    wait_until(
        lambda: carol.number not in {each["number"] for each in _registrations(stage)}, "the phone is gone"
    )
    line = stage.line("tcp")
    assert isinstance(line, StreamLine)
    carol.line = line
    # The same contact as before: what its account says, not the port that the connection happens to have.
    stage.register(carol, contact)
    carol.call_id, carol.local, carol.remote, carol.target, carol.cseq = dialog
    stage.talk(alice, bob)
    assert sees_at_last(stage, carol, "confirmed").states == ["confirmed"]
    stage.hang_up(alice, bob)
    assert sees(stage, carol).states == ["terminated"]
    stage.ends(alice, "normal")


def _registrations(stage: Stage) -> list[dict[str, Any]]:
    registrations: list[dict[str, Any]] = stage.exchange.perform("registrations", "list")
    return registrations


@all_transports
def test_a_message_counter(stage: Stage, transport: str) -> None:
    phone = stage.phone(transport)
    told = subscribe(stage, phone, phone.number, "message-summary")
    assert told.splitlines() == [
        "Messages-Waiting: no",
        f"Message-Account: sip:{phone.number}@{phone.domain}",
        "Voice-Message: 0/0 (0/0)",
    ]


@all_transports
def test_a_text(stage: Stage, transport: str) -> None:
    alice, bob = stage.phone(transport), stage.phone("tls")
    before = stage.exchange.perform("status", "show")
    text = "Grüße aus dem Büro. 你好".encode() * 40
    alice.invite(bob.number)
    stage >> alice.ask("MESSAGE", text, Content_Type="text/plain;charset=utf-8") << alice.gets(401)
    stage >> alice.prove() << bob.gets("MESSAGE", f"<sip:{alice.number}@", "text/plain;charset=utf-8")
    assert bob.body == text
    stage >> bob.ok() << alice.gets(200)
    stage.vanish(bob)
    wait_until(
        lambda: bob.number not in {each["number"] for each in _registrations(stage)}, "the phone is gone"
    )
    alice.invite(bob.number)
    stage >> alice.ask("MESSAGE", b"anybody?", Content_Type="text/plain") << alice.gets(401)
    stage >> alice.prove() << alice.gets(480)
    after = stage.exchange.perform("status", "show")
    counted = [after[name] - before[name] for name in ("texts", "texts_refused")]
    assert counted == [1, 1]


def test_when_the_exchange_ends_its_lamps_come_back(tmp_path: Path) -> None:
    with running_exchange(tmp_path) as exchange, Stage(exchange) as stage:
        bob, carol = stage.phone(), stage.phone()
        subscribe(stage, carol, bob.number)
        exchange.process.send_signal(signal.SIGTERM)
        sees(stage, carol, "Subscription-State: terminated;reason=probation;retry-after=10")
        assert exchange.process.wait(timeout=15) == 0


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[..., tuple[Exchange, Baresip]]]:
    """Makes baresip phones on an exchange in a network of its own, which end with the test."""
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange, ExitStack() as stack:

        def start(number: str, **options: Any) -> tuple[Exchange, Baresip]:
            passwords = exchange.add_extensions(1, number)
            sip, control, screen = free_ports(exchange.sip[0], 3)
            account = number, passwords[number], exchange.sip
            made = Baresip(tmp_path / number, *account, ports=(sip, control), screen=screen, **options)
            return exchange, stack.enter_context(made)

        yield start


@with_baresip
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_writes_to_baresip(phone: Callable[..., tuple[Exchange, Baresip]], transport: str) -> None:
    exchange, bob = phone("102", transport=transport)
    _, alice = phone("101", transport=transport, contacts=("102",))
    exchange.wait_registered("101", "102")
    alice.command("message", "Lunch at noon?")
    bob.wait_shown(f'sip:101@{exchange.sip[0]}: "Lunch at noon?"')
    # One that is too long for UDP goes by TCP, which baresip always takes. Its screen shows 512 octets at most.
    alice.command("message", "bread " * 155)
    wait_until(lambda: exchange.perform("status", "show")["texts"] == 2, "the answers")


@with_baresip
def test_baresip_shows_its_messages(phone: Callable[..., tuple[Exchange, Baresip]]) -> None:
    exchange, alice = phone("101", modules=("mwi",))
    exchange.wait_registered("101")
    alice.wait_log("Voice-Message: 0/0 (0/0)")
    wait_until(lambda: exchange.perform("status", "show")["subscriptions"] == 1, "its answer")


@with_baresip
def test_baresip_sees_who_talks(phone: Callable[..., tuple[Exchange, Baresip]]) -> None:
    """By presence (RFC 3856): who is away, there, in a call, and away again."""
    exchange, bob = phone("102", answers=True)
    exchange.wait_registered("102")
    _, alice = phone("101", contacts=("102",), modules=("presence",))

    def shows(state: str) -> None:
        wait_until(lambda: state in alice.command("contacts"), f"{state} at alice's phone: {alice.log}", 20.0)

    shows("Online")
    alice.dial("102")
    shows("Busy")
    alice.command("hangup")
    shows("Online")
    bob.stop()
    shows("Offline")
