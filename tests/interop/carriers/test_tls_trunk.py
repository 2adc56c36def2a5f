"""A trunk over TLS whose peer demands a certificate of us: which one it is shown, and what is said where there is none.

RFC 5246 §7.4.6, RFC 8446 §4.4.2 (a client's certificate); RFC 3261 §26.3.2.
"""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ConfigError
from appliance.sip.message import Request
from tests.interop.exchange import Exchange, running_exchange, wait_until
from tests.peers.authority import Authority
from tests.peers.scripted_carrier import Office
from tests.peers.sip_line import StreamLine
from tests.peers.stage import Stage
from tests.peers.tls_peer import TlsPeer

pytestmark = pytest.mark.interop

HOST, PEER = "127.25.0.1", "127.25.0.2"


class Guarded:
    """An exchange, and the authority that its trunks' peers know customers by."""

    def __init__(self, exchange: Exchange, authority: Authority) -> None:
        self.exchange = exchange
        self.authority = authority

    def certify(self, name: str, common: str) -> None:
        """Put a certificate for the exchange to show into its folder `name`."""
        self.authority.certify(common, dns=[f"{common}.example"], into=self.folder(name))

    def folder(self, name: str) -> Path:
        return self.exchange.folder / "certs" / name


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder, authority = tmp_path_factory.mktemp("tls"), Authority(tmp_path_factory.mktemp("authority"))
    certificates = folder / "data" / "certs"
    certificates.mkdir(parents=True)
    (certificates / "trusted.pem").write_bytes(authority.file.read_bytes())
    with running_exchange(folder, HOST) as exchange:
        yield Guarded(exchange, authority)
        assert "Traceback" not in exchange.log


@pytest.fixture
def office(guarded: Guarded) -> Iterator[Office]:
    with Stage(guarded.exchange) as stage, Office(stage) as office:
        yield office


@pytest.fixture
def peer(guarded: Guarded) -> Iterator[TlsPeer]:
    with TlsPeer(guarded.authority, PEER, demands=True) as peer:
        yield peer


def customer(line: StreamLine) -> str:
    """Who is at the other end, by the certificate."""
    assert isinstance(line.sock, ssl.SSLSocket)
    certificate: Any = line.sock.getpeercert()
    ((_, name),) = certificate["subjectAltName"]
    return str(name)


def asked(line: StreamLine) -> Request:
    """The next request."""
    request = line.receive()
    assert isinstance(request, Request)
    return request


def test_a_peer_is_shown_the_trunks_own_certificate(guarded: Guarded, office: Office, peer: TlsPeer) -> None:
    guarded.certify("customer", "first")
    trunk = office.add("trunks", peers=peer.here, transport="tls", certificate="customer")
    with peer.line() as line:
        assert customer(line) == "first.example"
        line.send(asked(line).respond(200, to_tag="peer").encode())
        office.wait("trunks", trunk, "up")
        alice = office.stage.phone()
        prefix = office.route(f"trunk:{trunk}")
        office.stage.call(alice, f"{prefix}139", alice.offer())
        invite = asked(line)
        assert (invite.method, invite.uri) == ("INVITE", f"sip:139@{peer.here}")
        line.send(invite.respond(486, to_tag="peer").encode())
        assert asked(line).method == "ACK"
        office.stage << alice.gets(486) >> alice.ack_refusal()
        office.stage.ends(alice, "busy")


def test_a_certificate_that_is_replaced_is_shown_from_the_next_connection_on(
    guarded: Guarded, office: Office, peer: TlsPeer
) -> None:
    guarded.certify("renewed", "before")
    trunk = office.add("trunks", peers=peer.here, transport="tls", certificate="renewed", keep_alive=10)
    with peer.line() as line:
        assert customer(line) == "before.example"
        line.send(asked(line).respond(200, to_tag="peer").encode())
        guarded.certify("renewed", "after")
        office.wait("trunks", trunk, "up")
    seen = ""
    while seen != "after.example":  # it is looked for every ten seconds, and so may be the peer
        with peer.line() as line:
            seen = customer(line)
            line.send(asked(line).respond(200, to_tag="peer").encode())


def test_without_one_the_usual_is_shown_which_such_a_peer_refuses(
    guarded: Guarded, office: Office, peer: TlsPeer
) -> None:
    trunk = office.add("trunks", peers=peer.here, transport="tls")
    with pytest.raises(ssl.SSLError):
        peer.line()
    assert "cannot be reached" in office.wait("trunks", trunk, "down")["peer_states"][0]
    assert "Traceback" not in guarded.exchange.log


@pytest.mark.parametrize("fault", ["missing", "no key", "another key", "nonsense"])
def test_a_certificate_that_cannot_be_shown_is_not_set(guarded: Guarded, office: Office, fault: str) -> None:
    folder = guarded.folder("broken")
    shutil.rmtree(folder, ignore_errors=True)
    if fault != "missing":
        guarded.certify("broken", "broken")
    match fault:
        case "no key":
            (folder / "key.pem").unlink()
        case "another key":
            key = (folder / "key.pem").read_bytes()
            guarded.certify("broken", "broken")
            (folder / "key.pem").write_bytes(key)
        case "nonsense":
            (folder / "cert.pem").write_text("nonsense")
    with pytest.raises(ConfigError) as refused:
        office.add("trunks", peers=PEER, transport="tls", certificate="broken")
    assert refused.value.path.endswith(".certificate")
    assert refused.value.key == "error.bad_certificate"


def test_a_certificate_that_is_gone_is_said_of_the_peer(
    guarded: Guarded, office: Office, peer: TlsPeer
) -> None:
    guarded.certify("lost", "lost")
    trunk = office.add("trunks", peers=peer.here, transport="tls", certificate="lost", keep_alive=10)
    with peer.line() as line:
        line.send(asked(line).respond(200, to_tag="peer").encode())
        office.wait("trunks", trunk, "up")
        (guarded.folder("lost") / "key.pem").unlink()
        wait_until(lambda: "lost/cert.pem or its key cannot be used" in guarded.exchange.log, "the look", 30)
    down = office.wait("trunks", trunk, "down")
    assert "certs/lost cannot be used" in down["peer_states"][0]
    guarded.certify("lost", "found")
    with peer.line() as line:
        assert customer(line) == "found.example"
