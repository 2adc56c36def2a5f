"""Peers that mean no good, before the running exchange: whatever they do costs them alone.

After each of them, two phones that have done nothing call each other. Not tested here: octets that are no SIP at all,
and what else goes wrong around the process (test_bad_input.py); messages gone wrong by chance (test_mutants.py); the
RFCs' own torture messages (tests/torture).
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from appliance.sip.message import Request
from appliance.sip.transport.guard import CONNECTIONS_OF_SOURCE
from appliance.sip.transport.strangers import STRANGERS_OF_SOURCE
from tests.interop import network
from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.rtp_port import RtpPort
from tests.peers.sip_line import StreamLine
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

HOSTILE = "127.0.0.66"
"Where they come from; 127.0.0.0/8 is all ours, and everybody else is at 127.0.0.1."


@contextmanager
def connections(exchange: Exchange, count: int, host: str = HOSTILE) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(exchange.sip, 5, source_address=(host, 0)))
            for _ in range(count)
        ]


@contextmanager
def acquaintances(phone: ScriptedPhone, count: int, host: str = HOSTILE) -> Iterator[list[socket.socket]]:
    """Connections that each have asked something, and got their answer."""
    with ExitStack() as stack:
        known = []
        for _ in range(count):
            address = phone.account.server
            connection = socket.create_connection(address, 5, source_address=(host, 0))
            known.append(stack.enter_context(connection))
            connection.sendall(phone.options().encode())
            assert connection.recv(4096).startswith(b"SIP/2.0 200")
        yield known


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


# Connections.


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_octet_by_octet(stage: Stage, transport: str) -> None:
    alice, bob = stage.phone(transport), stage.phone(transport)
    for phone in (alice, bob):
        phone.line = Dripping(phone.line)
    stage.talk(alice, bob)
    stage.hang_up(alice, bob).ends(alice, "normal")


class Dripping(StreamLine):
    """A connection on which every octet travels alone."""

    def __init__(self, line: object) -> None:
        assert isinstance(line, StreamLine)
        self.__dict__ = line.__dict__
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        for at in range(len(data)):
            self.sock.sendall(data[at : at + 1])


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_phone_that_stops_in_the_middle_of_its_answer_and_stays(stage: Stage, transport: str) -> None:
    alice, bob = stage.phone(), stage.phone(transport)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    answer = bob.says(200, bob.offer()).message.encode()
    bob.line.send(answer[:100])
    stage.serves()
    stage >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal() << bob.gets("CANCEL")
    bob.line.send(answer[100:])
    stage << bob.gets("ACK") << bob.gets("BYE") >> bob.ok()
    stage.ends(alice, "cancelled")


@pytest.mark.parametrize("said", [b"", b"OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1"])
def test_hundreds_of_connections_that_say_nothing_whole(stage: Stage, said: bytes) -> None:
    with connections(stage.exchange, 2 * STRANGERS_OF_SOURCE) as silent:
        for connection in silent:
            with suppress(OSError):
                connection.sendall(said)
        wait_until(lambda: sum(map(is_open, silent)) == STRANGERS_OF_SOURCE, "the end of the oldest")
        stage.serves()
        stage.serves(HOSTILE)


def test_hundreds_of_connections_that_stop_in_their_second_message(stage: Stage) -> None:
    phone = stage.phone()
    with acquaintances(phone, 500) as known:
        for connection in known:
            connection.sendall(phone.options().encode()[:90])
        stage.serves()
        stage.serves(HOSTILE)


def ends_after(line: StreamLine, request: Request) -> None:
    """Say something, and that it was all; the answer and the end come."""
    line.send(request.encode())
    socket.socket.shutdown(line.sock, socket.SHUT_WR)
    assert line.receive().call_id == request.call_id
    with pytest.raises(AssertionError, match="has closed"):
        line.receive()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_half_closed_connection_gets_its_answer_and_its_end(stage: Stage, transport: str) -> None:
    phone = stage.phone()
    with stage.line(transport) as line:
        assert isinstance(line, StreamLine)
        ends_after(line, phone.options())
    stage.serves()


def test_tls_that_says_goodbye_and_stays(stage: Stage) -> None:
    """RFC 8446 §6.1: its close_notify ends one direction; we answer what it said before, and end the other."""
    phone = stage.phone()
    with stage.line("tls") as line:
        assert isinstance(line.sock, ssl.SSLSocket)
        line.send(phone.options().encode())
        # The answer comes after the goodbye, which is an error to whoever does not look for it.
        with pytest.raises(ssl.SSLError, match="after close notify"):
            line.sock.unwrap()
        assert line.sock.recv(1) == b""
    stage.serves()


def test_more_connections_than_one_source_may_have(tmp_path: Path) -> None:
    """Loopback is not counted, so that this takes a network of its own."""
    if why_not := network.why_not():
        pytest.skip(why_not)
    with network.own_network() as host:
        for other in ("198.18.0.2", "198.18.0.3"):
            subprocess.run(["ip", "address", "add", f"{other}/24", "dev", "phone0"], check=True, timeout=10)
        with running_exchange(tmp_path, host) as exchange, Stage(exchange) as stage:
            phone = stage.phone(host="198.18.0.3")
            with acquaintances(phone, CONNECTIONS_OF_SOURCE, "198.18.0.2"):
                with connections(exchange, 20, "198.18.0.2") as more:
                    wait_until(lambda: not any(map(is_open, more)), "the end of those")
                stage.serves("198.18.0.3")
                stage.phone("udp", host="198.18.0.2")
            wait_until(lambda: _gets_in(exchange, "198.18.0.2"), "room for more")
            assert exchange.log.count("too many connections") == 1


def _gets_in(exchange: Exchange, host: str) -> bool:
    with connections(exchange, 1, host) as (one,):
        return is_open(one)


# Messages.


@pytest.mark.parametrize(
    ("name", "count", "status"),
    [("X-Padding", 300, 400), ("Via", 200, 200), ("Route", 200, 200), ("Contact", 400, 400)],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_hundreds_of_headers(stage: Stage, transport: str, name: str, count: int, status: int) -> None:
    phone = stage.phone(transport)
    options = phone.options()
    value = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}" if name == "Via" else "<sip:{}@192.0.2.1;lr>"
    for number in range(count):
        options.headers.add(name, value.format(number))
    phone.line.send(options.encode())
    answer = phone.line.receive()
    assert (answer.call_id, getattr(answer, "status", None)) == (options.call_id, status)
    stage.serves()


def test_a_head_without_end(stage: Stage) -> None:
    phone = stage.phone()
    with connections(stage.exchange, 1) as (endless,):
        endless.sendall(phone.options().encode().rstrip() + b"\r\nX-Padding: " + b"x" * 70_000)
        endless.settimeout(10)
        while endless.recv(4096):
            pass
    stage.serves()


def test_thousands_of_requests_at_once(stage: Stage) -> None:
    phone = stage.phone()
    requests = [phone.options() for _ in range(3000)]
    with stage.line("tcp") as line:
        line.send(b"".join(request.encode() for request in requests))
        stage.serves()
        assert [line.receive().call_id for _ in requests] == [request.call_id for request in requests]


def test_thousands_of_calls_by_a_stranger(stage: Stage) -> None:
    stranger = stage.phone(host=HOSTILE, registered=False)
    for _ in range(2000):
        stranger.line.send(stranger.invite("100", stranger.offer()).message.encode())
    stage.serves()
    stage.vanish(stranger)
    assert stage.calls() == []


def test_a_phone_that_wants_to_be_called_at_the_exchange_itself(stage: Stage) -> None:
    """Its calls come back to us, without credentials: they end at once."""
    alice, bob, carol = (stage.phone() for _ in range(3))
    here = "{}:{}".format(*stage.exchange.sip)
    stage.register(bob, "*", Expires="0")
    stage.register(carol, "*", Expires="0")
    stage.register(bob, f"<sip:{carol.number}@{here}>")
    stage.register(carol, f"<sip:{bob.number}@{here}>")
    stage.call(alice, bob.number, alice.offer()) << alice.gets(403) >> alice.ack_refusal()
    stage.ends(alice, "forbidden")


@pytest.mark.parametrize("name", ["From", "To", "Call-ID"])
def test_a_bye_of_somebody_who_does_not_know_all_of_the_call(stage: Stage, name: str) -> None:
    alice, bob, mallory = stage.phone(), stage.phone(), stage.phone(host=HOSTILE)
    stage.talk(alice, bob)
    bye = alice.bye().message
    bye.headers.set(name, f"{bye.headers.get(name)}x")
    bye.headers.replace_first("Via", mallory.via())
    mallory.line.send(bye.encode())
    assert getattr(mallory.line.receive(), "status", None) == 481
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_sound_of_somebody_who_is_in_no_call(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.talk(alice, bob)
    answer = alice.response().body
    with RtpPort(HOSTILE) as mallory:
        for said in (b"before", b"and after the first of hers"):
            mallory.say(answer, b"this is not alice")
            alice.sound.say(answer, said)
            assert bob.sound.hears() == said
    stage.hang_up(alice, bob).ends(alice, "normal")


def test_credentials_that_were_overheard(stage: Stage) -> None:
    """Used again by the same phone or from elsewhere, for the same call: each asks for new ones."""
    alice, bob, mallory = stage.phone(), stage.phone(), stage.phone(host=HOSTILE)
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    assert alice.invite_request is not None
    overheard = alice.invite_request.headers.get("Authorization") or ""
    stage >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    for phone in (alice, mallory):
        again = phone.invite(bob.number, phone.offer(), Authorization=overheard)
        again.message.headers.set("From", f"<sip:{alice.number}@{alice.domain}>;tag=again")
        stage >> again << phone.gets(401) >> phone.ack_refusal()
    stage.ends(alice, "busy")


def test_a_registration_for_somebody_else(stage: Stage) -> None:
    bob, mallory = stage.phone(), stage.phone(host=HOSTILE)
    theft = mallory.register(mallory.contact())
    theft.message.headers.set("To", f"<sip:{bob.number}@{bob.domain}>")
    stage >> theft << mallory.gets(401) >> mallory.prove() << mallory.gets(403)
    rows = stage.exchange.perform("registrations", "list")
    assert [row["contact"] for row in rows if row["number"] == bob.number] == [bob.contact().strip("<>")]
