"""Settings of the box itself."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv4Address, IPv4Interface, ip_address
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.config.server_address import server_address
from appliance.errors import ConfigError
from appliance.locale import Language

__all__ = ["DNS_PORT", "REALM", "Network", "System", "verify"]

# Fixed for the life of the exchange: every password's digest is made with it (RFC 7616 §3.4.2).
REALM = "branchbox"
# RFC 1123 §2.1 and RFC 1035 §2.3.4: letters, digits and hyphens, no hyphen at an end, 63 octets.
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# resolv.conf(5) reads the first three.
MAX_DNS_SERVERS = 3
DNS_PORT = 53
# Each is asked some ten questions at once; two that agree already settle who lies.
MAX_DNS_REFERENCES = 4

Network = Literal["dhcp", "static"]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, with what a new box has."""

    language: Language = "en"
    "What the serial console and the console's log-in page speak until a person chooses."
    host_name: str = "branchbox"
    time_zone: str = "UTC"
    "A name of the IANA time zone database, such as Asia/Shanghai."
    network: Network = "dhcp"
    address: str = ""
    "IPv4 address; this and the next two count with `network` static only."
    prefix: int = 24
    gateway: str = ""
    "May be empty: a network without a way out."
    dns: tuple[str, ...] = ()
    dns_references: tuple[str, ...] = ("119.29.29.29", "223.5.5.5")
    """Name servers that the DNS check compares the system's with, each with `:port` where it is not 53. DNSPod and AliDNS
    answer from most networks, in China too; none means that nobody outside is asked."""
    realm: str = REALM


def verify(system: System) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if not HOST_NAME.fullmatch(system.host_name):
        raise ConfigError("system.host_name", "error.bad_host_name")
    if not _is_time_zone(system.time_zone):
        raise ConfigError("system.time_zone", "error.unknown_time_zone", name=system.time_zone[:64])
    if len(system.dns) > MAX_DNS_SERVERS:
        raise ConfigError("system.dns", "error.too_many", limit=MAX_DNS_SERVERS)
    for server in system.dns:
        try:
            ip_address(server)
        except ValueError as error:
            raise ConfigError("system.dns", "error.bad_address") from error
    _verify_references(system.dns_references)
    if system.network == "static":
        _verify_static(system)


def _verify_references(servers: tuple[str, ...]) -> None:
    if len(servers) > MAX_DNS_REFERENCES:
        raise ConfigError("system.dns_references", "error.too_many", limit=MAX_DNS_REFERENCES)
    for server in servers:
        try:
            server_address(server, DNS_PORT)
        except ValueError as error:
            raise ConfigError("system.dns_references", "error.bad_address") from error


def _verify_static(system: System) -> None:
    address = _address("system.address", system.address)
    if not 8 <= system.prefix <= 30:
        raise ConfigError("system.prefix", "error.out_of_range", low=8, high=30)
    network = IPv4Interface((address, system.prefix)).network
    if address in (network.network_address, network.broadcast_address) or not _is_host(address):
        raise ConfigError("system.address", "error.not_a_host_address")
    if not system.gateway:
        return
    gateway = _address("system.gateway", system.gateway)
    if gateway not in network or gateway == address:
        raise ConfigError("system.gateway", "error.gateway_outside", network=str(network))


def _address(path: str, text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError as error:
        raise ConfigError(path, "error.bad_address") from error


def _is_host(address: IPv4Address) -> bool:
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved)


@cache
def _is_time_zone(name: str) -> bool:
    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
