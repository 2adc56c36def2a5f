"""RFC 5359 §2.1 to §2.5, §2.15, §2.16 and §2.18 over real sockets, with sound both ways after each, and attended transfer of two
calls by a trunk.

Each phone says a word of its own; who hears whose tells who is joined to whom. Music is told by a long tone in the owner's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import pytest

from appliance.sip.message import Message
from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

HOME, BRANCH = "127.22.0.1", "127.22.0.2"


class Talker(ScriptedPhone):
    """Remembers where the exchange wants its sound."""

    told = b""

    def take(self, message: Message) -> None:
        super().take(message)
        if message.body.startswith(b"v=0"):
            self.told = message.body


def phone(stage: Stage) -> Talker:
    made = stage.phone(kind=Talker)
    assert isinstance(made, Talker)
    return made


def second_line(stage: Stage, phone: Talker) -> Talker:
    """The same telephone, for another call."""
    made = stage.phone(kind=Talker, account=phone.account, registered=False)
    assert isinstance(made, Talker)
    return made


def hear_each_other(one: Talker, other: Talker) -> None:
    """Sound goes both ways between two phones; what else they were played before is passed over."""
    for teller, hearer in ((one, other), (other, one)):
        word = f"{teller.number} at {teller.line.address[1]}".encode()
        teller.sound.say(teller.told, word)
        while hearer.sound.hears() != word:
            pass


def hears_music(phone: Talker) -> None:
    """A full packet of G.711 every 20 ms; no phone here says so much."""
    heard = [phone.sound.hears() for _ in range(5)]
    assert [len(each) for each in heard[1:]] == [160] * 4


def call(stage: Stage, caller: Talker, callee: Talker, number: str = "") -> None:
    """Bring two phones into a call, and hear both."""
    stage.call(caller, number or callee.number, caller.offer()) << callee.gets("INVITE")
    stage >> callee.says(180) << caller.gets(180) >> callee.says(200, callee.offer()) << callee.gets("ACK")
    stage << caller.gets(200)
    stage >> caller.ack()
    hear_each_other(caller, callee)


def reinvited(stage: Stage, phone: Talker) -> None:
    """The exchange asks for another session, and gets it."""
    stage << phone.gets("INVITE")
    stage >> phone.says(200, phone.offer()) << phone.gets("ACK")


def replaces_of(phone: Talker) -> str:
    theirs, ours = (text.partition("tag=")[2] for text in (phone.local, phone.remote))
    return f"{phone.call_id};to-tag={ours};from-tag={theirs}"


@pytest.mark.parametrize("hold", ["a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"])
def test_2_1_2_3_hold_with_music(stage: Stage, hold: str) -> None:
    alice, bob = phone(stage), phone(stage)
    call(stage, alice, bob)
    stage >> alice.again(alice.offer(hold, version=2)) << bob.gets("INVITE", "a=sendonly") << alice.gets(100)
    stage >> bob.says(200, bob.offer("a=recvonly")) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    hears_music(bob)
    stage >> alice.again(alice.offer(version=3)) << bob.gets("INVITE") << alice.gets(100)
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200)
    stage >> alice.ack()
    hear_each_other(alice, bob)
    stage.hang_up(bob, alice).ends(alice, "normal")


def test_2_2_consultation_hold(stage: Stage) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    call(stage, alice, bob)
    stage >> alice.again(alice.offer("a=sendonly", version=2)) << bob.gets("INVITE") << alice.gets(100)
    stage >> bob.says(200, bob.offer("a=recvonly")) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    second = second_line(stage, alice)
    call(stage, second, carol)
    hears_music(bob)
    stage.hang_up(second, carol)
    stage >> alice.again(alice.offer(version=3)) << bob.gets("INVITE") << alice.gets(100)
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    hear_each_other(alice, bob)
    stage.hang_up(bob, alice).ends(alice, "normal", "normal")


def test_2_4_blind(stage: Stage) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    call(stage, alice, bob)
    stage >> alice.ask("REFER", Refer_To=f"<sip:{carol.number}@{alice.domain}>") << alice.gets(202)
    stage << alice.gets("NOTIFY", "SIP/2.0 100 Trying") >> alice.ok() << carol.gets("INVITE")
    hears_music(bob)
    stage >> carol.says(180) << alice.gets("NOTIFY", "SIP/2.0 180 Ringing") >> alice.ok()
    stage >> carol.says(200, carol.offer()) << carol.gets("ACK")
    (
        stage
        << alice.gets("NOTIFY", "SIP/2.0 200 OK", "terminated")
        >> alice.ok()
        << alice.gets("BYE")
        >> alice.ok()
    )
    reinvited(stage, bob)
    hear_each_other(bob, carol)
    stage.hang_up(carol, bob).ends(alice, "handed_over")
    assert [each["cause"] for each in stage.records(bob.number)] == ["normal"]


def test_2_4_busy_and_the_call_is_back(stage: Stage) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    call(stage, alice, bob)
    stage >> alice.ask("REFER", Refer_To=f"<sip:{carol.number}@{alice.domain}>") << alice.gets(202)
    stage << alice.gets("NOTIFY", "SIP/2.0 100 Trying") >> alice.ok() << carol.gets("INVITE")
    (
        stage
        >> carol.says(486)
        << carol.gets("ACK")
        << alice.gets("NOTIFY", "SIP/2.0 486 Busy Here")
        >> alice.ok()
    )
    hear_each_other(alice, bob)
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_2_5_attended(stage: Stage) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    call(stage, alice, bob)
    second = second_line(stage, alice)
    call(stage, second, carol)
    join(stage, alice, second, carol.number)
    reinvited(stage, carol)
    reinvited(stage, bob)
    joined(stage, alice, second)
    hear_each_other(bob, carol)
    stage.hang_up(bob, carol).ends(alice, "handed_over", "handed_over")


def join(stage: Stage, alice: Talker, second: Talker, number: str) -> None:
    to = f"<sip:{number}@{alice.domain}?Replaces={quote(replaces_of(second))}>"
    stage >> alice.ask("REFER", Refer_To=to) << alice.gets(202)
    stage << alice.gets("NOTIFY", "SIP/2.0 100 Trying") >> alice.ok()


def gets_both(stage: Stage, alice: Talker) -> None:
    """BYE and the last NOTIFY, which may have to wait for the answer to the first: in either order."""
    came = set()
    for _ in range(2):
        message = alice.line.receive()
        alice.take(message)
        stage >> alice.ok()
        came.add(message.cseq.method)
        assert message.cseq.method != "NOTIFY" or b"SIP/2.0 200 OK" in message.body
    assert came == {"BYE", "NOTIFY"}


def joined(stage: Stage, alice: Talker, second: Talker) -> None:
    gets_both(stage, alice)
    stage << second.gets("BYE") >> second.ok()


def test_2_5_with_tags_that_name_nothing(stage: Stage) -> None:
    alice, bob = phone(stage), phone(stage)
    call(stage, alice, bob)
    to = f"<sip:1@{alice.domain}?Replaces={quote('nothing;to-tag=a;from-tag=b')}>"
    stage >> alice.ask("REFER", Refer_To=to) << alice.gets(481)
    hear_each_other(alice, bob)
    stage.hang_up(bob, alice).ends(alice, "normal")


def test_2_15_park_and_take_up(stage: Stage) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    call(stage, alice, bob)
    stage >> alice.ask("REFER", Refer_To=f"<sip:*853@{alice.domain}>") << alice.gets(202)
    stage << alice.gets("NOTIFY", "100 Trying") >> alice.ok()
    reinvited(stage, bob)
    gets_both(stage, alice)
    hears_music(bob)
    stage.call(carol, "*853", carol.offer())
    reinvited(stage, bob)
    stage << carol.gets(200)
    stage >> carol.ack()
    hear_each_other(bob, carol)
    stage.hang_up(bob, carol).ends(alice, "handed_over")


@pytest.mark.parametrize("how", ["directed", "group", "replaces"])
def test_2_16_pick_up(stage: Stage, how: str) -> None:
    alice, bob, carol = (phone(stage) for _ in range(3))
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    match how:
        case "directed":
            stage.call(carol, f"*40*{bob.number}", carol.offer())
        case "group":
            members = f"{bob.number},{carol.number}"
            stage.exchange.perform("groups", "add", None, {"name": f"6{bob.number}", "members": members})
            stage.call(carol, "*50*", carol.offer())
        case _:
            headers = {"Replaces": replaces_of(bob), "Require": "replaces"}
            stage.call(carol, bob.number, carol.offer(), until=200, **headers)
    stage << bob.gets("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"')
    stage >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    if how != "replaces":
        stage << carol.gets(200)
    stage << alice.gets(200)
    stage >> carol.ack() >> alice.ack()
    hear_each_other(alice, carol)
    stage.hang_up(carol, alice).ends(alice, "normal")


def test_2_18_click_to_dial(stage: Stage) -> None:
    alice, bob = phone(stage), phone(stage)
    stage.exchange.perform("calls", "dial", alice.number, {"to": bob.number})
    stage << alice.gets("INVITE") >> alice.says(180)
    stage.quiet(bob)
    stage >> alice.says(200, alice.offer()) << alice.gets("ACK") << bob.gets("INVITE")
    stage >> bob.says(180) >> bob.says(200, bob.offer()) << bob.gets("ACK")
    reinvited(stage, alice)
    hear_each_other(alice, bob)
    stage.hang_up(alice, bob).ends(alice, "normal")


@pytest.fixture
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Stage]]:
    """Two exchanges with a trunk between them."""
    with (
        running_exchange(tmp_path_factory.mktemp("home"), HOME) as home,
        running_exchange(tmp_path_factory.mktemp("branch"), BRANCH) as branch,
        Stage(home) as office,
        Stage(branch) as other,
    ):
        for here, there in ((home, branch), (branch, home)):
            connect(here, there)
        yield office, other
        for exchange in (home, branch):
            assert "Traceback" not in exchange.log


def connect(here: Exchange, there: Exchange) -> None:
    host, port = there.sip
    here.perform("trunks", "add", None, {"name": "branch", "peers": f"{host}:{port}"})
    here.perform("routes", "add", None, {"name": "out", "pattern": "7X.", "strip": "1", "to": "trunk:branch"})


def is_up(exchange: Exchange) -> bool:
    return bool(exchange.perform("trunks", "show", "branch")["state"] == "up")


def test_x_12_attended_transfer_across_a_trunk(boxes: tuple[Stage, Stage]) -> None:
    """Alice joins a call that came by the trunk to one that went out by it: both ends talk, and she is free."""
    office, other = boxes
    for stage in boxes:
        wait_until(partial(is_up, stage.exchange), "the trunk")
    alice, dora, emil = phone(office), phone(other), phone(other)
    other.call(dora, f"7{alice.number}", dora.offer())
    office << alice.gets("INVITE") >> alice.says(200, alice.offer()) << alice.gets("ACK")
    other << dora.gets(200)
    other >> dora.ack()
    second = second_line(office, alice)
    office.call(second, f"7{emil.number}", second.offer())
    other << emil.gets("INVITE")
    other >> emil.says(200, emil.offer()) << emil.gets("ACK")
    office << second.gets(200) >> second.ack()
    join(office, alice, second, f"7{emil.number}")
    # The exchange's own end is described as before, so that the other one need not ask its phones (RFC 4028 §7.4).
    joined(office, alice, second)
    hear_each_other(dora, emil)
    assert office.exchange.perform("trunks", "show", "branch")["calls"] == 2
    other >> emil.bye() << emil.gets(200) << dora.gets("BYE") >> dora.ok()
    office.exchange.wait_idle()
    causes = sorted(each["cause"] for each in office.exchange.wait_records(3))
    assert causes == ["handed_over", "handed_over", "normal"]
