"""RFC 5359 §2.7 to §2.9 over real sockets: calls that are sent on, their sound, their record, and phones that go away meanwhile.

Not tested here: each setting and each answer (tests/features, on virtual time), baresip and sipp (test_real_phones.py).
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.call.diversion import Forwarding
from tests.call.playbook import Sends
from tests.interop.exchange import CHECKOUT, wait_until
from tests.peers.scripted_carrier import Office
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

all_transports = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
both_families = pytest.mark.parametrize("shared_exchange", ["ipv4", "ipv6"], indirect=True)


@pytest.fixture
def office(stage: Stage) -> Iterator[Office]:
    with Office(stage) as office:
        yield office


def forward(stage: Stage, phone: ScriptedPhone, **to: str) -> None:
    stage.exchange.perform("forwarding", "set", phone.number, to)


def told(phone: ScriptedPhone) -> list[Forwarding | None]:
    """What the last response says of who sends the call on."""
    return [Forwarding.parse(each) for each in phone.response().headers.get_all("Call-Info")]


def moved(phone: ScriptedPhone, contact: str) -> Sends:
    sends = phone.says(302)
    sends.message.headers.set("Contact", contact)
    return sends


def steps(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["by"], each["to"], each["why"]) for each in record["steps"]]


def hear_each_other(alice: ScriptedPhone, carol: ScriptedPhone) -> None:
    assert carol.invited is not None
    alice.sound.say(alice.body, b"from alice")
    assert carol.sound.hears() == b"from alice"
    carol.sound.say(carol.invited.body, b"from carol")
    assert alice.sound.hears() == b"from carol"


@both_families
@all_transports
def test_5359_2_7_all_calls(stage: Stage, transport: str) -> None:
    """The caller hears who sends the call on, and the one who is called hears it, too."""
    alice, bob, carol = (stage.phone(transport) for _ in range(3))
    forward(stage, bob, always=carol.number)
    stage.call(alice, bob.number, alice.offer(), until=181)
    assert told(alice) == [Forwarding(bob.number, carol.number)]
    stage << carol.gets("INVITE", f"Diversion: <sip:{bob.number}@", ";cause=302>;index=1.1;mp=1")
    stage >> carol.says(180) << alice.gets(180)
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    hear_each_other(alice, carol)
    stage.hang_up(alice, carol)
    (record,) = stage.ends(alice, "normal")
    assert (record["to_number"], record["answered_by"]) == (bob.number, carol.number)
    assert steps(record) == [(bob.number, carol.number, "unconditional")]


@all_transports
def test_5359_2_8_busy(stage: Stage, transport: str) -> None:
    alice, bob, carol = (stage.phone(transport) for _ in range(3))
    forward(stage, bob, busy=carol.number)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(486) << bob.gets("ACK") << alice.gets(181, f'username="{bob.number}"')
    stage << carol.gets("INVITE", ";reason=user-busy;") >> carol.says(180) << alice.gets(180)
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    hear_each_other(alice, carol)
    stage.hang_up(carol, alice).ends(alice, "normal")


def test_5359_2_9_no_answer(stage: Stage) -> None:
    """5 s, which is the shortest time that a phone can ring; the one who picks up too late is hung up on."""
    alice, bob, carol = (stage.phone() for _ in range(3))
    stage.exchange.perform("extensions", "set", bob.number, {"ring_seconds": 5})
    forward(stage, bob, no_answer=carol.number)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage << bob.gets("CANCEL") << alice.gets(181) << carol.gets("INVITE", ";reason=no-answer;")
    stage >> bob.ok() >> bob.says(200, bob.offer()) << bob.gets("ACK") << bob.gets("BYE") >> bob.ok()
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK") << alice.gets(200) >> alice.ack()
    hear_each_other(alice, carol)
    (record,) = stage.hang_up(alice, carol).ends(alice, "normal")
    assert record["answered_by"] == carol.number


def test_not_registered(stage: Stage) -> None:
    alice, carol, bob = stage.phone(), stage.phone(), stage.phone(registered=False)
    forward(stage, bob, not_registered=carol.number)
    stage.call(alice, bob.number, alice.offer(), until=181) << carol.gets("INVITE", ";reason=unavailable;")
    stage >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_a_chain_of_two_reliably(stage: Stage) -> None:
    """RFC 3262: each step waits for the PRACK of the one before, and the ringing for both."""
    alice, bob, carol, dave = (stage.phone() for _ in range(4))
    forward(stage, bob, always=carol.number)
    forward(stage, carol, always=dave.number)
    stage.call(alice, bob.number, alice.offer(), until=181, Supported="100rel") << dave.gets("INVITE")
    assert told(alice) == [Forwarding(bob.number, carol.number)]
    stage >> dave.says(180) >> alice.prack() << alice.gets(200, " PRACK\r\n") << alice.gets(181, "RSeq: ")
    assert told(alice) == [Forwarding(carol.number, dave.number)]
    stage >> alice.prack() << alice.gets(200, " PRACK\r\n") << alice.gets(180, "RSeq: ")
    stage >> alice.prack() << alice.gets(200, " PRACK\r\n")
    stage >> dave.says(200, dave.offer()) << dave.gets("ACK") << alice.gets(200) >> alice.ack()
    (record,) = stage.hang_up(alice, dave).ends(alice, "normal")
    assert len(record["steps"]) == 2


def test_a_phone_sends_the_call_on(stage: Stage) -> None:
    alice, bob, carol = (stage.phone() for _ in range(3))
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> moved(bob, f"<sip:{carol.number}@elsewhere.example>") << bob.gets("ACK")
    stage << alice.gets(181, lacks=("elsewhere",)) << carol.gets("INVITE", ";reason=deflection;")
    stage >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_5359_2_14_outside_in_the_forwarder_s_rights(stage: Stage, office: Office) -> None:
    """A route of level 5: a caller who may use it does not open it to the one who sends the call on."""
    carrier, alice, bob = office.carrier(), stage.phone(), stage.phone()
    prefix = office.route(f"line:{office.line(carrier)}", level=5)
    number = f"{prefix}139"
    stage.exchange.perform("extensions", "set", alice.number, {"level": 9})
    forward(stage, bob, always=number)
    stage.call(alice, bob.number, alice.offer(), until=403) >> alice.ack_refusal()
    forward(stage, bob, always="")
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> moved(bob, f"<sip:{number}@x>") << bob.gets("ACK") << alice.gets(403) >> alice.ack_refusal()
    stage.exchange.perform("extensions", "set", alice.number, {"level": 0})
    stage.exchange.perform("extensions", "set", bob.number, {"level": 5})
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> moved(bob, f"<sip:{number}@x>") << bob.gets("ACK") << alice.gets(181)
    # What the carrier itself would have us call is nobody's wish.
    (
        stage
        << carrier.gets("INVITE", "Diversion: ", "History-Info: ")
        >> moved(carrier, f"<sip:{bob.number}@x>")
    )
    stage << carrier.gets("ACK") << alice.gets(480) >> alice.ack_refusal()
    records = stage.ends(alice, "forbidden", "forbidden", "unavailable")
    assert [len(each["steps"]) for each in records] == [1, 1, 1]


def test_x_23_a_loop_ends_at_once(stage: Stage) -> None:
    alice, bob, carol = (stage.phone() for _ in range(3))
    forward(stage, bob, always=carol.number)
    forward(stage, carol, always=bob.number)
    started = time.monotonic()
    stage.call(alice, bob.number, alice.offer(), until=482) >> alice.ack_refusal()
    assert time.monotonic() - started < 2
    stage.call(alice, alice.number, alice.offer(), until=486) >> alice.ack_refusal()
    stage.ends(alice, "loop", "busy")


# --- set by whom it concerns


def test_by_code_and_seen_by_ctl(stage: Stage) -> None:
    """A phone sets it, and hears a tone; the command line shows it, and the record of the call that followed."""
    alice, bob, carol = (stage.phone() for _ in range(3))
    dial_code(stage, bob, f"*72{carol.number}")
    assert f"always          {carol.number}\n" in ctl(stage, "forwarding", "show", bob.number)
    stage.call(alice, bob.number, alice.offer(), until=181) << carol.gets("INVITE")
    stage >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    (record,) = stage.ends(alice, "busy")
    assert f" {bob.number} {carol.number} unconditional\n" in ctl(stage, "records", "show", record["id"])
    dial_code(stage, bob, "*73")
    assert "always          -\n" in ctl(stage, "forwarding", "show", bob.number)
    ctl(stage, "codes", "set", "forward_all_on", "code=*21*")
    try:
        dial_code(stage, bob, f"*21*{carol.number}%23")
    finally:
        ctl(stage, "codes", "set", "forward_all_on", "code=*72")
    assert f"always          {carol.number}\n" in ctl(stage, "forwarding", "show", bob.number)
    assert [each["cause"] for each in stage.records(bob.number)] == ["normal"] * 3


def dial_code(stage: Stage, phone: ScriptedPhone, code: str) -> None:
    """The tone comes as sound, and the exchange hangs up when it is over."""
    stage.call(phone, code, phone.offer()) << phone.gets(200) >> phone.ack()
    assert phone.sound.hears()
    stage << phone.gets("BYE") >> phone.ok()
    wait_until(lambda: not stage.calls(), "the end of the call")


def ctl(stage: Stage, *words: str) -> str:
    command = [sys.executable, "-m", "appliance", "ctl", "--data", str(stage.exchange.folder), *words]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


# --- phones that go away


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_the_connection_of_who_is_rung_is_lost(stage: Stage, transport: str) -> None:
    """It is noticed at once: the call goes on as if nobody were registered; when the next one goes, too, it is over."""
    # On UDP her second 180 could not be told from a copy of the first.
    alice, bob, carol = stage.phone("tcp"), stage.phone(transport), stage.phone(transport)
    forward(stage, bob, not_registered=carol.number)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage.vanish(bob)
    stage << alice.gets(181) << carol.gets("INVITE") >> carol.says(180) << alice.gets(180)
    stage.vanish(carol)
    stage << alice.gets(408) >> alice.ack_refusal()
    (record,) = stage.ends(alice, "unreachable")
    assert len(record["steps"]) == 1


def test_a_connection_that_is_gone_counts_as_not_registered(stage: Stage) -> None:
    alice, bob, carol = stage.phone(), stage.phone("tcp"), stage.phone()
    forward(stage, bob, not_registered=carol.number)
    stage.vanish(bob)
    wait_until(lambda: bob.number not in stage.exchange.registered(), "the end of the registration")
    stage.call(alice, bob.number, alice.offer(), until=181) << carol.gets("INVITE")
    stage >> carol.says(486) << carol.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_the_caller_gives_up_between_two_steps(stage: Stage) -> None:
    alice, bob, carol = (stage.phone() for _ in range(3))
    forward(stage, bob, busy=carol.number)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(486) << bob.gets("ACK") << alice.gets(181) << carol.gets("INVITE")
    stage >> carol.says(180) << alice.gets(180)
    stage >> alice.cancel() << alice.gets(200, " CANCEL\r\n") << alice.gets(487) >> alice.ack_refusal()
    stage << carol.gets("CANCEL") >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    stage.ends(alice, "cancelled")


def test_the_caller_s_connection_is_lost_while_it_is_sent_on(stage: Stage) -> None:
    """Nobody can tell while it rings: the one who picks up says so by hanging up."""
    alice, bob, carol = stage.phone("tcp"), stage.phone(), stage.phone()
    forward(stage, bob, always=carol.number)
    stage.call(alice, bob.number, alice.offer(), until=181) << carol.gets("INVITE")
    stage >> carol.says(180) << alice.gets(180)
    stage.vanish(alice)
    wait_until(lambda: alice.number not in stage.exchange.registered(), "the end of the registration")
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK") >> carol.bye() << carol.gets(200)
    wait_until(lambda: stage.records(alice.number), "the record")
    assert not stage.calls()
