"""A telephone in a browser: registered over a secure WebSocket, called and calling over that same connection.

RFC 7118 §5, §8 (its examples); the phone is by hand, and Chromium knocks too. Not tested here: encrypted sound.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from appliance.sip.message import Authorization, Challenge, Headers, Request, Response, parse_message
from appliance.sip.message.digest import ha1
from tests.browser import driver
from tests.interop.exchange import free_ports, running_exchange, wait_until
from tests.interop.office import CALLEE, CALLER, Office
from tests.peers.web_phone import PING, PONG, TEXT, accepts, frame, take_frame, upgrade

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"),
]

HOST = "127.0.0.1"
LIMIT_S = 10.0
OWN_HOST = "df7jal23ls0d.invalid"  # RFC 7118 §8: a browser does not know where it is
CONTACT = f"<sip:{CALLEE}@{OWN_HOST};transport=ws>"
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 45000 RTP/AVP 0\r\na=sendrecv\r\n"
)


class Browser:
    """One WebSocket with a phone behind it."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._data = bytearray()
        self._count = 0

    def open(self, origin: str) -> None:
        self._sock.sendall(upgrade(host="pbx.example", origin=origin))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._sock.recv(4096)
        assert accepts(answer), answer

    def send(self, message: Request | Response) -> None:
        self._sock.sendall(frame(message.encode()))

    def ping(self) -> None:
        self._sock.sendall(frame(b"still there", PING))
        assert self._receive_frame() == (PONG, b"still there")

    def receive(self) -> Any:
        kind, payload = self._receive_frame()
        assert kind == TEXT
        return parse_message(payload)

    def _receive_frame(self) -> tuple[int, bytes]:
        while (found := take_frame(self._data)) is None:
            piece = self._sock.recv(65_536)
            assert piece, "the exchange has closed the connection"
            self._data += piece
        return found

    def ask(self, method: str, uri: str, **headers: str) -> Request:
        """Send a request; gives it back."""
        self._count += 1
        request = Request(
            method,
            uri,
            Headers(
                [
                    ("Via", f"SIP/2.0/WSS {OWN_HOST};branch=z9hG4bKweb{self._count}"),
                    ("Max-Forwards", "70"),
                    ("From", f"<sip:{CALLEE}@pbx.example>;tag=web"),
                    ("To", f"<sip:{CALLEE}@pbx.example>"),
                    ("Call-ID", "registration"),
                    ("CSeq", f"{self._count} {method}"),
                    *headers.items(),
                ]
            ),
        )
        self.send(request)
        return request

    def register(self, password: str) -> Response:
        """Register by digest; the last answer."""
        uri = "sip:pbx.example"
        self.ask("REGISTER", uri, Contact=CONTACT, Expires="600")
        refusal = self.receive()
        assert refusal.status == 401
        challenges = [Challenge.parse(text) for text in refusal.headers.get_all("WWW-Authenticate")]
        challenge = challenges[0]
        secret = ha1(challenge.algorithm, CALLEE, challenge.realm, password)
        answer = Authorization.answer(challenge, "REGISTER", uri, CALLEE, secret, cnonce="0a4f113b")
        self.ask("REGISTER", uri, Contact=CONTACT, Expires="600", Authorization=str(answer))
        response = self.receive()
        assert isinstance(response, Response)
        return response

    def take_call(self) -> tuple[Request, Request]:
        """Answer the next call; its INVITE and its BYE."""
        invite = self.receive()
        self.send(invite.respond(180, to_tag="web"))
        headers = (("Contact", CONTACT), ("Content-Type", "application/sdp"))
        self.send(invite.respond(200, to_tag="web", headers=headers, body=SDP))
        ack = self.receive()
        assert (ack.method, ack.uri) == ("ACK", invite.uri)
        bye = self.receive()
        self.send(bye.respond(200))
        return invite, bye


