"""Where the next hop of a request is: transport, addresses and port, best first. Asks a `Dns`, opens nothing.

RFC 3263 §4.1 (transport), §4.2 (address and port); RFC 2782 (SRV); RFC 3403 §4.1 (NAPTR); RFC 7984 (IPv6).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from appliance.sip.transport.answer import DEFAULT_PORT
from appliance.sip.transport.flow import Address, TransportError

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Sequence

    from appliance.sip.message import Uri

__all__ = [
    "MAX_TARGETS",
    "Abilities",
    "Dns",
    "DnsFailure",
    "LocationError",
    "Naptr",
    "Srv",
    "Target",
    "locate",
    "locate_address",
    "order_naptr",
    "order_srv",
]

MAX_TARGETS = 8
"Addresses that are tried for one request; each that is silent costs its sender 32 s."

PREFERENCE = ("udp", "tcp", "tls")
"§4.1: which SRV records are asked for first when no NAPTR record says what the domain likes best."

SRV_PREFIX = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
"§4.1; RFC 7118 names none for WebSocket."

SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
SECURED = {"tcp": "tls", "tls": "tls", "ws": "wss", "wss": "wss"}
"§4.1, RFC 3261 §26.2.2: what a `sips:` URI makes of a transport. UDP cannot be secured."


class LocationError(TransportError):
    """Nobody can say where the next hop is, or it speaks nothing that we do."""


class DnsFailure(LocationError):  # noqa: N818  # it says what happened
    """No name server gave an answer, which is not the same as the answer that there is nothing."""


class Naptr(NamedTuple):
    """What a domain offers, and under which name its SRV records are."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """One host that offers it."""

    priority: int
    weight: int
    port: int
    target: str
    "A name; empty when the domain says that it does not offer it (RFC 2782)."


class Dns(Protocol):
    """Where records come from. Each gives nothing where there is nothing, and raises DnsFailure."""

    async def naptr(self, name: str) -> Sequence[Naptr]: ...
    async def srv(self, name: str) -> Sequence[Srv]: ...
    async def addresses(self, name: str, family: int) -> Sequence[str]:
        """The A (family 4) or AAAA (family 6) records."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What we can do ourselves."""

    transports: Collection[str]
    families: tuple[int, ...]
    "4 and 6 as far as we listen there, the one to try first first."


@dataclass(frozen=True, slots=True)
class Target:
    """One way to try."""

    transport: str
    address: Address
    domain: str
    "The host of the URI: what a certificate must prove (RFC 5922 §4), whatever its SRV records are called."
    rank: int = field(default=0, compare=False)
    "0 for those that the domain would have tried first; the same for those between which the lot decides."


def locate_address(uri: Uri, abilities: Abilities, transport: str | None = None) -> Target | None:
    """The target of a URI that names an IP address, for which nobody need be asked; None for a host name.

    `transport` is what we are told to use; it goes before the URI's own parameter. LocationError.
    """
    if not uri.is_sip:
        msg = f"{uri.scheme}: leads nowhere by itself"
        raise LocationError(msg)
    host = _host(uri)
    if _family(host) == 0:
        return None
    chosen = _demanded(uri, abilities, transport) or _default(uri, abilities)
    return Target(chosen, (host, uri.port or DEFAULT_PORT[chosen]), uri.address)


async def locate(
    uri: Uri, dns: Dns, abilities: Abilities, chance: random.Random, transport: str | None = None
) -> list[Target]:
    """All targets, at most MAX_TARGETS, in the order in which to try them. LocationError when there is none."""
    known = locate_address(uri, abilities, transport)
    if known is not None:
        return [known]
    search = _Search(uri, dns, abilities, chance)
    await search.run(_demanded(uri, abilities, transport))
    if not search.targets:
        msg = f"{_host(uri)} cannot be found"
        raise search.failure or LocationError(msg)
    return search.targets


