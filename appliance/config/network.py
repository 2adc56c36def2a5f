"""How the box is reached: IPv4, IPv6, VLAN, cable or Wi-Fi. The settings that can cut their administrator off."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Literal

import msgspec

from appliance.errors import ConfigError

__all__ = ["Ipv6", "Link", "Network", "NetworkSettings", "check_ip_address", "network_of", "verify"]

# resolv.conf(5) reads the first three.
MAX_DNS_SERVERS = 3
# IEEE 802.1Q §9.6: twelve bits, of which 0 means no VLAN and 4095 is reserved.
VLANS = range(1, 4095)
# IEEE 802.11 §9.4.2.2.
SSID_OCTETS = range(1, 33)
# IEEE 802.11 annex J.4.1: 8 to 63 printable ASCII characters.
PASSPHRASE = re.compile(r"[ -~]{8,63}")
COUNTRY = re.compile(r"[A-Z]{2}")

Network = Literal["dhcp", "static"]
Ipv6 = Literal["automatic", "static", "off"]
Link = Literal["cable", "wifi"]


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """With what a new box has: everything by itself, over the cable."""

    network: Network = "dhcp"
    address: str = ""
    "IPv4 address; this and the next two count with `network` static only."
    prefix: int = 24
    gateway: str = ""
    "May be empty: a network without a way out."
    dns: tuple[str, ...] = ()
    "Of IPv4 or IPv6; they count where one of both is static."
    ipv6: Ipv6 = "automatic"
    "`automatic`: as routers advertise it (RFC 4862), and by DHCPv6 where they say so."
    address6: str = ""
    "IPv6 address; this and the next two count with `ipv6` static only."
    prefix6: int = 64
    gateway6: str = ""
    "In the network, or link-local (`fe80::`); may be empty."
    vlan: int = 0
    "1 to 4094: everything goes tagged through this VLAN of the cable; 0: untagged."
    link: Link = "cable"
    "With `wifi` all of this is of the Wi-Fi card, and a cable that is plugged in gets an address by DHCP beside it."
    wifi_ssid: str = ""
    wifi_password: str = ""
    "WPA2 or WPA3 passphrase. Written, never shown."
    wifi_country: str = ""
    "Two capital letters (ISO 3166): which channels may be used. Empty: those that all countries allow."


def network_of(settings: NetworkSettings) -> dict[str, Any]:
    """The settings of the network alone, of a struct that has more: to be put into another one."""
    return {name: getattr(settings, name) for name in NetworkSettings.__struct_fields__}


def verify(settings: NetworkSettings) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if len(settings.dns) > MAX_DNS_SERVERS:
        raise ConfigError("system.dns", "error.too_many", limit=MAX_DNS_SERVERS)
    for server in settings.dns:
        check_ip_address("system.dns", server)
    if settings.network == "static":
        _verify_ipv4(settings)
    if settings.ipv6 == "static":
        _verify_ipv6(settings)
    if settings.vlan != 0 and settings.vlan not in VLANS:
        raise ConfigError("system.vlan", "error.out_of_range", low=VLANS.start, high=VLANS.stop - 1)
    _verify_wifi(settings)


def check_ip_address(path: str, text: str) -> IPv4Address | IPv6Address:
    """An IPv4 or IPv6 address. ConfigError for any other text."""
    return _ipv6(path, text) if ":" in text else _ipv4(path, text)


def _verify_ipv4(settings: NetworkSettings) -> None:
    address = _ipv4("system.address", settings.address)
    if not 8 <= settings.prefix <= 30:
        raise ConfigError("system.prefix", "error.out_of_range", low=8, high=30)
    network = IPv4Interface((address, settings.prefix)).network
    if address in (network.network_address, network.broadcast_address) or not _is_host(address):
        raise ConfigError("system.address", "error.not_a_host_address")
    if not settings.gateway:
        return
    gateway = _ipv4("system.gateway", settings.gateway)
    # A gateway outside its network is never reached; with it the box would be cut off.
    beyond = gateway in (address, network.network_address, network.broadcast_address)
    if gateway not in network or beyond:
        raise ConfigError("system.gateway", "error.gateway_outside", network=str(network))


def _verify_ipv6(settings: NetworkSettings) -> None:
    address = _ipv6("system.address6", settings.address6)
    if not 8 <= settings.prefix6 <= 127:
        raise ConfigError("system.prefix6", "error.out_of_range", low=8, high=127)
    network = IPv6Interface((address, settings.prefix6)).network
    # A link-local address the card has anyway, and no browser can be told of it.
    if not _is_host(address) or address.is_link_local or address.ipv4_mapped is not None:
        raise ConfigError("system.address6", "error.not_a_host_address")
    if not settings.gateway6:
        return
    gateway = _ipv6("system.gateway6", settings.gateway6)
    if gateway == address or not (gateway in network or gateway.is_link_local):
        raise ConfigError("system.gateway6", "error.gateway_outside", network=str(network))


def _verify_wifi(settings: NetworkSettings) -> None:
    wanted, ssid, password = settings.link == "wifi", settings.wifi_ssid, settings.wifi_password
    if wanted and settings.vlan:
        # IEEE 802.11 frames to an access point bear no tag.
        raise ConfigError("system.vlan", "error.no_vlan_over_wifi")
    octets = len(ssid.encode("utf-8", "surrogatepass"))
    if (wanted or ssid) and (octets not in SSID_OCTETS or not ssid.isprintable()):
        raise ConfigError(
            "system.wifi_ssid", "error.bad_ssid", low=SSID_OCTETS.start, high=SSID_OCTETS.stop - 1
        )
    if (wanted or password) and not PASSPHRASE.fullmatch(password):
        raise ConfigError("system.wifi_password", "error.bad_wifi_password")
    if settings.wifi_country and not COUNTRY.fullmatch(settings.wifi_country):
        raise ConfigError("system.wifi_country", "error.bad_country")


def _ipv4(path: str, text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError as error:
        raise ConfigError(path, "error.bad_address") from error


def _ipv6(path: str, text: str) -> IPv6Address:
    # An IPv6 zone (`%eth0`) may hold anything but `%`, and this ends in files that root reads.
    if "%" in text:
        raise ConfigError(path, "error.bad_address")
    try:
        return IPv6Address(text)
    except ValueError as error:
        raise ConfigError(path, "error.bad_address") from error


def _is_host(address: IPv4Address | IPv6Address) -> bool:
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved)
