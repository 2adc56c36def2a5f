"""Settings of the box itself."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import ZoneInfo

from appliance.config import network
from appliance.config.network import NetworkSettings
from appliance.config.server_address import server_address
from appliance.errors import ConfigError
from appliance.locale import Language

__all__ = ["REALM", "System", "verify", "verify_ntp"]

# Fixed for the life of the exchange: every password's digest is made with it (RFC 7616 §3.4.2).
REALM = "branchbox"
# RFC 1123 §2.1 and RFC 1035 §2.3.4: letters, digits and hyphens, no hyphen at an end, 63 octets.
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DNS_PORT = 53
# Each is asked some ten questions at once; two that agree already settle who lies.
MAX_DNS_REFERENCES = 4
# One that is right is enough; of four, two may be down and one wrong.
MAX_NTP_SERVERS = 4
# RFC 1123 §2.1: labels divided by dots.
NTP_SERVER = re.compile(rf"(?=.{{1,253}}\Z){HOST_NAME.pattern}(\.{HOST_NAME.pattern})*")


class System(NetworkSettings, frozen=True, kw_only=True):
    """The settings, with what a new box has; those of the network are `config.network`'s."""

    language: Language = "en"
    "What the serial console and the console's log-in page speak until a person chooses."
    host_name: str = "branchbox"
    time_zone: str = "UTC"
    "A name of the IANA time zone database, such as Asia/Shanghai."
    ntp: tuple[str, ...] = ()
    "Time servers, names or addresses. Empty: those that DHCP names, or else Debian's pool."
    dns_references: tuple[str, ...] = ("119.29.29.29", "223.5.5.5")
    """Name servers that the DNS check compares the system's with, each with `:port` where it is not 53. DNSPod and AliDNS
    answer from most networks, in China too; none means that nobody outside is asked."""
    realm: str = REALM

    @property
    def dns_reference_addresses(self) -> tuple[tuple[str, int], ...]:
        """The references with their ports. ValueError for settings that `verify` refuses."""
        return tuple(server_address(each, DNS_PORT) for each in self.dns_references)


def verify(system: System) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    if not HOST_NAME.fullmatch(system.host_name):
        raise ConfigError("system.host_name", "error.bad_host_name")
    if not _is_time_zone(system.time_zone):
        raise ConfigError("system.time_zone", "error.unknown_time_zone", name=system.time_zone[:64])
    network.verify(system)
    verify_ntp(system.ntp)
    _verify_references(system.dns_references)


def verify_ntp(servers: tuple[str, ...]) -> None:
    """Raise ConfigError unless all of them could be time servers."""
    if len(servers) > MAX_NTP_SERVERS:
        raise ConfigError("system.ntp", "error.too_many", limit=MAX_NTP_SERVERS)
    for server in servers:
        if ":" in server:
            network.check_ip_address("system.ntp", server)
        elif not NTP_SERVER.fullmatch(server):
            raise ConfigError("system.ntp", "error.bad_ntp_server")


def _verify_references(servers: tuple[str, ...]) -> None:
    if len(servers) > MAX_DNS_REFERENCES:
        raise ConfigError("system.dns_references", "error.too_many", limit=MAX_DNS_REFERENCES)
    for server in servers:
        try:
            server_address(server, DNS_PORT)
        except ValueError as error:
            raise ConfigError("system.dns_references", "error.bad_address") from error


@cache
def _is_time_zone(name: str) -> bool:
    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
