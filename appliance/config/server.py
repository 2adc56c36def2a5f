"""A further virtual server: another exchange on the same box, with ports, data and people of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from appliance.config.snapshot import Snapshot

__all__ = ["AREA", "Server", "free_ports", "servers_of", "verify_all"]

NAME = "servers"
LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
"What systemd takes as it is, and what leaves room for a user called branchbox-NAME (31 characters)."
MOST = 8
"Each takes some 50 MB of memory when nothing happens; the smallest boards have 512."
PORTS = range(1, 65536)
RTP_PORTS = range(1024, 65536)
RTP = re.compile(r"([0-9]{4,5})-([0-9]{4,5})")
RTP_SPAN = 2000
"Ports for sound that a new one gets: 500 calls."
LEAST_SPAN = 4
"Ports of one call: RTP and RTCP for each of its two legs."
TAKEN = (
    ("branchbox", range(5060, 5062)),
    ("branchbox", range(443, 444)),
    ("branchbox", range(30000, 35000)),
    ("DHCP", range(67, 69)),
    ("DHCP", range(546, 548)),
    ("mDNS", range(5353, 5354)),
    ("DNS", range(53, 54)),
    ("DNS", range(5355, 5356)),
)
"What the image's units, above all branchbox.service, listen on."


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What one is called and where it listens, on all addresses of the box."""

    name: str
    "1 to 20 of a-z, 0-9 and inner hyphens, a letter first."
    sip: int = 0
    "UDP and TCP."
    tls: int = 0
    web: int = 0
    "Its console, by HTTPS."
    rtp: str = ""
    "UDP ports for sound and picture: `35000-36999`."
    enabled: bool = True

    @property
    def rtp_ports(self) -> range:
        """ValueError for what is not LOW-HIGH with room for a call."""
        found = RTP.fullmatch(self.rtp)
        low, high = (int(found[1]), int(found[2])) if found else (0, 0)
        if low not in RTP_PORTS or high not in RTP_PORTS or high - low + 1 < LEAST_SPAN:
            msg = "not LOW-HIGH"
            raise ValueError(msg)
        return range(low, high + 1)

    def ports(self) -> Iterator[tuple[str, range]]:
        """Each setting with what it takes. ValueError."""
        for field in ("sip", "tls", "web"):
            port: int = getattr(self, field)
            yield field, range(port, port + 1)
        yield "rtp", self.rtp_ports


def servers_of(snapshot: Snapshot) -> tuple[Server, ...]:
    """All of them, by name."""
    return tuple(sorted(snapshot.items(NAME).values(), key=lambda server: server.name))


def free_ports(snapshot: Snapshot) -> Mapping[str, Any]:
    """What a new one gets that names no ports: the first that nobody has."""
    others = servers_of(snapshot)
    taken = [*(ports for _, ports in TAKEN), *(ports for each in others for _, ports in each.ports())]

    def first(candidates: Iterable[range]) -> range:
        return next((each for each in candidates if not any(_meet(each, other) for other in taken)), range(0))

    sip = first(range(port, port + 2) for port in range(5070, 6000, 10))
    web = first(range(port, port + 1) for port in range(8443, 9000))
    rtp = first(range(low, low + RTP_SPAN) for low in range(35000, 63000, RTP_SPAN))
    return {"sip": sip.start, "tls": sip.start + 1, "web": web.start, "rtp": f"{rtp.start}-{rtp.stop - 1}"}


def verify_all(servers: Iterable[Server]) -> None:
    """Raise ConfigError for the first setting that cannot be, alone or beside the others."""
    taken = list(TAKEN)
    for server in servers:
        _verify_alone(server)
        for field, ports in server.ports():
            owner = next((name for name, others in taken if _meet(ports, others)), None)
            if owner is not None:
                path = f"{NAME}.{server.name}.{field}"
                raise ConfigError(path, "error.port_taken", port=_told(ports), name=owner)
            taken.append((server.name, ports))


def _verify_alone(server: Server) -> None:
    path = f"{NAME}.{server.name[:32]}"
    if not LABEL.fullmatch(server.name):
        raise ConfigError(path + ".name", "error.bad_server_name")
    for field in ("sip", "tls", "web"):
        if getattr(server, field) not in PORTS:
            raise ConfigError(path + "." + field, "error.out_of_range", low=PORTS.start, high=PORTS.stop - 1)
    try:
        _ = server.rtp_ports
    except ValueError as error:
        raise ConfigError(path + ".rtp", "error.bad_port_range") from error


def _meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _told(ports: range) -> str:
    return f"{ports.start}-{ports.stop - 1}" if len(ports) > 1 else f"{ports.start}"


def _verify(_: Server, snapshot: Snapshot) -> None:
    verify_all(servers_of(snapshot))


AREA = SettingsArea(NAME, Server, "item", _verify, MOST, columns=("enabled", "sip", "tls", "web", "rtp"))
