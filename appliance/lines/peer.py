"""One peer of a trunk: where it is, and whether it answers.

RFC 3263 §4 (where), RFC 3261 §11 (OPTIONS; any answer shows that somebody is there).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio

from appliance.sip.endpoint import Failed
from appliance.sip.message import Headers, Request, Response, Uri
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.config.trunk import Trunk
    from appliance.sip.endpoint import ClientEvent, Endpoint
    from appliance.sip.transport.flow import Address, Flow
    from appliance.sip.transport.locate import Target
    from appliance.sip.transport.resolve import Locator

__all__ = ["LOOK_AGAIN", "Peer", "PeerState", "Surroundings"]

logger = logging.getLogger(__name__)

LOOK_AGAIN = 300.0
"Seconds after which a peer that is not asked by OPTIONS is at least looked up anew."
NO_WAY_AGAIN = 2.0
"Seconds after which a peer is tried again that there was no way to: certificates are read by then."
ANSWER_WITHIN = 8.0
"Seconds: five tries over UDP. Whoever is as slow as that takes no call either."
MAX_FORWARDS = "70"

Status = Literal["unknown", "up", "down"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What peers stand on."""

    endpoint: Endpoint
    locator: Locator
    timers: Timers
    random: random.Random


@dataclass(frozen=True, slots=True)
class PeerState:
    """How a peer is."""

    status: Status
    since: float
    "Since when, in seconds of the timers' clock."
    reason: str = ""
    "What it said last, or why it could not be asked."


class Peer:
    """A server at the other end of a trunk. `watch` is a task of its own."""

    def __init__(self, around: Surroundings, trunk: Trunk, text: str, moved: Callable[[], None]) -> None:
        """`text` is a host or an address, perhaps with a port; `moved` is told when its addresses are others."""
        self.text = text
        self._moved = moved
        self._around = around
        self._trunk = trunk
        self._uri = Uri.parse(f"sip:{text}")
        self._targets: tuple[Target, ...] = ()
        self.hosts: frozenset[str] = frozenset()
        "The addresses it has, as far as they are known: calls come from these."
        self.addresses: frozenset[Address] = frozenset()
        "The same with the ports that it is called at."
        self.state = PeerState("unknown", around.timers.now())

    @property
    def name(self) -> str:
        """Its host name or address, as it is set."""
        return self._uri.address

    @property
    def domain(self) -> str:
        """What stands behind the @ of a number there."""
        return f"{self._uri.host}:{self._uri.port}" if self._uri.port else self._uri.host

    def flow(self) -> Flow | None:
        """The way there now; None when it is not known, or nobody has answered lately."""
        return None if self.state.status == "down" else self._open()

    async def watch(self) -> None:
        """Look it up and ask it, again and again."""
        while True:
            await self._look_up()
            asked = True
            if self._trunk.keep_alive and self._targets:
                asked = await self._ask()
            pause = (self._trunk.keep_alive or LOOK_AGAIN) if asked else NO_WAY_AGAIN
            # Not all at once: after a power cut a hundred boxes would ask in the same second.
            await anyio.sleep(pause * (0.9 + 0.2 * self._around.random.random()))

    async def _look_up(self) -> None:
        try:
            transport = self._trunk.transport or None
            self._targets = tuple(await self._around.locator.locate(self._uri, transport))
        except TransportError as error:
            # What was known stays good: a name server that is gone does not move the peer.
            if not self._targets:
                self._note("down", str(error))
            return
        self.addresses = frozenset(target.address for target in self._targets)
        hosts = frozenset(target.address[0] for target in self._targets)
        if hosts != self.hosts:
            self.hosts = hosts
            self._moved()
        if not self._trunk.keep_alive and self.state.status == "down":
            self._note("unknown", "")  # nobody will ask it: it is believed again

    async def _ask(self) -> bool:
        """Whether it could be asked."""
        flow = self._open()
        if flow is None:
            self._avoid()
            return False
        heard = anyio.Event()
        answer: ClientEvent = Failed("timeout")

        def take(event: ClientEvent) -> None:
            nonlocal answer
            if isinstance(event, Failed) or event.status >= 200:
                answer = event
                heard.set()

        self._around.endpoint.send_request(self._options(flow), flow, take)
        with anyio.move_on_after(ANSWER_WITHIN):
            await heard.wait()
        self._judge(answer)
        return True

    def _judge(self, answer: ClientEvent) -> None:
        if not isinstance(answer, Response):
            self._avoid()
            self._note("down", "no answer" if answer.cause == "timeout" else "cannot be reached")
        elif answer.status == 503:
            # RFC 3261 §21.5.4: it is there, and wants no calls now.
            self._avoid()
            self._note("down", f"{answer.status} {answer.reason}")
        else:
            self._note("up", f"{answer.status} {answer.reason}")

    def _avoid(self) -> None:
        """RFC 3263 §4.3: the next time, try the next address."""
        self._around.locator.failed.note(self._targets[0], self._around.timers.now())

    def _open(self) -> Flow | None:
        if not self._targets:
            return None
        target = self._targets[0]
        way = target.transport, target.address, target.domain, self._trunk.certificate
        try:
            return self._around.endpoint.flow_to(*way)
        except TransportError as error:
            # Where nobody asks, nobody would find out that there is a way again.
            self._note("down" if self._trunk.keep_alive else self.state.status, str(error))
            return None

    def _options(self, flow: Flow) -> Request:
        endpoint, random_ = self._around.endpoint, self._around.random
        us = endpoint.contact(flow, "branchbox")
        fields = [
            ("Max-Forwards", MAX_FORWARDS),
            ("From", f"{us};tag={endpoint.new_tag()}"),
            ("To", f"<sip:{self.domain}>"),
            ("Call-ID", f"{random_.getrandbits(80):020x}"),
            ("CSeq", "1 OPTIONS"),
            ("Contact", us),
        ]
        return Request("OPTIONS", f"sip:{self.domain}", Headers(fields))

    def _note(self, status: Status, reason: str) -> None:
        since = self.state.since if self.state.status == status else self._around.timers.now()
        if self.state.status != status:
            logger.info("trunk %s: %s is %s: %s", self._trunk.name, self.text, status, reason)
        self.state = PeerState(status, since, reason)
