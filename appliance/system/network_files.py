"""The files of systemd-networkd, wpa_supplicant and systemd-timesyncd that network settings stand for. Pure.

systemd.network(5), systemd.netdev(5), timesyncd.conf(5), wpa_supplicant.conf(5). The image's own file,
`80-branchbox.network`, gives every wired card DHCP and IPv6; what is made here stands before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.config.network import NetworkSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["NETWORK_FILES", "WIRED", "Cards", "network_files", "time_file", "vlan_card", "wifi_file"]

WIRED = "en* eth* usb*"
WIRELESS = "wl*"
MAIN, VLAN, VLAN_DEVICE = "10-branchbox.network", "10-branchbox-vlan.network", "10-branchbox-vlan.netdev"
NETWORK_FILES = (MAIN, VLAN, VLAN_DEVICE)
"All that `network_files` may give: what is not given is to be removed."
WIFI_METRIC = 2048
"Twice networkd's 1024: whoever plugs a cable in wants it used."
PSK_ROUNDS, PSK_OCTETS = 4096, 32
"IEEE 802.11 annex J.4.1."


@dataclass(frozen=True, slots=True)
class Cards:
    """The network cards of the box that are real devices, in the kernel's order."""

    wired: tuple[str, ...] = ()
    wireless: tuple[str, ...] = ()


def network_files(network: NetworkSettings, cards: Cards) -> dict[str, str]:
    """What goes into networkd's folder, by name. Nothing, where the image's own file says it all already."""
    if network.link == "wifi":
        matched = next(iter(cards.wireless), WIRELESS)
        return {MAIN: _file(_match(matched), _network(network), *_dhcp(network, WIFI_METRIC))}
    # One card: two with the same address would answer for each other, two in one VLAN would make a loop of it.
    wired = next(iter(cards.wired), WIRED)
    if network.vlan:
        name = vlan_card(network.vlan)
        return {
            VLAN_DEVICE: _file(("NetDev", [f"Name={name}", "Kind=vlan"]), ("VLAN", [f"Id={network.vlan}"])),
            MAIN: _file(
                _match(wired), ("Network", [f"VLAN={name}", "LinkLocalAddressing=no", "IPv6AcceptRA=no"])
            ),
            VLAN: _file(_match(name), _network(network), *_dhcp(network)),
        }
    if network.network == "dhcp" and network.ipv6 == "automatic":
        return {}
    matched = wired if "static" in (network.network, network.ipv6) else WIRED
    return {MAIN: _file(_match(matched), _network(network), *_dhcp(network))}


def automatic_file() -> str:
    """What the image's own file says, for a root that lacks it: without any file networkd leaves the card alone."""
    settings = NetworkSettings()
    return _file(_match(WIRED), _network(settings), *_dhcp(settings))


def vlan_card(vlan: int) -> str:
    """The name of a VLAN's card."""
    return f"vlan{vlan}"


def wifi_file(network: NetworkSettings) -> str | None:
    """wpa_supplicant's configuration; None without Wi-Fi. WPA2 and WPA3, whichever the access point has.

    Name and passphrase stand there in hexadecimal: nothing in them can be taken for syntax.
    """
    if network.link != "wifi":
        return None
    ssid, passphrase = network.wifi_ssid.encode(), network.wifi_password.encode()
    psk = hashlib.pbkdf2_hmac("sha1", passphrase, ssid, PSK_ROUNDS, PSK_OCTETS)
    lines = [
        *([f"country={network.wifi_country}"] if network.wifi_country else []),
        "network={",
        f"\tssid={ssid.hex()}",
        # A name that is not announced is found as well.
        "\tscan_ssid=1",
        "\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE",
        # Protected management frames where the access point can: SAE demands them.
        "\tieee80211w=1",
        f"\tpsk={psk.hex()}",
        f"\tsae_password={passphrase.hex()}",
        "}",
    ]
    return _text(lines)


def time_file(servers: Sequence[str]) -> str | None:
    """timesyncd's configuration; None without servers of one's own."""
    return _file(("Time", [f"NTP={' '.join(servers)}"])) if servers else None


def _network(network: NetworkSettings) -> tuple[str, list[str]]:
    families = {
        (True, True): "yes",
        (True, False): "ipv4",
        (False, True): "ipv6",
        (False, False): "no",
    }
    wants = network.network == "dhcp", network.ipv6 == "automatic"
    lines = [f"DHCP={families[wants]}"]
    if network.network == "static":
        lines.append(f"Address={network.address}/{network.prefix}")
        lines += [f"Gateway={network.gateway}"] if network.gateway else []
    lines += _ipv6(network)
    if "static" in (network.network, network.ipv6):
        lines += [f"DNS={server}" for server in network.dns]
    return "Network", [*lines, "MulticastDNS=yes"]


def _ipv6(network: NetworkSettings) -> list[str]:
    match network.ipv6:
        case "automatic":
            return ["IPv6AcceptRA=yes"]
        case "off":
            # Without an address of this link and without advertisements networkd turns IPv6 off on it.
            return ["IPv6AcceptRA=no", "LinkLocalAddressing=no"]
        case "static":
            gateway = [f"Gateway={network.gateway6}"] if network.gateway6 else []
            return ["IPv6AcceptRA=no", f"Address={network.address6}/{network.prefix6}", *gateway]


def _dhcp(network: NetworkSettings, metric: int = 0) -> list[tuple[str, list[str]]]:
    routes = [f"RouteMetric={metric}"] if metric else []
    sections: list[tuple[str, list[str]]] = []
    if network.network == "dhcp":
        # The machine id lives as long as the box runs; by its hardware address the box keeps its lease.
        sections.append(("DHCPv4", ["ClientIdentifier=mac", *routes]))
    if network.ipv6 == "automatic":
        sections.append(("DHCPv6", ["DUIDType=link-layer"]))
        sections += [("IPv6AcceptRA", routes)] if routes else []
    return sections


def _match(names: str) -> tuple[str, list[str]]:
    return "Match", [f"Name={names}"]


def _file(*sections: tuple[str, Iterable[str]]) -> str:
    return _text([line for name, lines in sections for line in ("", f"[{name}]", *lines)])


def _text(lines: Iterable[str]) -> str:
    return "\n".join(["# Written by branchbox system-apply.", *lines]) + "\n"
