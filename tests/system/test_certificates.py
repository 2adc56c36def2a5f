"""The box's certificate: made once, names what it should, survives a power cut at any point."""

from __future__ import annotations

import os
import ssl
import stat
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.system.certificates import VALIDITY, ensure_certificate, fingerprint

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_names_the_box_and_is_p256(tmp_path: Path) -> None:
    pair = ensure_certificate(tmp_path / "certs", "pbx", ["192.168.1.5", "fe80::1%eth0"], NOW)
    certificate = load(pair.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pbx", "pbx.local", "localhost"]
    assert set(names.get_values_for_type(x509.IPAddress)) == {
        ip_address(each) for each in ("192.168.1.5", "fe80::1", "127.0.0.1", "::1")
    }
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == VALIDITY
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_openssl_takes_the_pair_and_only_the_service_reads_the_key(tmp_path: Path) -> None:
    pair = ensure_certificate(tmp_path / "certs", "pbx", [])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(pair.key.parent.stat().st_mode) == 0o700


def test_the_next_start_uses_the_same(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, "pbx", [])
    before = fingerprint(first.certificate)
    second = ensure_certificate(tmp_path, "other", ["10.0.0.1"])
    assert (first.made, second.made) == (True, False)
    assert fingerprint(second.certificate) == before
    assert len(before.split(":")) == 32


@pytest.mark.parametrize("lost", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("how", ["missing", "empty", "half", "of another pair"])
def test_half_a_pair_is_replaced(tmp_path: Path, lost: str, how: str) -> None:
    pair = ensure_certificate(tmp_path, "pbx", [])
    path = tmp_path / lost
    match how:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "half":
            path.write_bytes(path.read_bytes()[:80])
        case _:
            other = ensure_certificate(tmp_path / "other", "pbx", [])
            path.write_bytes((other.certificate.parent / lost).read_bytes())
    assert ensure_certificate(tmp_path, "pbx", []).made
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)


def test_a_clock_that_was_never_set_makes_no_certificate_of_1970(tmp_path: Path) -> None:
    pair = ensure_certificate(tmp_path, "pbx", [], datetime(1970, 1, 1, tzinfo=UTC))
    assert load(pair.certificate).not_valid_after_utc.year >= 2033


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        ensure_certificate(tmp_path / "certs", "pbx", [])
    assert list((tmp_path / "certs").iterdir()) == []
