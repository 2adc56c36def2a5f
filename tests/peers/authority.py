"""An authority that certifies whatever a test wants certified."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.sip.transport.tls_contexts import Contexts, KeyPair, client_context, server_context

__all__ = ["Authority"]

VALID = timedelta(hours=1)


class Authority:
    """Keeps its own certificate in `file`, and what it certifies in folders beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "authority.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Authority of a test")
        own = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def certify(
        self,
        common: str,
        *,
        dns: Sequence[str] = (),
        uris: Sequence[str] = (),
        addresses: Sequence[str] = (),
        odd_names: bytes = b"",
        into: Path | None = None,
    ) -> KeyPair:
        """A new key and a certificate with these names, as cert.pem and key.pem in a folder; `odd_names`: in DER."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(common), key)
        names = [
            *(x509.DNSName(each) for each in dns),
            *(x509.UniformResourceIdentifier(each) for each in uris),
            *(x509.IPAddress(ip_address(each)) for each in addresses),
        ]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if odd_names:
            odd = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, odd_names)
            builder = builder.add_extension(odd, critical=False)
        folder = into or self.folder / f"{common}-{x509.random_serial_number():x}"
        folder.mkdir(exist_ok=True)
        pair = KeyPair(folder / "cert.pem", folder / "key.pem")
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        pair.certificate.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        return pair

    def contexts(self, *pairs: KeyPair, ask_clients: bool = False) -> Contexts:
        """What a side uses that shows these certificates and trusts this authority."""
        server = server_context(pairs, self.file if ask_clients else None)
        return Contexts(server, client_context(pairs[0], self.file))

    def client(self, pair: KeyPair | None = None) -> ssl.SSLContext:
        """A phone's context: it trusts this authority."""
        context = ssl.create_default_context(cafile=str(self.file))
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - VALID)
            .not_valid_after(now + VALID)
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
