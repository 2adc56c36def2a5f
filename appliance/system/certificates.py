"""The box's own certificate: made at the first start, used ever after.

RFC 5280 §4.1.2.5 (validity), §4.2.1.6 (subject alternative names), §4.2.1.9 (basic constraints); P-256 ECDSA.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Certificate", "ensure_certificate", "fingerprint"]

VALIDITY = timedelta(days=3650)
"""Ten years. Nobody but the person who trusts it vouches for this certificate, and telephones that pin it do so
by hand: if it were changed every 825 days (what Apple asks of certificates that an authority issued), each change
would silently cut them off. A box without a battery clock may also make it at a wrong date."""
BACKDATE = timedelta(days=1)
"A telephone whose clock is a little behind ours must not find the certificate not yet valid."
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
"A clock that says less was never set (no battery): a certificate of 1970 would be over in 1980."


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the pair lies. `made` is true when this start made it."""

    certificate: Path
    "PEM, mode 0644."
    key: Path
    "PEM (PKCS#8, not encrypted), mode 0600."
    made: bool


def ensure_certificate(
    directory: Path, host_name: str, addresses: Iterable[str], now: datetime | None = None
) -> Certificate:
    """The pair in `directory`, made anew only when there is none that fits together. OSError.

    `addresses` are the box's IP addresses now; `now` is aware, None for the clock. A pair that is there is kept
    whatever it names: who trusted it must not be asked again because a cable was moved.
    """
    certificate, key = directory / "cert.pem", directory / "key.pem"
    if _is_pair(certificate, key):
        return Certificate(certificate, key, made=False)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = ec.generate_private_key(ec.SECP256R1())
    signed = _self_signed(private, host_name, addresses, now or datetime.now(UTC))
    # The key first: power lost in between leaves a key that fits no certificate, which the next start replaces.
    write_atomically(key, _key_pem(private), mode=0o600)
    write_atomically(certificate, signed.public_bytes(serialization.Encoding.PEM))
    return Certificate(certificate, key, made=True)


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the certificate as browsers show it, `AB:CD:...`. OSError, ValueError."""
    return (
        x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()
    )


def _is_pair(certificate: Path, key: Path) -> bool:
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return False
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(*spki) == private.public_key().public_bytes(*spki)


def _self_signed(
    private: ec.EllipticCurvePrivateKey, host_name: str, addresses: Iterable[str], now: datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host_name[:64])])
    start = max(now, EARLIEST) - BACKDATE
    public = private.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(_names(host_name, addresses)), critical=False)
        # Not an authority: who trusts this certificate trusts this box and nothing that the box could sign.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(private, hashes.SHA256())


def _names(host_name: str, addresses: Iterable[str]) -> list[x509.GeneralName]:
    hosts = dict.fromkeys([host_name, f"{host_name.split('.', maxsplit=1)[0]}.local", "localhost"])
    # An IPv6 address may come with its interface (`fe80::1%eth0`), which a certificate cannot hold.
    numbers = dict.fromkeys(ip_address(each.partition("%")[0]) for each in (*addresses, "127.0.0.1", "::1"))
    return [*(x509.DNSName(each) for each in hosts), *(x509.IPAddress(each) for each in numbers)]


def _key_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
