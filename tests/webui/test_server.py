"""The server on real sockets: TLS, and clients that are silent, slow, plain or many."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from appliance.system.certificates import Certificate, ensure_certificate
from tests.webui.fake_control import FakeControl, busy_office
from tests.webui.fake_outside import described
from webui import server as module
from webui.request import MOST_BODY
from webui.server import AddressInUseError, ConsoleServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 20


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return ensure_certificate(tmp_path_factory.mktemp("certs") / "certs", "localhost", ("127.0.0.1",))


@pytest.fixture
def console(certificate: Certificate) -> Iterator[ConsoleServer]:
    server = ConsoleServer(
        ("127.0.0.1", 0), certificate.certificate, certificate.key, busy_office(), describe=described
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def trusting(certificate: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.certificate))


def get(console: ConsoleServer, certificate: Certificate, path: str) -> tuple[int, bytes]:
    host, port = console.address
    connection = http.client.HTTPSConnection(host, port, context=trusting(certificate), timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_it_serves_pages_over_tls(console: ConsoleServer, certificate: Certificate) -> None:
    assert console.address[1] != 0
    assert get(console, certificate, "/healthz") == (200, b"ok\n")
    status, body = get(console, certificate, "/log-in")
    assert (status, b"<form" in body) == (200, True)


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_everywhere_is_everywhere_of_both_families(certificate: Certificate, everywhere: str) -> None:
    control = busy_office()
    server = ConsoleServer(
        (everywhere, 0), certificate.certificate, certificate.key, control, describe=described
    )
    server.start()
    try:
        for own, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            with socket.socket(family) as connection:
                connection.settimeout(PATIENCE_S)
                connection.connect((own, server.address[1]))
                with trusting(certificate).wrap_socket(connection, server_hostname=own) as secure:
                    secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n")
                    assert secure.recv(15) == b"HTTP/1.1 200 OK"
    finally:
        server.stop()


def test_one_connection_serves_many_requests(console: ConsoleServer, certificate: Certificate) -> None:
    host, port = console.address
    connection = http.client.HTTPSConnection(host, port, context=trusting(certificate), timeout=PATIENCE_S)
    try:
        for _ in range(5):
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b"ok\n"
    finally:
        connection.close()


def test_plain_http_is_told_to_use_https_and_harms_nobody(
    console: ConsoleServer, certificate: Certificate
) -> None:
    for _ in range(20):
        with socket.create_connection(console.address, PATIENCE_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: box\r\n\r\n")
            answer = b""
            while chunk := plain.recv(4096):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"https://" in answer
    assert get(console, certificate, "/healthz")[0] == 200


@pytest.mark.parametrize(
    "junk", [b"", b"\0" * 100, b"\x16\x03\x01\xff\xff", b"OPTIONS sip:box SIP/2.0\r\n\r\n"]
)
def test_junk_harms_nobody(console: ConsoleServer, certificate: Certificate, junk: bytes) -> None:
    for _ in range(20):
        with socket.create_connection(console.address, PATIENCE_S) as peer:
            peer.sendall(junk)
    assert get(console, certificate, "/healthz")[0] == 200


def test_silent_clients_hold_nobody_up(console: ConsoleServer, certificate: Certificate) -> None:
    # More than there are workers, none of which says a word; cheroot alone would wait for the first of them.
    silent = [socket.create_connection(console.address, PATIENCE_S) for _ in range(3 * module.WORKERS)]
    try:
        assert get(console, certificate, "/healthz")[0] == 200
    finally:
        for each in silent:
            each.close()


def test_too_many_connections_are_closed_and_make_room_again(
    console: ConsoleServer, certificate: Certificate
) -> None:
    crowd = [
        socket.create_connection(console.address, PATIENCE_S) for _ in range(module.MOST_CONNECTIONS + 10)
    ]
    try:
        # Those beyond the bound are closed at once.
        last = crowd[-1]
        assert last.recv(1) == b""
    finally:
        for each in crowd:
            each.close()
    for _ in range(50):
        try:
            assert get(console, certificate, "/healthz")[0] == 200
            return
        except OSError:
            continue
    pytest.fail("the server made no room again")


def test_a_request_that_drips_is_cut_off(
    console: ConsoleServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_S", 0.2)
    raw = socket.create_connection(console.address, PATIENCE_S)
    with trusting(certificate).wrap_socket(raw, server_hostname="127.0.0.1") as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answer = peer.recv(4096)
    assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0]


def test_a_huge_header_is_refused(console: ConsoleServer, certificate: Certificate) -> None:
    raw = socket.create_connection(console.address, PATIENCE_S)
    with trusting(certificate).wrap_socket(raw, server_hostname="127.0.0.1") as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * module.MOST_HEADER + b"\r\n\r\n")
        assert b" 413 " in peer.recv(4096).split(b"\r\n")[0]


def test_a_large_file_of_an_administrator_arrives_and_a_stranger_s_is_not_read(
    console: ConsoleServer, certificate: Certificate
) -> None:
    host, port = console.address
    connection = http.client.HTTPSConnection(host, port, context=trusting(certificate), timeout=PATIENCE_S)
    headers = {"Origin": f"https://{host}:{port}", "Content-Type": "application/x-www-form-urlencoded"}

    def ask(method: str, path: str, body: bytes = b"") -> tuple[http.client.HTTPResponse, bytes]:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        if cookie := response.getheader("Set-Cookie"):
            headers["Cookie"] = cookie.partition(";")[0]
        return response, response.read()

    def token(page: bytes) -> bytes:
        return page.partition(b'name="csrf" value="')[2][:64]

    def file(csrf: bytes) -> bytes:
        field = b'--B\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + csrf
        start = b'\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        return field + start + b"RIFF" + bytes(3 * MOST_BODY) + b"\r\n--B--\r\n"

    try:
        csrf = token(ask("GET", "/log-in")[1])
        fields = b"password=correct+horse+battery&csrf="
        assert ask("POST", "/log-in", fields + csrf)[0].status == 303
        csrf = token(ask("GET", "/system")[1])
        headers["Content-Type"] = "multipart/form-data; boundary=B"
        taken = ask("POST", "/system/music", file(csrf))[0]
        assert (taken.status, taken.getheader("Location")) == (303, "/system#music")
        # A stranger is turned away before the file has been read, and hears it if the network lets the answer through.
        headers["Cookie"] = ""
        connection.request("POST", "/system/music", b"", {**headers, "Content-Length": str(MOST_BODY + 1)})
        turned_away = connection.getresponse()
        assert (turned_away.status, turned_away.getheader("Location")) == (303, "/log-in")
        assert turned_away.getheader("Connection") == "close"
    finally:
        connection.close()


def test_old_tls_is_refused(console: ConsoleServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    raw = socket.create_connection(console.address, PATIENCE_S)
    with raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw)


def test_an_address_in_use_is_told_clearly(console: ConsoleServer, certificate: Certificate) -> None:
    second = ConsoleServer(
        console.address, certificate.certificate, certificate.key, FakeControl(), describe=described
    )
    with pytest.raises(AddressInUseError, match=r"the web console cannot listen on 127\.0\.0\.1:\d+"):
        second.start()
    second.stop()


def test_it_ends_with_connections_open_and_leaves_no_thread(certificate: Certificate) -> None:
    before = set(threading.enumerate())
    server = ConsoleServer(
        ("127.0.0.1", 0), certificate.certificate, certificate.key, busy_office(), describe=described
    )
    server.start()
    idle = socket.create_connection(server.address, PATIENCE_S)
    assert get(server, certificate, "/healthz")[0] == 200
    server.stop()
    server.stop()
    idle.close()
    assert {each for each in threading.enumerate() if each not in before and each.is_alive()} == set()


def test_a_bad_certificate_is_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("nothing\n")
    with pytest.raises(ssl.SSLError):
        ConsoleServer(("127.0.0.1", 0), file, file, FakeControl(), describe=described)
