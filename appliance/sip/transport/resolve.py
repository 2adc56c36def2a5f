"""DNS for server location: asks name servers, keeps what they say for as long as they say, knows what failed.

RFC 3263 §4; RFC 2782 (SRV), RFC 3403 (NAPTR), RFC 2308 (negative answers).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import anyio

from appliance.sip.transport.failed_targets import FailedTargets
from appliance.sip.transport.locate import DnsFailure, LocationError, Naptr, Srv, locate
from appliance.sip.transport.record_cache import Question, RecordCache, Records

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from appliance.clock import Timers
    from appliance.sip.message import Uri
    from appliance.sip.transport.flow import Address
    from appliance.sip.transport.locate import Abilities, Dns, Target
    from appliance.sip.transport.name_servers import NameServers

__all__ = ["Locator", "Renewable", "Resolver"]

LOCATE_WITHIN = 10.0
"Seconds for all questions about one URI: a caller waits in silence for it."

RENEW_WITHIN = 2.0
"Seconds for asking again what is still known: a name server on a slow line answers within one."

REREAD = 60.0
"Seconds after which the system's name servers are looked up anew: DHCP may have brought others."


class _Records:
    """What a `Dns` says, from records as they are kept."""

    async def naptr(self, name: str) -> list[Naptr]:
        """The NAPTR records of a domain. DnsFailure."""
        return [Naptr(*cast("Any", record)) for record in await self.ask(name, "NAPTR")]

    async def srv(self, name: str) -> list[Srv]:
        """The SRV records under a name. DnsFailure."""
        return [Srv(*cast("Any", record)) for record in await self.ask(name, "SRV")]

    async def addresses(self, name: str, family: int) -> list[str]:
        """The addresses of a host. DnsFailure."""
        records = await self.ask(name, "A" if family == 4 else "AAAA")
        return [cast("str", address) for (address,) in records]

    async def ask(self, name: str, kind: str) -> Records:
        """The records of a kind under a name. DnsFailure."""
        raise NotImplementedError


@runtime_checkable
class Renewable(Protocol):
    """A `Dns` that keeps what it heard."""

    def anew(self) -> Dns:
        """The same, but everything is asked again, whatever is kept."""


class Resolver(_Records):
    """Asks name servers. A `Dns` for `locate`."""

    def __init__(self, timers: Timers, name_servers: Sequence[Address] = ()) -> None:
        """`name_servers` are addresses with ports; without any, those of the system are asked."""
        self._timers = timers
        self._cache = RecordCache(timers.now)
        self._addresses = tuple(name_servers)
        self._name_servers: NameServers | None = None
        self._opened_at = 0.0

    def anew(self) -> Dns:
        """The same, but name servers are asked again; what is kept serves while none of them answers."""
        return _Anew(self)

    def network_changed(self) -> None:
        """The system's name servers may be others: they are looked up for the next question."""
        if not self._addresses:
            self._name_servers = None

    async def ask(self, name: str, kind: str) -> Records:
        """The records of a kind under a name, kept or asked for. DnsFailure."""
        known = self.kept(name, kind)
        return await self.query(name, kind) if known is None else known

    def kept(self, name: str, kind: str) -> Records | None:
        """What was heard before and still holds; None when that is nothing."""
        return self._cache.get(Question(name.lower(), kind))

    async def query(self, name: str, kind: str) -> Records:
        """Ask a name server. DnsFailure."""
        question = Question(name.lower(), kind)
        if self._name_servers is None or (
            not self._addresses and self._timers.now() - self._opened_at > REREAD
        ):
            # Reading files, and importing a library that only few need, is not for the event loop.
            self._name_servers = await anyio.to_thread.run_sync(_open, self._addresses)
            self._opened_at = self._timers.now()
        records, ttl = await self._name_servers.query(question)
        self._cache.put(question, records, ttl)
        return records


class _Anew(_Records):
    """What a resolver hears when it asks again. What it has kept serves when nobody answers."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._silent = False

    async def ask(self, name: str, kind: str) -> Records:
        """The newest records. DnsFailure."""
        known = self._resolver.kept(name, kind)
        if known is None:
            return await self._resolver.query(name, kind)
        return known if self._silent else await self._renew(name, kind, known)

    async def _renew(self, name: str, kind: str, known: Records) -> Records:
        with anyio.move_on_after(RENEW_WITHIN), suppress(DnsFailure):
            return await self._resolver.query(name, kind)
        self._silent = True  # the next question would wait as long
        return known


class Locator:
    """Says where a URI leads, and remembers what failed there."""

    def __init__(self, timers: Timers, chance: random.Random, dns: Dns, abilities: Abilities) -> None:
        self._timers = timers
        self._chance = chance
        self._dns = dns
        self.abilities = abilities
        "Replace it when what we listen on changes."
        self.failed = FailedTargets()

    async def locate(self, uri: Uri, transport: str | None = None, *, fresh: bool = False) -> list[Target]:
        """The targets of a URI in the order in which to try them, at least one. LocationError.

        `fresh`: name servers are asked, whatever was heard from them before.
        """
        dns = self._dns.anew() if fresh and isinstance(self._dns, Renewable) else self._dns
        targets: list[Target] = []
        with anyio.move_on_after(LOCATE_WITHIN):
            targets = await locate(uri, dns, self.abilities, self._chance, transport)
        if not targets:
            msg = f"no name server says where {uri.host} is"
            raise LocationError(msg)
        return self.failed.order(targets, self._timers.now())


def _open(addresses: Sequence[Address]) -> NameServers:
    # 0.1 s and 5 MB that only those pay who ask.
    from appliance.sip.transport.name_servers import NameServers  # noqa: PLC0415  # see above

    return NameServers(addresses)