class _Search:
    """One walk through the records of a domain."""

    def __init__(self, uri: Uri, dns: Dns, abilities: Abilities, chance: random.Random) -> None:
        self._uri = uri
        self._host = _host(uri)
        self._dns = dns
        self._abilities = abilities
        self._chance = chance
        self.targets: list[Target] = []
        self.failure: DnsFailure | None = None

    async def run(self, demanded: str | None) -> None:
        default = demanded or _default(self._uri, self._abilities)
        # §4.2: a port in the URI means that host itself, and no SRV record's.
        if self._uri.port is not None:
            await self._add_host(default, self._host, self._uri.port)
            return
        listed, rank, before = False, -1, None
        for transport, name in await self._services(demanded):
            records = await self._srv(name)
            listed = listed or bool(records)
            for record in order_srv(records, self._chance):
                if (transport, record.priority) != before:
                    rank, before = rank + 1, (transport, record.priority)
                await self._add_host(transport, record.target, record.port, rank)
        if not listed:
            await self._add_host(default, self._host, DEFAULT_PORT[default])

    async def _services(self, demanded: str | None) -> list[tuple[str, str]]:
        """Which transports, each with the name of its SRV records."""
        if demanded is not None:
            return [(demanded, f"{SRV_PREFIX[demanded]}.{self._host}")] if demanded in SRV_PREFIX else []
        usable = [each for each in PREFERENCE if _may_use(self._uri, self._abilities, each)]
        try:
            records = await self._dns.naptr(self._host)
        except DnsFailure:
            records = ()  # some offices' DNS knows no NAPTR and stays silent; its SRV records do as well
        services = [(each, name) for each, name in order_naptr(records) if each in usable]
        return services or [(each, f"{SRV_PREFIX[each]}.{self._host}") for each in usable]

    async def _srv(self, name: str) -> Sequence[Srv]:
        try:
            return await self._dns.srv(name)
        except DnsFailure as failure:
            self.failure = failure
            return ()

    async def _add_host(self, transport: str, host: str, port: int, rank: int = 0) -> None:
        if not host or not 0 < port < 65_536:
            return
        for family in self._abilities.families:
            if len(self.targets) >= MAX_TARGETS:
                return
            for address in await self._addresses(host, family):
                target = Target(transport, (address, port), self._uri.address, rank)
                if target not in self.targets and len(self.targets) < MAX_TARGETS:
                    self.targets.append(target)

    async def _addresses(self, host: str, family: int) -> Sequence[str]:
        if _family(host):  # RFC 2782 wants a name; some write an address
            return [host] if _family(host) == family else []
        try:
            return await self._dns.addresses(host, family)
        except DnsFailure as failure:
            self.failure = failure
            return ()


def order_naptr(records: Iterable[Naptr]) -> list[tuple[str, str]]:
    """Transports with the names of their SRV records, as the domain would have them tried (RFC 3403 §4.1)."""
    # The `s` flag says that SRV records come next; regular expressions have no place here (§4.1).
    fitting = [
        each
        for each in records
        if each.flags.lower() == "s" and each.replacement and each.service.upper() in SERVICES
    ]
    fitting.sort(key=lambda each: (each.order, each.preference))
    return [(SERVICES[each.service.upper()], each.replacement) for each in fitting]


def order_srv(records: Iterable[Srv], chance: random.Random) -> list[Srv]:
    """By priority, and within one by lot, in which a record has as many tickets as its weight (RFC 2782)."""
    # Those of weight 0 stand first, so that they have a small chance beside others.
    left = sorted(records, key=lambda each: (each.priority, each.weight))
    ordered = []
    while left:
        rivals = [each for each in left if each.priority == left[0].priority]
        tickets = list(accumulate(each.weight for each in rivals))
        chosen = rivals[bisect_left(tickets, chance.randint(0, tickets[-1]))]
        left.remove(chosen)
        ordered.append(chosen)
    return ordered


def _host(uri: Uri) -> str:
    # §4: TARGET is the maddr parameter when there is one.
    maddr = uri.params.text("maddr")
    return (maddr.strip("[]") if maddr else uri.address).rstrip(".")


def _demanded(uri: Uri, abilities: Abilities, transport: str | None) -> str | None:
    """The transport that is asked for; None when it is left to us."""
    asked = transport or uri.params.text("transport")
    if asked is None:
        return None
    asked = asked.lower()
    chosen = SECURED.get(asked, "") if uri.scheme == "sips" else asked
    if chosen not in abilities.transports or chosen not in DEFAULT_PORT:
        msg = f"nothing here serves {uri.scheme}: over {asked.upper()}"
        raise LocationError(msg)
    return chosen


def _default(uri: Uri, abilities: Abilities) -> str:
    for each in PREFERENCE:
        if _may_use(uri, abilities, each):
            return each
    msg = f"nothing here serves {uri.scheme}:"
    raise LocationError(msg)


def _may_use(uri: Uri, abilities: Abilities, transport: str) -> bool:
    return transport in abilities.transports and (uri.scheme != "sips" or transport == "tls")


def _family(host: str) -> int:
    """4 or 6; 0 for a name."""
    try:
        return ip_address(host).version
    except ValueError:
        return 0
