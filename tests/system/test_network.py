"""The network as the kernel tells it."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path

from appliance.system import network


def test_loopback_is_known_and_not_reachable() -> None:
    assert network.Address("lo", "127.0.0.1", 8, 254) in network.addresses()
    assert not any(ip_address(each).is_loopback for each in network.reachable_addresses())


def test_the_kernel_confirms_each_address() -> None:
    found = network.addresses()
    assert len(set(found)) == len(found)
    for each in found:
        index = socket.if_nametoindex(each.interface)
        v6 = ip_address(each.address).version == 6
        family, where = (
            (socket.AF_INET6, (each.address, 0, 0, index)) if v6 else (socket.AF_INET, (each.address, 0))
        )
        with socket.socket(family, socket.SOCK_DGRAM) as own:
            own.bind(where)  # only an address of ours can be bound
            assert own.getsockname()[0].partition("%")[0] == each.address


def test_gateway(tmp_path: Path) -> None:
    routes = tmp_path / "route"
    routes.write_text(
        "Iface\tDestination\tGateway\tFlags\n"
        "eth0\t0001A8C0\t00000000\t0001\n"
        "eth0\t00000000\t0101A8C0\t0003\n",
        encoding="ascii",
    )
    assert network.gateway(routes) == "192.168.1.1"
    routes.write_text("Iface\n", encoding="ascii")
    assert network.gateway(routes) is None
    assert network.gateway(tmp_path / "nothing") is None


def test_name_servers(tmp_path: Path) -> None:
    resolv = tmp_path / "resolv.conf"
    resolv.write_text(
        "# x\nsearch lan\nnameserver 1.1.1.1\nnameserver ::1\nnameserver 3\nnameserver 4\nnameserver\n"
    )
    assert network.name_servers(resolv) == ["1.1.1.1", "::1", "3"]
    assert network.name_servers(tmp_path / "nothing") == []
