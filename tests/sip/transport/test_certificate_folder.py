"""appliance/sip/transport/certificate_folder.py and tls_contexts.py: several names, and new files while calls go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.streams.tls import TLSAttribute
from cryptography.hazmat.primitives import serialization

from appliance.sip.transport import certificate_folder as module
from appliance.sip.transport.certificate_folder import CertificateFolder
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.tls import TlsLayer
from tests.conftest import REAL_SOCKETS
from tests.peers.authority import Authority
from tests.sip.transport.exchange import Exchange, exchange, options
from tests.sip.transport.test_tcp import read_answer
from tests.sip.transport.test_tls import dial


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return REAL_SOCKETS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def folder(authority: Authority, tmp_path: Path) -> Path:
    authority.certify("box", dns=["box.example"], into=tmp_path / "certs")
    return tmp_path / "certs"


async def shown(it: Exchange, authority: Authority, asked: str) -> set[str]:
    """The names in the certificate that whoever asks for that name gets."""
    client = authority.client()
    client.check_hostname = False
    async with dial(it, client, asked) as tls:
        certificate: Any = tls.extra_attributes[TLSAttribute.peer_certificate]()
        return {value for _, value in certificate["subjectAltName"]}


async def until_read(certificates: CertificateFolder) -> None:
    """Return once servers can be called."""
    while True:
        try:
            certificates.client_as("")
        except TransportError:
            await anyio.lowlevel.checkpoint()
        else:
            return


async def test_each_name_gets_its_certificate(authority: Authority, folder: Path) -> None:
    authority.certify("a", dns=["sip.a.example", "a.example"], into=folder / "a")
    authority.certify("b", dns=["*.b.example"], into=folder / "b")
    async with exchange(contexts=CertificateFolder(folder)) as it:
        assert await shown(it, authority, "A.example") == {"sip.a.example", "a.example"}
        assert await shown(it, authority, "sip.b.example") == {"*.b.example"}
        assert await shown(it, authority, "box.example") == {"box.example"}
        # Whoever asks for what is not here, or for an address, gets the first.
        assert await shown(it, authority, "c.example") == {"box.example"}
        assert await shown(it, authority, "127.0.0.1") == {"box.example"}


async def test_new_certificates_count_while_connections_stand(
    authority: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    async with (
        exchange(contexts=CertificateFolder(folder)) as it,
        dial(it, authority.client(), "box.example") as old,
    ):
        await old.send(options(1, "TLS"))
        await read_answer(old)
        authority.certify("box", dns=["new.example"], into=folder)
        authority.certify("more", dns=["more.example"], into=folder / "more")
        with anyio.fail_after(5):
            while await shown(it, authority, "new.example") != {"new.example"}:
                pass
            while await shown(it, authority, "more.example") != {"more.example"}:
                pass
        await old.send(options(2, "TLS"))
        assert (await read_answer(old)).startswith(b"SIP/2.0 200")


def test_what_cannot_be_used_changes_nothing(
    authority: Authority, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = CertificateFolder(folder)
    server = certificates.server
    assert not certificates.refresh()
    # A new certificate whose key is not there yet.
    key = (folder / "key.pem").read_bytes()
    authority.certify("box", dns=["new.example"], into=folder)
    fitting = (folder / "key.pem").read_bytes()
    (folder / "key.pem").write_bytes(key)
    with pytest.raises(OSError, match="mismatch"):
        certificates.refresh()
    assert certificates.server is server
    (folder / "key.pem").write_bytes(fitting)
    assert certificates.refresh()
    assert certificates.server is not server
    # Another pair, or a list of authorities, is left out alone.
    (folder / "bad").mkdir()
    (folder / "bad" / "cert.pem").write_text("nonsense")
    (folder / "trusted.pem").write_text("nonsense")
    assert certificates.refresh()
    assert "bad/cert.pem or its key cannot be used" in caplog.text
    assert "trusted.pem or its key cannot be used" in caplog.text


def test_names_that_nobody_can_read_are_left_out_too(
    authority: Authority, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An x400Address, which OpenSSL passes over and the library that reads the names does not."""
    authority.certify("old", odd_names=b"\x30\x02\xa3\x00", into=folder / "old")
    assert CertificateFolder(folder).server is not None
    assert "old/cert.pem or its key cannot be used" in caplog.text


def test_a_first_certificate_there_must_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        CertificateFolder(tmp_path)


async def test_a_folder_that_breaks_is_complained_of_and_watched_on(
    authority: Authority, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    certificates = CertificateFolder(folder)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(certificates.watch)
        with anyio.fail_after(5):
            await until_read(certificates)
            (folder / "key.pem").write_text("nonsense")
            while "stay in use" not in caplog.text:
                await anyio.lowlevel.checkpoint()
            before = certificates.server
            authority.certify("box", dns=["box.example"], into=folder)
            while certificates.server is before:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_whoever_is_called_sees_the_certificate_that_is_wanted(
    authority: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    (folder / "trusted.pem").write_bytes(authority.file.read_bytes())
    authority.certify("a", dns=["a.example"], into=folder / "a")
    certificates = CertificateFolder(folder)
    with pytest.raises(TransportError, match="are read yet"):
        certificates.client_as("")
    certificates.want(["a", "none"])

    async def seen(certificate: str) -> set[str]:
        """The names that a server of ours gets to see."""
        server, client = TlsLayer(guarded), TlsLayer(certificates.client_as(certificate), "server.example")
        for _ in range(3):
            server.receive(client.take())
            client.receive(server.take())
        return set(server.peer_names)

    pair = authority.certify("server", dns=["server.example"])
    guarded = authority.contexts(pair, ask_clients=True).server
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(certificates.watch)
        with anyio.fail_after(5):
            await until_read(certificates)
            assert await seen("a") == {"a.example"}
            assert await seen("") == {"box.example"}
            with pytest.raises(TransportError, match="none cannot be used"):
                certificates.client_as("none")
            before = certificates.client_as("a")
            authority.certify("b", dns=["b.example"], into=folder / "a")
            while certificates.client_as("a") is before:
                await anyio.lowlevel.checkpoint()
            assert await seen("a") == {"b.example"}
            certificates.want([])
            with pytest.raises(TransportError):
                while certificates.client_as("a"):
                    await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


def test_a_key_with_a_password_is_no_use_and_asks_nobody(authority: Authority, folder: Path) -> None:
    pair = authority.certify("a", dns=["a.example"], into=folder / "a")
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pair.key.write_bytes(key.private_bytes(*form, locked))
    with pytest.raises(OSError, match="PEM"):
        CertificateFolder(folder).check("a")
