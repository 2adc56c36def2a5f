"""A SIP trunk: another server, trusted by its address."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

from appliance.config import outside
from appliance.config.outside import Outside, check_host, check_word
from appliance.errors import ConfigError

__all__ = ["MAX_PEERS", "Trunk", "verify"]

MAX_PEERS = 16
KEEP_ALIVE_RANGE = (10, 3600)

NumberFormat = Literal["sip", "e164", "tel"]


class Trunk(Outside, frozen=True, kw_only=True):
    """What is kept of a trunk."""

    peers: tuple[str, ...]
    "Names or addresses, each perhaps with a port, that calls go to and come from, in this order."
    networks: tuple[str, ...] = ()
    "Further networks that calls may come from, such as 192.0.2.0/28."
    share: Literal["in-order", "in-turn"] = "in-order"
    "Whether the first peer has all calls while it answers, or each has its turn."
    domain: str = ""
    "The host in Request-URI and To; empty: the peer's."
    certificate: str = ""
    "The certificate we show over TLS: a folder's name below `certs`; empty: the usual one."
    number_format: NumberFormat = "sip"
    "`sip`: as dialled; `e164`: sip: with a + before the number; `tel`: RFC 3966."
    keep_alive: int = 30
    "Seconds between two OPTIONS to each peer, 10 to 3600; 0: none."


def verify(trunk: Trunk) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    path = f"trunks.{trunk.name[:64]}"
    outside.verify(path, trunk)
    if not 1 <= len(trunk.peers) <= MAX_PEERS:
        raise ConfigError(path + ".peers", "error.out_of_range", low=1, high=MAX_PEERS)
    for peer in trunk.peers:
        check_host(path + ".peers", peer)
    if trunk.domain:
        check_host(path + ".domain", trunk.domain)
    check_word(path + ".certificate", trunk.certificate)
    if "/" in trunk.certificate or trunk.certificate.startswith("."):
        raise ConfigError(path + ".certificate", "error.control_character")
    _check_networks(path + ".networks", trunk.networks)
    low, high = KEEP_ALIVE_RANGE
    if trunk.keep_alive and not low <= trunk.keep_alive <= high:
        raise ConfigError(path + ".keep_alive", "error.out_of_range", low=low, high=high)


def _check_networks(path: str, networks: tuple[str, ...]) -> None:
    if len(networks) > MAX_PEERS:
        raise ConfigError(path, "error.too_many", limit=MAX_PEERS)
    for text in networks:
        try:
            network = ip_network(text)
        except ValueError as error:
            raise ConfigError(path, "error.bad_address") from error
        # A trunk is trusted by address alone: half the world must not be.
        if network.prefixlen < (16 if network.version == 4 else 32):
            raise ConfigError(path, "error.network_too_large")
