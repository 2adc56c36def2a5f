"""The DNS check for whoever needs it: a person at once, the exchange itself at most hourly for each name.

What the exchange finds by itself is kept for a while, in memory.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread

from appliance.diagnosis.dns_check import Judgement, Said, Verdict, judge, suspects
from appliance.diagnosis.dns_name import host_of
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from appliance.sip.transport.flow import Address

    Survey = Callable[[str, Sequence[Address], Sequence[Address]], Awaitable[tuple[Said, ...]]]

__all__ = ["AGAIN_AFTER", "MAX_FINDINGS", "Checked", "DnsChecks", "SipProbe"]

logger = logging.getLogger(__name__)

AGAIN_AFTER = 3600.0
"Seconds between two checks of one name that nobody asked for: the references are other people's servers."

MAX_FINDINGS = 50
"Findings kept, some 10 kB each: two days of one broken name."

MAX_NAMES = 256
"Names whose last check by itself is remembered: more than there are lines. The oldest gives way."

MAX_AT_ONCE = 2
"Checks at a time: each opens up to a hundred sockets, and occupies one of the console's threads for seconds."

HARMLESS = frozenset({Verdict.AGREE, Verdict.LOCALITY})
"What is no finding: the fault lies elsewhere."


class SipProbe(Protocol):
    """Says whether a SIP server answers at an address. Must come back within some 2 s."""

    async def __call__(self, host: str, port: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one check."""

    name: str
    at: float
    "Seconds since 1970."
    judgement: Judgement
    said: tuple[Said, ...]
    "The system's servers first, in their order."


def _no_references() -> Sequence[Address]:
    return ()


class DnsChecks:
    """Checks names. Its methods run on the event loop, which they do not hold up."""

    def __init__(
        self,
        references: Callable[[], Sequence[Address]] = _no_references,
        *,
        system: Sequence[Address] = (),
        sip: SipProbe | None = None,
        now: Callable[[], float] = anyio.current_time,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`system` are servers in place of the system's own; `now` gives seconds on a clock that only goes forward,
        `wall` seconds since 1970. Without `sip` nobody is asked by OPTIONS."""
        self._references = references
        self._system = tuple(system)
        self._sip = sip
        self._now = now
        self._wall = wall
        self._running = 0
        self._checked_at: dict[str, float] = {}
        self._findings: deque[Checked] = deque(maxlen=MAX_FINDINGS)

    @property
    def findings(self) -> tuple[Checked, ...]:
        """What was found without being asked for, the newest first."""
        return tuple(reversed(self._findings))

    async def check(self, name: str) -> Checked:
        """Check a name, which may stand in a URI or before a port. Takes 10 s at most.

        ConfigError: it is no name, or too many checks are going on.
        """
        host = host_of(name)
        if self._running >= MAX_AT_ONCE:
            raise ConfigError("dns-check", "error.busy")
        self._running += 1
        try:
            return await self._check(host)
        finally:
            self._running -= 1

    async def check_if_due(self, name: str) -> Checked | None:
        """The same for a name that causes trouble, and remember what is wrong. None: it was checked within the hour, or
        others are being checked. ConfigError: it is no name."""
        host = host_of(name)
        if self._running >= MAX_AT_ONCE or not self._is_due(host):
            return None
        checked = await self.check(host)
        if checked.judgement.verdict not in HARMLESS:
            logger.warning("DNS of %s: %s", host, checked.judgement.verdict)
            self._findings.append(checked)
        return checked

    def _is_due(self, host: str) -> bool:
        """Whether it is, and then it is not any more."""
        now = self._now()
        if now - self._checked_at.get(host, float("-inf")) < AGAIN_AFTER:
            return False
        self._checked_at.pop(host, None)
        self._checked_at[host] = now
        if len(self._checked_at) > MAX_NAMES:
            del self._checked_at[next(iter(self._checked_at))]
        return True

    async def _check(self, host: str) -> Checked:
        # Importing a library that only few need, and reading resolv.conf, is not for the event loop.
        survey, servers = await anyio.to_thread.run_sync(_probe)
        said = await survey(host, self._system or servers, tuple(self._references()))
        answering = await self._answering(suspects(said))
        return Checked(host, self._wall(), judge(said, answering), said)

    async def _answering(self, addresses: Collection[Address]) -> frozenset[str]:
        """Those at which a SIP server answers."""
        found: set[str] = set()
        sip = self._sip
        if sip is None:
            return frozenset()

        async def ask(host: str, port: int) -> None:
            if await sip(host, port):
                found.add(host)

        async with anyio.create_task_group() as tasks:
            for host, port in addresses:
                tasks.start_soon(ask, host, port)
        return frozenset(found)


def _probe() -> tuple[Survey, tuple[Address, ...]]:
    """How to ask, and the system's servers as they are now."""
    # 0.1 s and 5 MB that only those pay who ask.
    from appliance.diagnosis.dns_probe import survey, system_servers  # noqa: PLC0415  # see above

    return survey, system_servers()
