"""What TLS is spoken with: our certificates, chosen by the name that a peer asks for, and whom we trust.

RFC 3261 §26.3.1; RFC 5922 §7.5; RFC 6066 §3 (server name); RFC 9325 §3.1 (versions).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cryptography import x509

from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Contexts", "KeyPair", "TlsContexts", "client_context", "server_context"]


class TlsContexts(Protocol):
    """Asked for each new connection: what stands keeps what it began with."""

    @property
    def server(self) -> ssl.SSLContext:
        """For connections that peers open."""

    def client_as(self, certificate: str) -> ssl.SSLContext:
        """For connections that we open, where we show the certificate of that name, empty: the usual one.

        TransportError says why there is none, perhaps for a moment only.
        """

    async def watch(self) -> None:
        """Keep up to date, as long as the transports run."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """Contexts that never change."""

    server: ssl.SSLContext
    client: ssl.SSLContext | None = None
    "Shows the usual certificate; None: nobody can be called."
    named: Mapping[str, ssl.SSLContext] = field(default_factory=dict)
    "Those that show another one, by its name."

    def client_as(self, certificate: str) -> ssl.SSLContext:
        """As `TlsContexts` has it."""
        context = self.named.get(certificate) if certificate else self.client
        if context is None:
            raise TransportError("no certificates to call others with")
        return context

    async def watch(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a certificate (with those between it and its authority behind it) and its key lie, in PEM."""

    certificate: Path
    key: Path


def server_context(pairs: Sequence[KeyPair], trusted: Path | None = None) -> ssl.SSLContext:
    """A server's context. The first pair answers whoever asks for no name, or for one that is not ours.

    With `trusted` a client may show a certificate, which one of the authorities in that file must have
    signed. Blocks for a few milliseconds a pair. OSError (as which ssl.SSLError counts), ValueError.
    """
    contexts = [_server_context(pair, trusted) for pair in pairs]
    by_name: dict[str, ssl.SSLContext] = {}
    for pair, context in zip(pairs, contexts, strict=True):
        for name in _names(pair):
            by_name.setdefault(name, context)
    first = contexts[0]

    def choose(tls: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        tls.context = _chosen(by_name, name) or first

    first.sni_callback = choose
    return first


def client_context(pair: KeyPair | None = None, trusted: Path | None = None) -> ssl.SSLContext:
    """A client's context: trusts the system's authorities and those in `trusted`, and shows `pair` when asked.

    Names are not checked by it: see `certified_name`. Blocks for some 30 ms. OSError, ValueError.
    """
    context = _hardened(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    # RFC 5922 §7.2 knows no wildcards, and §7.1 other names than HTTPS: OpenSSL's check is not ours.
    context.check_hostname = False
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if trusted is not None:
        context.load_verify_locations(trusted)
    if pair is not None:
        _show(context, pair)
    return context


def _server_context(pair: KeyPair, trusted: Path | None) -> ssl.SSLContext:
    context = _hardened(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    _show(context, pair)
    if trusted is not None:
        context.load_verify_locations(trusted)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _show(context: ssl.SSLContext, pair: KeyPair) -> None:
    # Without a password of ours OpenSSL would ask the terminal for that of a key which has one.
    context.load_cert_chain(pair.certificate, pair.key, password="")


def _hardened(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A handshake costs us more than whoever asks for it: one a connection is enough.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def _chosen(by_name: Mapping[str, ssl.SSLContext], name: str | None) -> ssl.SSLContext | None:
    if name is None:
        return None
    name = name.lower().removesuffix(".")
    # A wildcard stands for one label (RFC 9525 §6.3): browsers take such a certificate, even if SIP does not.
    return by_name.get(name) or by_name.get(f"*.{name.partition('.')[2]}")


# What a certificate may hold that OpenSSL does not mind; each is an exception of its own kind.
_UNREADABLE = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)


def _names(pair: KeyPair) -> list[str]:
    try:
        return _names_in(x509.load_pem_x509_certificate(pair.certificate.read_bytes()))
    except _UNREADABLE as error:
        raise ValueError(str(error)) from error


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(each.value).lower() for each in common]
    return [name.lower() for name in alternatives.get_values_for_type(x509.DNSName)]
