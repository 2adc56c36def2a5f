"""The files that network settings stand for, word for word, and that systemd knows every word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import structs

from appliance.config.network import NetworkSettings
from appliance.system.network_files import (
    NETWORK_FILES,
    Cards,
    automatic_file,
    network_files,
    time_file,
    wifi_file,
)

CARDS = Cards(wired=("end0", "enu1"), wireless=("wlan0",))
HEAD = "# Written by branchbox system-apply.\n\n"
MAIN, VLAN, VLAN_DEVICE = NETWORK_FILES
IPV4 = NetworkSettings(
    network="static", address="192.0.2.5", gateway="192.0.2.1", dns=("192.0.2.1", "2001:db8::1")
)
IPV6 = NetworkSettings(ipv6="static", address6="2001:db8::5", gateway6="fe80::1")
WIFI = NetworkSettings(link="wifi", wifi_ssid="IEEE", wifi_password="password")

GOLDEN: list[tuple[NetworkSettings, dict[str, str]]] = [
    (NetworkSettings(), {}),
    (
        IPV4,
        {
            MAIN: "[Match]\nName=end0\n\n[Network]\nDHCP=ipv6\nAddress=192.0.2.5/24\nGateway=192.0.2.1\n"
            "IPv6AcceptRA=yes\nDNS=192.0.2.1\nDNS=2001:db8::1\nMulticastDNS=yes\n\n[DHCPv6]\nDUIDType=link-layer\n"
        },
    ),
    (
        structs.replace(IPV4, gateway="", dns=(), ipv6="off"),
        {
            MAIN: "[Match]\nName=end0\n\n[Network]\nDHCP=no\nAddress=192.0.2.5/24\n"
            "IPv6AcceptRA=no\nLinkLocalAddressing=no\nMulticastDNS=yes\n"
        },
    ),
    (
        IPV6,
        {
            MAIN: "[Match]\nName=end0\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nAddress=2001:db8::5/64\n"
            "Gateway=fe80::1\nMulticastDNS=yes\n\n[DHCPv4]\nClientIdentifier=mac\n"
        },
    ),
    (
        NetworkSettings(ipv6="off"),
        {
            MAIN: "[Match]\nName=en* eth* usb*\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
            "MulticastDNS=yes\n\n[DHCPv4]\nClientIdentifier=mac\n"
        },
    ),
    (
        NetworkSettings(vlan=7),
        {
            VLAN_DEVICE: "[NetDev]\nName=vlan7\nKind=vlan\n\n[VLAN]\nId=7\n",
            MAIN: "[Match]\nName=end0\n\n[Network]\nVLAN=vlan7\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
            VLAN: "[Match]\nName=vlan7\n\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\nMulticastDNS=yes\n\n"
            "[DHCPv4]\nClientIdentifier=mac\n\n[DHCPv6]\nDUIDType=link-layer\n",
        },
    ),
    (
        WIFI,
        {
            MAIN: "[Match]\nName=wlan0\n\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\nMulticastDNS=yes\n\n"
            "[DHCPv4]\nClientIdentifier=mac\nRouteMetric=2048\n\n[DHCPv6]\nDUIDType=link-layer\n\n"
            "[IPv6AcceptRA]\nRouteMetric=2048\n"
        },
    ),
]


@pytest.mark.parametrize(("settings", "files"), GOLDEN)
def test_word_for_word(settings: NetworkSettings, files: dict[str, str]) -> None:
    made = network_files(settings, CARDS)
    assert made == {name: HEAD + text for name, text in files.items()}


def test_before_a_card_is_seen_any_will_do() -> None:
    assert "Name=en* eth* usb*\n" in network_files(NetworkSettings(vlan=7), Cards())[MAIN]
    assert "Name=wl*\n" in network_files(WIFI, Cards())[MAIN]


def test_wifi_in_hexadecimal() -> None:
    settings = structs.replace(WIFI, wifi_country="DE")
    # The PSK is the first test vector of IEEE 802.11 annex J.4.
    assert wifi_file(settings) == (
        "# Written by branchbox system-apply.\ncountry=DE\nnetwork={\n\tssid=49454545\n\tscan_ssid=1\n"
        "\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n\tieee80211w=1\n"
        "\tpsk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e\n"
        "\tsae_password=70617373776f7264\n}\n"
    )
    assert wifi_file(NetworkSettings()) is None


def test_time_servers() -> None:
    assert time_file(("a.example", "192.0.2.1")) == HEAD + "[Time]\nNTP=a.example 192.0.2.1\n"
    assert time_file(()) is None


def test_networkd_knows_every_word() -> None:
    """It warns of what it does not know, in a journal that nobody reads, and goes on without."""
    networkd = Path("/usr/lib/systemd/systemd-networkd")
    if not networkd.exists():
        pytest.skip("systemd-networkd is not installed")
    known = networkd.read_bytes()
    texts = [text for settings, _ in GOLDEN for text in network_files(settings, CARDS).values()]
    image = Path("image/overlay/usr/lib/systemd/network/80-branchbox.network").read_text(encoding="utf-8")
    used = {each for text in [*texts, automatic_file(), image] for each in keys(text)}
    assert len(used) > 12
    assert [each for each in sorted(used) if b"\0" + each.encode() + b"\0" not in known] == []


def keys(text: str) -> set[str]:
    """`Section.Key` of each line, as networkd's own table of them has it."""
    section, found = "", set()
    for line in text.splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif "=" in line and not line.startswith("#"):
            found.add(f"{section}.{line.partition('=')[0]}")
    return found
