"""Phones with bad luck, before the running exchange: messages that come twice, late, crossed, or over a line that broke.

RFC 3261 §9.2, §12.2.2, §13.2.2.4, §14; RFC 5407 (races). Not tested here: lost messages and what ends after 32 s
(tests/call, tests/simulation, on virtual time), a late 200 that crosses a CANCEL (flows/test_failing.py).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop


def test_messages_that_come_several_times(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer())
    assert alice.invite_request is not None
    for _ in range(5):
        alice.line.send(alice.invite_request.encode())
    stage << bob.gets("INVITE") >> bob.says(180) >> bob.says(180) << alice.gets(180)
    tag = alice.response().to.tag
    answer = bob.says(200, bob.offer())
    stage >> answer >> answer >> answer << bob.gets("ACK") << alice.gets(200)
    assert alice.response().to.tag == tag
    stage.quiet()
    assert [call["state"] for call in stage.calls()] == ["talking"]
    stage >> alice.ack() >> alice.ack()
    bye = alice.bye()
    stage >> bye >> bye >> bye << alice.gets(200) << bob.gets("BYE") >> bob.ok() >> bob.ok()
    stage.ends(alice, "normal")


def test_a_cancel_that_overtakes_its_invite(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage >> alice.invite(bob.number, alice.offer()) << alice.gets(401) >> alice.ack_refusal()
    invite = alice.prove()
    stage >> alice.cancel() << alice.gets(481) >> invite << alice.gets(100)
    stage << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_a_cancel_that_is_overtaken_by_the_answer(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(200, bob.offer())
    (
        stage
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.cancel()
        << alice.gets(200, " CANCEL\r\n")
        >> alice.ack()
    )
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_an_ack_before_its_time(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage >> alice.ack() >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    stage.hang_up(bob, alice).ends(alice, "normal")


def test_responses_after_the_final_one(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    invite = bob.invited
    stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    for status in (180, 183, 486, 603):
        stage >> bob.says(status, to=invite)
    stage.quiet()
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_an_answer_after_the_refusal(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage >> bob.says(486) >> bob.says(200, bob.offer()) << bob.gets("ACK")
    stage << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def test_requests_out_of_order(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    first, second = (alice.ask("INFO", b"1", Content_Type="text/plain") for _ in range(2))
    stage >> second << bob.gets("INFO") >> bob.ok() << alice.gets(200)
    stage >> first << alice.gets(500, "CSeq Out Of Order")
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_a_bye_that_crosses_a_reinvite(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    stage >> bob.again(bob.offer("a=sendonly")) << alice.gets("INVITE") << bob.gets(100)
    asked = alice.invited
    (
        stage
        >> alice.bye()
        << alice.gets(200)
        << bob.gets(487)
        >> bob.ack_refusal()
        << bob.gets("BYE")
        >> bob.ok()
    )
    stage >> alice.says(487, to=asked) << alice.gets("ACK")
    stage.ends(alice, "normal")


def test_a_reinvite_and_a_bye_of_the_same_phone(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    stage >> alice.again(alice.offer("a=sendonly")) << bob.gets("INVITE") << alice.gets(100)
    asked = bob.invited
    stage >> alice.bye() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    stage << bob.gets("BYE") >> bob.ok() >> bob.says(200, bob.offer(), to=asked) << bob.gets("ACK")
    stage.ends(alice, "normal")


def test_byes_that_cross(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    stage >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.bye() << bob.gets(200) >> bob.ok()
    stage.ends(alice, "normal")


def test_reinvites_that_cross(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    stage >> alice.again(alice.offer("a=sendonly")) << bob.gets("INVITE") << alice.gets(100)
    asked = bob.invited
    stage >> bob.again(bob.offer("a=sendonly")) << bob.gets(491) >> bob.ack_refusal()
    stage >> bob.says(491, to=asked) << bob.gets("ACK") << alice.gets(491) >> alice.ack_refusal()
    assert [call["state"] for call in stage.calls()] == ["talking"]
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_a_reinvite_that_overtakes_the_ack(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(200, bob.offer())
    stage << bob.gets("ACK") << alice.gets(200)
    ack = alice.ack()
    stage >> alice.again(alice.offer("a=sendonly")) << alice.gets(491) >> alice.ack_refusal() >> ack
    stage.hang_up(bob, alice).ends(alice, "normal")


def test_several_phones_behind_one_answer_with_tags_of_their_own(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    invite = bob.invited
    stage >> bob.says(180, tag="one", to=invite) << alice.gets(180)
    stage >> bob.says(183, bob.offer(), tag="two", to=invite) << alice.gets(183)
    stage >> bob.says(200, bob.offer(), tag="three", to=invite) << bob.gets("ACK", ";tag=three")
    answered = bob.local, bob.remote, bob.target, bob.call_id
    stage << alice.gets(200) >> alice.ack()
    # §13.2.2.4: the others that answer are acknowledged and told that it is over.
    for tag in ("one", "four"):
        late = bob.says(200, bob.offer(), tag=tag, to=invite)
        stage >> late << bob.gets("ACK", f";tag={tag}") << bob.gets("BYE", f";tag={tag}") >> bob.ok()
    bob.local, bob.remote, bob.target, bob.call_id = answered
    stage >> alice.bye() << alice.gets(200) << bob.gets("BYE", ";tag=three") >> bob.ok()
    stage.ends(alice, "normal")


# Lines that break.


def test_the_callees_connection_breaks_while_it_rings(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone("tcp")
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage.vanish(bob)
    stage << alice.gets(408) >> alice.ack_refusal()
    stage.ends(alice, "unreachable")


def test_the_callees_connection_breaks_while_they_talk(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone("tls")
    stage.talk(alice, bob)
    stage.vanish(bob)
    stage >> alice.bye() << alice.gets(200)
    stage.ends(alice, "normal")


def test_the_callers_connection_breaks_while_they_talk(stage: Stage) -> None:
    alice, bob = stage.phone("tcp"), stage.phone()
    stage.talk(alice, bob)
    stage.vanish(alice)
    stage >> bob.bye() << bob.gets(200)
    stage.ends(alice, "normal")


def test_a_phone_that_is_back_before_its_old_connection_is_gone(stage: Stage) -> None:
    alice, old = stage.phone(), stage.phone("tcp")
    new = stage.phone("tcp", account=old.account, registered=False)
    stage.register(new, old.contact())
    stage.vanish(old)
    stage.call(alice, new.number, alice.offer()) << new.gets("INVITE")
    stage >> new.says(486) << new.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    stage.ends(alice, "busy")


def silent(_: socket.socket) -> None:
    """Takes the connection and says nothing."""


def closing(connection: socket.socket) -> None:
    connection.close()


def breaking(connection: socket.socket) -> None:
    """Reads a little and breaks off."""
    connection.recv(100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def foreign(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@contextmanager
def on_tcp(phone: ScriptedPhone, behave: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something else than the phone takes connections at the phone's port."""
    taken: list[socket.socket] = []
    with socket.create_server(phone.line.address) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    behave(taken[-1])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()
    assert taken, "no connection was tried"


@pytest.mark.parametrize("behave", [silent, closing, breaking, foreign])
def test_a_large_invite_reaches_a_phone_whose_tcp_port_is_somebody_elses(
    stage: Stage, behave: Callable[[socket.socket], None]
) -> None:
    """RFC 3261 §18.1.1: over TCP first, as it is larger than 1,300 octets; and over UDP when nothing comes of that."""
    alice, bob = stage.phone(), stage.phone()
    with on_tcp(bob, behave):
        stage.call(alice, bob.number, alice.offer(f"a=x-padding:{'x' * 1500}")) << bob.gets("INVITE")
        stage >> bob.says(200, bob.offer()) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
        stage.hang_up(alice, bob).ends(alice, "normal")
