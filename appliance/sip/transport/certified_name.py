"""Whom a certificate speaks for, as SIP reads it.

RFC 5922 §7.1 (the names in a certificate), §7.2 (comparing them: no wildcards), §7.4.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from appliance.errors import PeerError
from appliance.sip.message import Uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["certified_names", "certifies", "normal"]


def certifies(certificate: Mapping[str, Any], name: str) -> bool:
    """Whether a verified certificate, as `ssl` gives it, speaks for that domain or IP address."""
    return normal(name) in certified_names(certificate)


def certified_names(certificate: Mapping[str, Any]) -> frozenset[str]:
    """The SIP domains, and the IP addresses, that a verified certificate speaks for, in lower case."""
    alternatives: tuple[tuple[str, str], ...] = certificate.get("subjectAltName", ())
    # §7.1: the common name counts only in certificates that hold no alternative name at all.
    names = _alternative_names(alternatives) if alternatives else _common_names(certificate)
    # §7.2: `*` is not a label like others, and matches nothing.
    return frozenset(normal(name) for name in names if "*" not in name)


def normal(name: str) -> str:
    """A name in the one form in which names are compared."""
    try:
        return str(ip_address(name.strip("[]")))
    except ValueError:
        return name.lower().removesuffix(".")


def _alternative_names(alternatives: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for kind, value in alternatives:
        if kind in ("DNS", "IP Address"):
            yield value
        elif kind == "URI":
            domain = _sip_domain(value)
            if domain:
                yield domain


def _sip_domain(text: str) -> str:
    """§7.1: a `sip:` URI without a user names a domain; one with a user names a person, `sips:` nothing."""
    try:
        uri = Uri.parse(text)
    except PeerError:
        return ""
    return uri.host if uri.scheme == "sip" and uri.user is None else ""


def _common_names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for attributes in certificate.get("subject", ()):
        for name, value in attributes:
            if name == "commonName":
                yield value
