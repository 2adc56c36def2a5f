"""The files are given to systemd's own networkd, in a network of its own, and the kernel is asked what came of it.

Requirements not tested: VLANs and Wi-Fi, for which a kernel needs drivers that a test machine may lack; `networkctl`, which
needs a D-Bus.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.config.network import NetworkSettings
from appliance.system.network_files import Cards, network_files

NETWORKD = Path("/usr/lib/systemd/systemd-networkd")
# /run is its own, so that neither sees the other's files; a read-only /sys tells it that there is no udev to wait for.
SCRIPT = """
set -eu
mount -t tmpfs tmpfs /run
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/systemd/network /run/systemd/netif
chown systemd-network:systemd-network /run/systemd/netif
cp "$1"/* /run/systemd/network/
ip link set lo up
ip link add end0 type veth peer name far0
ip link set far0 up
"$2" & networkd=$!
state() {
    ip -brief address show end0
    ip route show default dev end0
    ip -6 route show default dev end0
}
for _ in $(seq 150); do
    if state | grep --quiet "$3"; then break; fi
    sleep 0.1
done
state
kill $networkd
"""

BOTH = NetworkSettings(
    network="static",
    address="192.0.2.5",
    prefix=25,
    gateway="192.0.2.1",
    ipv6="static",
    address6="2001:db8::5",
    gateway6="fe80::1",
)
IPV4_ALONE = NetworkSettings(network="static", address="192.0.2.5", gateway="192.0.2.1", ipv6="off")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root"),
    pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed"),
]


def applied(folder: Path, settings: NetworkSettings, sign: str) -> str:
    """The card's addresses and default routes, once `sign` is among them: a route comes after its address."""
    for name, text in network_files(settings, Cards(("end0",))).items():
        (folder / name).write_text(text)
    inside = ["bash", "-c", SCRIPT, "bash", str(folder), str(NETWORKD), sign]
    command = ["unshare", "--net", "--mount", "--propagation", "private", *inside]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    if "Operation not permitted" in done.stderr and not done.stdout:
        pytest.skip("this machine allows no network of its own")
    return done.stdout


def test_both_families_static(tmp_path: Path) -> None:
    said = applied(tmp_path, BOTH, "default via fe80::1")
    assert "192.0.2.5/25" in said
    assert "2001:db8::5/64" in said
    assert "default via 192.0.2.1 " in said
    assert "default via fe80::1 " in said


def test_ipv6_off_leaves_no_address_of_it(tmp_path: Path) -> None:
    said = applied(tmp_path, IPV4_ALONE, "default via 192.0.2.1")
    assert "192.0.2.5/24" in said
    assert ":" not in said.partition("192.0.2.5")[2]


def test_an_address_by_dhcp(tmp_path: Path) -> None:
    # The other end of the cable gives addresses away, by the same networkd.
    (tmp_path / "20-far.network").write_text(
        "[Match]\nName=far0\n[Network]\nAddress=198.51.100.1/24\nDHCPServer=yes\nLinkLocalAddressing=no\n"
        "[DHCPServer]\nEmitRouter=yes\nRouter=198.51.100.1\n"
    )
    said = applied(tmp_path, NetworkSettings(ipv6="off"), "default via 198")
    assert "198.51.100." in said
    assert "default via 198.51.100.1 " in said
