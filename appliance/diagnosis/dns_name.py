"""The name to check in what people type: a host name, a host with its port, or a SIP URI.

RFC 1035 §2.3.4 (lengths), RFC 2782 (underscores), RFC 3261 §19.1 (URIs), RFC 3490 (names in other scripts).
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from appliance.errors import ConfigError, PeerError
from appliance.sip.message import Uri

__all__ = ["MAX_NAME", "host_of"]

MAX_TEXT = 512
"Characters of what is typed that are looked at: the longest name with a user, a port and parameters."

MAX_NAME = 253 - len("_sips._tcp.")
"Octets: with its longest prefix the name must still be one."

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
URI = re.compile(r"sips?:", re.IGNORECASE)
WITH_PORT = re.compile(r"(.*?)(?::[0-9]{1,5})?", re.DOTALL)
PATH = "dns-check"


def host_of(text: str) -> str:
    """The host name in it, in lower case and ASCII. ConfigError: there is none, or an IP address that needs no DNS."""
    if len(text) > MAX_TEXT:
        raise ConfigError(PATH, "error.bad_dns_name")
    host = _host(text.strip().removeprefix("<").removesuffix(">")).removesuffix(".").lower()
    if _is_address(host):
        raise ConfigError(PATH, "error.address_needs_no_dns")
    name = _in_ascii(host)
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        raise ConfigError(PATH, "error.bad_dns_name")
    return name


def _host(text: str) -> str:
    if not URI.match(text):
        match = WITH_PORT.fullmatch(text)
        return match[1] if match else text
    try:
        return Uri.parse(text).address
    except PeerError as error:
        raise ConfigError(PATH, "error.bad_dns_name") from error


def _in_ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ConfigError(PATH, "error.bad_dns_name") from error


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
