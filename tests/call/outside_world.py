"""Lines and trunks on the bench: registered and answering because the test says so, with a server each at its address.

world = OutsideWorld(book)
carrier = world.line(Line(name="a", ...))         # a server that says each word, as a phone does
world.routes(Route(name="out", pattern="X.", to=("line:a",)))
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from appliance.call.outside import Outside
from appliance.call.routing_table import compile_table
from appliance.config.dial_plan import DialPlan
from appliance.config.line import Line
from appliance.config.route import Route
from appliance.config.trunk import Trunk
from appliance.lines.credentials import Credentials
from appliance.lines.learned import Learned, Lesson
from appliance.lines.lines import LiveLine, account_of
from appliance.sip.transport.flow import Address, Flow
from tests.call.playbook import EXCHANGE, Phone, Playbook

__all__ = ["NOW", "OutsideWorld", "Server", "line", "route", "trunk"]

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)


class Server(Phone):
    """A server outside. It has no mind of its own either."""

    def flow(self, transport: str = "udp") -> Flow:
        return Flow(transport, EXCHANGE, self.address)


class OutsideWorld:
    """What the exchange believes of its lines and trunks: `lines/lines` and `lines/trunks` as far as calls ask them."""

    def __init__(self, book: Playbook, **plan: Any) -> None:
        self.book = book
        self.live_lines: dict[str, LiveLine] = {}
        self.live_trunks: dict[str, Any] = {}
        self.servers: dict[str, Server] = {}
        self.plan = DialPlan(**plan)
        self.now = 1_800_000_000.0
        "Seconds since 1970."
        self.saved: dict[str, tuple[Lesson, ...]] = {}
        "What the next start would know."
        self.learned = Learned(self.saved.__setitem__, lambda: self.now)
        around = book.exchange.router.around
        around.outside = Outside(
            _Lines(self),  # type: ignore[arg-type]  # as much of them as calls use
            _Trunks(self),  # type: ignore[arg-type]
            lambda: book.exchange.options,
            self.learned,
        )
        around.local_now = lambda: NOW

    def line(self, settings: Line, address: Address | None = None, *, up: bool = True) -> Server:
        """A line, registered at a server of its own unless an address is given or it is down."""
        server = self._server(settings.name, settings.account, address)
        account = account_of(settings)
        registration = SimpleNamespace(
            flow=server.flow() if up else None,
            state=SimpleNamespace(expires_at=None),
            account=account,
            credentials=Credentials(account, random.Random(3)),
            routes=lambda: (),
        )
        live = LiveLine(settings, registration)  # type: ignore[arg-type]  # as much of one as calls use
        live.note_carrier()
        self.live_lines[settings.name] = live
        self._follow()
        return server

    def trunk(self, settings: Trunk, *addresses: Address) -> list[Server]:
        """A trunk and its peers; all of them answer."""
        servers = [self._server(f"{settings.name}{each}", "peer", each) for each in addresses]
        peers = [(SimpleNamespace(domain=each.address[0]), each.flow()) for each in servers]
        hosts = {each.address[0] for each in servers}
        self.live_trunks[settings.name] = SimpleNamespace(
            trunk=settings, ways=lambda: peers, hosts=hosts, has_peer_at=lambda address: address in addresses
        )
        self._follow()
        return servers

    def _follow(self) -> None:
        ways: dict[str, object] = {f"line:{name}": live.line for name, live in self.live_lines.items()}
        self.learned.follow(ways | {f"trunk:{name}": live.trunk for name, live in self.live_trunks.items()})

    def _server(self, name: str, number: str, address: Address | None) -> Server:
        at = address or (f"203.0.113.{len(self.servers) + 1}", 5060)
        self.servers[name] = Server(number, at, self.book.random)
        return self.servers[name]

    def routes(self, *routes: Route) -> None:
        find = self.book.extensions.get
        ways = [f"line:{each}" for each in self.live_lines] + [f"trunk:{each}" for each in self.live_trunks]
        self.book.exchange.router.around.table = compile_table(routes, self.plan, find, ways)


class _Lines:
    def __init__(self, world: OutsideWorld) -> None:
        self._world = world

    def get(self, name: str) -> LiveLine | None:
        return self._world.live_lines.get(name)

    def are_at(self, host: str) -> bool:
        return any(each.carrier == host for each in self._world.live_lines.values())

    def of_call(self, flow: Flow, user: str) -> LiveLine | None:
        there = [each for each in self._world.live_lines.values() if each.carrier == flow.remote[0]]
        return next((each for each in there if each.user == user), there[0] if there else None)


class _Trunks:
    def __init__(self, world: OutsideWorld) -> None:
        self._world = world

    def get(self, name: str) -> Any:
        return self._world.live_trunks.get(name)

    def of_host(self, host: str) -> Any:
        return next((each for each in self._world.live_trunks.values() if host in each.hosts), None)


def line(name: str = "a", **settings: Any) -> Line:
    return Line(name=name, **{"server": "sip.example", "account": f"{name}00", **settings})


def trunk(name: str = "hq", **settings: Any) -> Trunk:
    return Trunk(name=name, peers=("192.0.2.9",), **settings)


def route(*to: str, name: str = "out", pattern: str = "X.", **settings: Any) -> Route:
    return Route(name=name, pattern=pattern, to=to, **settings)
