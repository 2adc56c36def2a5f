"""appliance/sip/transport/certificate_folder.py and tls_contexts.py: several names, and new files while calls go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.streams.tls import TLSAttribute

from appliance.sip.transport import certificate_folder as module
from appliance.sip.transport.certificate_folder import CertificateFolder
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
            while certificates.client is None:
                await anyio.lowlevel.checkpoint()
            (folder / "key.pem").write_text("nonsense")
            while "stay in use" not in caplog.text:
                await anyio.lowlevel.checkpoint()
            before = certificates.server
            authority.certify("box", dns=["box.example"], into=folder)
            while certificates.server is before:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
