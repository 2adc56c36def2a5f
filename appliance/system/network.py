"""What the network is now: addresses, gateway, name servers, host name; read from the kernel, no tool is run.

RFC 3549 (netlink); rtnetlink(7) for RTM_GETADDR, proc(5) for the routes.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from pathlib import Path

__all__ = ["Address", "addresses", "gateway", "host_name", "name_servers", "reachable_addresses"]

RTM_NEWADDR, RTM_GETADDR = 20, 22
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
IFA_ADDRESS, IFA_LOCAL = 1, 2
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST = 0, 253, 254
NAME_SERVERS_LIMIT = 3
"resolv.conf(5): further ones are not used."


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one interface."""

    interface: str
    address: str
    "As text, without the interface: `192.168.1.5`, `fe80::1`."
    prefix: int
    "Length of the network's prefix in bits."
    scope: int
    "0 anywhere, 253 this link only, 254 this host only."


def host_name() -> str:
    """The kernel's host name."""
    return socket.gethostname()


def addresses() -> list[Address]:
    """Every address of every interface, IPv4 first; empty when the kernel does not tell."""
    found: list[Address] = []
    with suppress(OSError):
        names = dict(socket.if_nameindex())
        for family in (socket.AF_INET, socket.AF_INET6):
            found += _dump(family, names)
    return found


def reachable_addresses() -> list[str]:
    """What another machine may dial, best first: IPv4, then global IPv6. No loopback, no link-local IPv6."""
    return [each.address for each in addresses() if each.scope == RT_SCOPE_UNIVERSE]


def gateway(routes: Path = Path("/proc/net/route")) -> str | None:
    """The IPv4 default gateway; None when there is none."""
    with suppress(OSError):
        for line in routes.read_text(encoding="ascii", errors="replace").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[1] == "00000000" and int(fields[3], 16) & 2:
                # The kernel prints the address as a number in its own byte order.
                return str(IPv4Address(struct.pack("=I", int(fields[2], 16))))
    return None


def name_servers(resolv_conf: Path | None = None) -> list[str]:
    """The name servers in use, at most 3; those behind systemd-resolved's stub where it runs."""
    candidates = (
        [resolv_conf] if resolv_conf else [Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")]
    )
    for candidate in candidates:
        with suppress(OSError):
            lines = candidate.read_text(encoding="utf-8", errors="replace").splitlines()
            found = [
                fields[1] for line in lines if len(fields := line.split()) > 1 and fields[0] == "nameserver"
            ]
            return found[:NAME_SERVERS_LIMIT]
    return []


def _dump(family: int, names: dict[int, str]) -> list[Address]:
    request = struct.pack("=IHHII", 24, RTM_GETADDR, NLM_F_REQUEST_DUMP, 1, 0) + struct.pack(
        "=BBBBI", family, 0, 0, 0, 0
    )
    found: list[Address] = []
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    ) as netlink:
        netlink.settimeout(1.0)
        netlink.send(request)
        while True:
            data = netlink.recv(65536)
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (NLMSG_DONE, NLMSG_ERROR) or length < 16:
                    return found
                if kind == RTM_NEWADDR and (address := _address(data[16:length], names)):
                    found.append(address)
                data = data[(length + 3) & ~3 :]


def _address(message: bytes, names: dict[int, str]) -> Address | None:
    """One `struct ifaddrmsg` with its attributes."""
    _family, prefix, _flags, scope, index = struct.unpack_from("=BBBBI", message)
    attributes: dict[int, bytes] = {}
    rest = message[8:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        if length < 4:
            break
        attributes[kind] = rest[4:length]
        rest = rest[(length + 3) & ~3 :]
    # On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is always ours, but IPv6 may lack it.
    raw = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
    if raw is None or index not in names:
        return None
    return Address(names[index], str(ip_address(raw)), prefix, scope)
