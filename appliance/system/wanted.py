"""What the exchange wants the box to be called, where it is, and how it is reached: `DIR/system.json`.

The exchange writes it without any right of its own; `branchbox system-apply` reads it as root, and therefore
believes nothing in it. Host names: RFC 1123 §2.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.system.files import read_bounded, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config.system import System

__all__ = ["WANTED_FILE", "StaticNetwork", "Wanted", "is_host_name", "read_wanted", "write_wanted"]

WANTED_FILE = "system.json"
DNS_LIMIT = 3
"resolv.conf(5) uses no more."
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")


@dataclass(frozen=True, slots=True)
class StaticNetwork:
    """An address of one's own. Everything is canonical text: it goes into a file that root's networkd reads."""

    address: str
    prefix: int
    gateway: str | None = None
    dns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        own = _address("address", self.address)
        try:
            interface = ip_interface(f"{own}/{self.prefix}")
        except ValueError:
            raise _refused("network.prefix", self.prefix) from None
        if own.is_loopback or own.is_multicast or own.is_unspecified:
            raise _refused("network.address", self.address)
        if self.gateway is not None:
            gateway = _address("gateway", self.gateway)
            # A gateway outside its network is never reached; with it the box would be cut off.
            if gateway == own or (gateway not in interface.network and not gateway.is_link_local):
                raise _refused("network.gateway", self.gateway)
        if len(self.dns) > DNS_LIMIT:
            raise _refused("network.dns", ", ".join(self.dns))
        for server in self.dns:
            _address("dns", server)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One wish, checked. ConfigError for a value that cannot be applied."""

    host_name: str
    "One label, 1 to 63 letters, digits and inner hyphens."
    time_zone: str
    "A name of the IANA database, such as `Europe/Berlin`."
    network: StaticNetwork | None
    "None: DHCP."

    @classmethod
    def by(cls, system: System) -> Wanted:
        """What these settings want."""
        network = None
        if system.network == "static":
            network = StaticNetwork(system.address, system.prefix, system.gateway or None, system.dns)
        return cls(system.host_name, system.time_zone, network)

    def __post_init__(self) -> None:
        if not is_host_name(self.host_name):
            raise _refused("host_name", self.host_name)
        if not isinstance(self.time_zone, str) or not _TIME_ZONE.fullmatch(self.time_zone):
            raise _refused("time_zone", self.time_zone)


def is_host_name(text: object) -> bool:
    """Whether `text` is one label of a host name."""
    return isinstance(text, str) and _LABEL.fullmatch(text) is not None


def write_wanted(data_dir: Path, wanted: Wanted) -> bool:
    """Leave `wanted` for `system-apply`; False when it lies there already. OSError.

    Nothing is written without a change: systemd watches the file, and the card wears out.
    """
    path = data_dir / WANTED_FILE
    content = json.dumps(asdict(wanted), indent=1).encode() + b"\n"
    try:
        if read_bounded(path) == content:
            return False
    except OSError:
        pass  # not there, or not ours: replaced below
    write_atomically(path, content)
    return True


def read_wanted(data_dir: Path) -> Wanted | None:
    """What the exchange left; None when it never did. ConfigError for nonsense, OSError when unreadable."""
    try:
        content = read_bounded(data_dir / WANTED_FILE)
    except FileNotFoundError:
        return None
    try:
        value = json.loads(content)
        network = value["network"]
        return Wanted(value["host_name"], value["time_zone"], _network(network) if network else None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused("", content[:80].decode("utf-8", "replace")) from None


def _network(value: dict[str, object]) -> StaticNetwork:
    address, prefix, gateway, dns = value["address"], value["prefix"], value["gateway"], value["dns"]
    if not isinstance(prefix, int) or not isinstance(dns, list):
        raise TypeError
    own = _address("address", address)
    return StaticNetwork(
        str(own),
        prefix,
        None if gateway is None else str(_address("gateway", gateway)),
        tuple(str(_address("dns", each)) for each in dns),
    )


def _address(key: str, value: object) -> IPv4Address | IPv6Address:
    # ip_address takes numbers too, and an IPv6 zone (`%eth0`) may hold anything but `%`.
    if isinstance(value, str) and "%" not in value:
        try:
            return ip_address(value)
        except ValueError:
            pass
    raise _refused("network." + key, value)


def _refused(key: str, value: object) -> ConfigError:
    return ConfigError(f"system.{key}".rstrip("."), "error.cannot_apply", value=str(value)[:80])