@contextmanager
def browser(office: Office, port: int, origin: str = "https://phone.example") -> Iterator[Browser]:
    trust = ssl.create_default_context(cafile=str(office.exchange.folder / "certs" / "cert.pem"))
    with (
        socket.create_connection((HOST, port), timeout=LIMIT_S) as sock,
        trust.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        made = Browser(tls)
        made.open(origin)
        yield made


@pytest.fixture
def port() -> int:
    return free_ports(HOST, 1)[0]


@pytest.fixture
def office(tmp_path: Path, port: int) -> Iterator[Office]:
    options = ("--wss", f"{HOST}:{port}", "--wss-origins", "https://phone.example")
    with running_exchange(tmp_path, HOST, *options) as exchange:
        yield Office.of(exchange, tmp_path)


def test_a_browser_registers_and_is_called_over_the_same_connection(office: Office, port: int) -> None:
    with browser(office, port) as web, ThreadPoolExecutor(1) as pool:
        answer = web.register(office.passwords[CALLEE])
        assert (answer.status, answer.via.transport, answer.via.host) == (200, "WSS", OWN_HOST)
        (registration,) = office.exchange.perform("registrations", "list")
        assert (registration["number"], registration["transport"]) == (CALLEE, "wss")
        web.ping()
        call = pool.submit(office.call)
        invite, bye = web.take_call()
        call.result()
    # §5.2 and §8: the Request-URI is the contact as it was registered, and the Via names the transport.
    assert invite.uri == f"sip:{CALLEE}@{OWN_HOST};transport=ws"
    assert bye.uri == invite.uri
    assert (invite.via.transport, invite.via.port) == ("WSS", port)
    (contact,) = invite.contacts
    assert contact.uri.params["transport"] == "ws"
    record = office.record()
    assert (record["from_number"], record["answered_by"], record["cause"]) == (CALLER, CALLEE, "normal")


def test_a_browser_that_is_closed_is_not_registered_any_more(office: Office, port: int) -> None:
    with browser(office, port) as web:
        assert web.register(office.passwords[CALLEE]).status == 200
    wait_until(lambda: office.exchange.registered() == set(), "the end of the registration")
    office.call("caller_refused", status="480")
    assert office.record()["cause"] == "not_registered"


def test_a_page_of_somebody_else_is_not_let_in(office: Office, port: int) -> None:
    with (
        pytest.raises(AssertionError, match=r"HTTP/1\.1 403"),
        browser(office, port, "https://evil.example"),
    ):
        pytest.fail("it was let in")


class EmptyPage(BaseHTTPRequestHandler):
    """A web page of this machine, on another port."""

    def do_GET(self) -> None:  # http.server's name for it
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name for it
        """Tests are silent."""


@pytest.fixture
def page() -> Iterator[str]:
    server = HTTPServer((HOST, 0), EmptyPage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://{HOST}:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


KNOCK = """
window.heard = [];
const socket = new WebSocket(`wss://127.0.0.1:${PORT}/`, PROTOCOL);
socket.onopen = () => { window.heard.push(`open ${socket.protocol}`); socket.send(REQUEST); };
socket.onmessage = (event) => window.heard.push(event.data);
socket.onclose = () => window.heard.push("closed");
"""


@pytest.mark.browser
@pytest.mark.skipif(not driver.available(), reason="chromium and chromium-driver are not installed")
def test_chromium_knocks_and_is_asked_for_a_password(office: Office, port: int, page: str) -> None:
    request = Request(
        "REGISTER",
        "sip:pbx.example",
        Headers(
            [
                ("Via", f"SIP/2.0/WSS {OWN_HOST};branch=z9hG4bKchromium"),
                ("From", f"<sip:{CALLEE}@pbx.example>;tag=web"),
                ("To", f"<sip:{CALLEE}@pbx.example>"),
                ("Call-ID", "chromium"),
                ("CSeq", "1 REGISTER"),
                ("Contact", CONTACT),
            ]
        ),
    )
    with driver.Browser() as chromium:
        chromium.go(page)
        for protocol, first in (("sip", "open sip"), ("xmpp", "closed")):
            values = {"PORT": port, "PROTOCOL": protocol, "REQUEST": request.encode().decode()}
            given = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
            chromium.run(given + KNOCK)
            heard = chromium.until(lambda: chromium.run("return window.heard.length && window.heard"))
            assert heard[0] == first
            if protocol == "sip":
                heard = chromium.until(lambda: chromium.run("return window.heard[1] && window.heard"))
                assert heard[1].startswith("SIP/2.0 401 Unauthorized\r\n")
                assert f"Via: SIP/2.0/WSS {OWN_HOST};branch=z9hG4bKchromium" in heard[1]
