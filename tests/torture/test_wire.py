"""The messages of RFC 4475 and RFC 5118 on the wire: each is answered as it may be, and OPTIONS after it.

They are sent from 127.0.0.2, as none asks for rport: answers go to the port that the topmost Via names (RFC 3261
§18.2.2). One exchange gets them all, in order. Silence is known by the answer to the OPTIONS sent after: the
exchange takes what comes from one socket in order.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from select import select
from typing import Any

import pytest

from tests.interop.exchange import Exchange, running_exchange
from tests.torture.verdicts import CASES

pytestmark = pytest.mark.interop

HERE = "127.0.0.2"
ANSWER_S = 2.0
OPTIONS = (
    "OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/{transport} {here}:{port};branch=z9hG4bKafter{number};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:a@box>;tag=1\r\nTo: <sip:box>\r\nCall-ID: after{number}@torture\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
SENT_BY = re.compile(
    rb"^(?:v|via)\s*:\s*SIP\s*/[^/]*/\s*\w+\s+(?:\[[^]]*\]|[^\s:;,]+)\s*(?::\s*(\d+))?", re.I | re.M
)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running_exchange(tmp_path_factory.mktemp("torture")) as exchange:
        exchange.add_extensions(2)
        yield exchange


def reply_port(data: bytes) -> int:
    sent_by = SENT_BY.search(data)
    return int(sent_by[1]) if sent_by and sent_by[1] else 5060


def statuses(data: bytes) -> list[str]:
    return [status.decode() for status in re.findall(rb"^SIP/2\.0 (\d{3}) ", data, re.M)]


def check(seen: list[str], verdict: dict[str, Any]) -> None:
    """Whether the first answer, if there is one, is one of those allowed."""
    allowed = set(verdict["pbx_accept"])
    first = seen[0] if seen else "silence"
    assert {first, f"{first[0]}xx"} & allowed or (
        first == "silence" and "silence" not in verdict["pbx_never"]
    ), f"{first}; allowed: {sorted(allowed)}"


@pytest.mark.parametrize(("path", "verdict"), CASES)
def test_over_udp(exchange: Exchange, path: Path, verdict: dict[str, Any]) -> None:
    data = path.read_bytes()
    with ExitStack() as stack:
        sockets = {}
        for port in {0, reply_port(data)}:
            sockets[port] = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            sockets[port].bind((HERE, port))
        sender = sockets[0]
        sender.sendto(data, exchange.sip)
        expects_silence = verdict["pbx_accept"] == ["silence"]
        # The few messages that ask for rport are answered to the sender itself.
        got = b"" if expects_silence else receive(sockets.values(), call_id(data), ANSWER_S)
        options(sender, exchange)
        check(statuses(got or receive(sockets.values(), call_id(data), 0)), verdict)


def call_id(data: bytes) -> bytes:
    """What the answers to a message bear; nothing for one without."""
    found = re.search(rb"^(?:call-id|i)\s*:\s*(\S+)", data, re.I | re.M)
    return found[1] if found else b""


def receive(sockets: Iterable[socket.socket], wanted: bytes, wait_s: float) -> bytes:
    """The first datagram at any of them with that Call-ID; empty when none comes.

    Others are answers to earlier INVITEs, repeated as nobody sends their ACK.
    """
    while ready := select(list(sockets), [], [], wait_s)[0]:
        got = ready[0].recv(65535)
        if wanted in got:
            return got
    return b""


def options(sender: socket.socket, exchange: Exchange) -> None:
    """The exchange answers OPTIONS, from this very socket."""
    port = sender.getsockname()[1]
    request = OPTIONS.format(transport="UDP", here=HERE, port=port, number=port)
    sender.sendto(request.encode(), exchange.sip)
    assert statuses(receive([sender], f"after{port}@torture".encode(), ANSWER_S)) == ["200"]


@pytest.mark.parametrize(("path", "verdict"), CASES)
def test_over_tcp(exchange: Exchange, path: Path, verdict: dict[str, Any]) -> None:
    with socket.create_connection(exchange.sip, ANSWER_S, source_address=(HERE, 0)) as stream:
        data = path.read_bytes()
        # One of the files ends before its blank line, and would take what is sent next for its headers.
        stream.sendall(data if b"\r\n\r\n" in data else data + b"\r\n")
        number = stream.getsockname()[1]
        stream.sendall(OPTIONS.format(transport="TCP", here=HERE, port=5060, number=number).encode())
        # What is cut short waits for the rest; that there is none is told by closing our side.
        stream.shutdown(socket.SHUT_WR)
        got = b""
        while piece := stream.recv(65535):
            got += piece
    answers = [answer for answer in re.split(rb"(?=^SIP/2\.0 )", got, flags=re.M) if answer]
    own = [answer for answer in answers if b"Call-ID: after" not in answer]
    lost = len(own) == len(answers)
    if not own and lost:
        # §7.5, §18.3: in a stream that cannot be read on, closing it is all the answer there may be.
        assert verdict["rfc_class"] != "valid"
    else:
        check(statuses(b"".join(own)), verdict)
    with socket.create_connection(exchange.sip, ANSWER_S) as after:
        after.sendall(OPTIONS.format(transport="TCP", here=HERE, port=5060, number=f"{number}again").encode())
        assert statuses(after.recv(65535)) == ["200"]


def test_nothing_of_it_was_a_defect_of_ours(exchange: Exchange) -> None:
    assert "Traceback" not in exchange.log
    assert exchange.process.poll() is None
