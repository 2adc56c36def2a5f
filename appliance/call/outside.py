"""The outside world as calls see it: who comes in by which line or trunk, and the ways out.

RFC 3261 §8.1.2 (next hop), §22; RFC 3608 (Service-Route).
"""

from __future__ import annotations

__all__ = ["Outside", "OutsideCaller", "way_name"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from appliance.call.cause import Cause
from appliance.call.destination import Destination
from appliance.call.inbound import RefusedError, read_dialled
from appliance.call.leg_options import names
from appliance.call.way_out import LineWay, TrunkWay
from appliance.lines.arrival import Arrival, arrival_of, number_of
from appliance.lines.feature import OPTION_TAGS, Habit
from appliance.sip.message import Uri
from appliance.sip.transport.answer import DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.config.outside import Outside as Settings
    from appliance.lines.credentials import Attempt
    from appliance.lines.learned import Learned
    from appliance.lines.lines import Lines
    from appliance.lines.trunks import Trunks
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow

Kind = Literal["line", "trunk"]
TRANSPORTS = frozenset({"udp", "tcp", "tls"})
"What lines and trunks speak. A browser is a phone, wherever it is."

W = TypeVar("W", LineWay, TrunkWay)


@dataclass(frozen=True, slots=True)
class OutsideCaller:
    """Somebody who calls in."""

    way: str
    "`line:NAME` or `trunk:NAME`."
    arrival: Arrival
    options: LegOptions
    prover: Callable[[str], Attempt | None] | None
    "What answers the carrier's challenges to our requests in the call."
    max_calls: int
    from_its_port: bool
    "Whether it comes, as its Via says, from the very port that we call that server at."

    def dialled(self, request: Request) -> Dialled:
        """What their INVITE asks for. PeerError when it wants what the line's or trunk's legs do not have."""
        self.options.check_first(request)
        arrival = self.arrival
        dialled = read_dialled(request, arrival.number, arrival.name)
        return msgspec.structs.replace(
            dialled, to_number=arrival.target, way_in=self.way, asserted=arrival.asserted
        )


class Outside:
    """Lines and trunks."""

    def __init__(
        self, lines: Lines, trunks: Trunks, options: Callable[[], LegOptions], learned: Learned
    ) -> None:
        """`options`: what the legs of calls use where nothing else is said."""
        self._lines = lines
        self._trunks = trunks
        self._options = options
        self._learned = learned

    def caller(self, request: Request, flow: Flow) -> OutsideCaller | None:
        """Who calls by a line or trunk; None when the request comes from neither. PeerError when it cannot be read."""
        if flow.transport not in TRANSPORTS:
            return None
        # Over a connection, the port that it comes from says nothing.
        address = flow.remote[0], request.via.port or DEFAULT_PORT[flow.transport]
        trunk = self._trunks.of_host(flow.remote[0])
        if trunk is not None:
            return self._arrived("trunk", trunk.trunk, request, None, trunk.has_peer_at(address))
        if not self._lines.are_at(flow.remote[0]):
            return None
        # Our Contact, in the Request-URI, tells a carrier's lines apart; P-Called-Party-ID has the number they called.
        line = self._lines.of_call(flow, number_of(Uri.parse(request.uri)))
        if line is not None:
            registration = line.registration
            at_home = registration.flow is not None and registration.flow.remote == address
            return self._arrived("line", line.line, request, registration.credentials.attempt, at_home)
        return None

    def way_at(self, flow: Flow) -> str:
        """The trunk, or else a line, that has the other end of a flow, named as in routes; empty: none has."""
        host = flow.remote[0]
        if flow.transport not in TRANSPORTS:
            return ""
        trunk = self._trunks.of_host(host)
        if trunk is not None:
            return way_name("trunk", trunk.trunk.name)
        line = self._lines.of_call(flow, "") if self._lines.are_at(host) else None
        return "" if line is None else way_name("line", line.line.name)

    def _arrived(
        self,
        kind: Kind,
        way: Settings,
        request: Request,
        prover: Callable[[str], Attempt | None] | None,
        from_its_port: bool,
    ) -> OutsideCaller:
        arrival = arrival_of(request, way)
        name = way_name(kind, way.name)
        return OutsideCaller(
            name, arrival, self._options_for_caller(name, way, request), prover, way.max_calls, from_its_port
        )

    def _options_for_caller(self, name: str, way: Settings, request: Request) -> LegOptions:
        habits = self._learned.habits(name)
        # What was learned of calls that go there is no reason to refuse one from there that cannot be without.
        off = [
            tag
            for tag in OPTION_TAGS
            if Habit(tag, on=False) in habits and not names(request, "Require", tag)
        ]
        return self._base_of(way).without(off)

    def destinations(self, kind: Kind, name: str, number: str, extension: str | None) -> list[Destination]:
        """Where `number` is reached by that line or trunk, in the order in which to try them.

        `extension` calls; empty: somebody outside does; None: it matters not who, as in an emergency. RefusedError when
        there is no way now.
        """
        match kind:
            case "line":
                return [self._by_line(name, number, extension)]
            case "trunk":
                return self._by_trunk(name, number)

    def max_calls(self, kind: Kind, name: str) -> int:
        """How many calls there may be by it at a time; 0: as many as come."""
        if kind == "line":
            line = self._lines.get(name)
            return 0 if line is None else line.line.max_calls
        trunk = self._trunks.get(name)
        return 0 if trunk is None else trunk.trunk.max_calls

    def _by_line(self, name: str, number: str, extension: str | None) -> Destination:
        live = self._lines.get(name)
        if live is None or live.registration.flow is None:
            raise RefusedError(Cause.LINE_DOWN)
        private = live.line.extensions and extension is not None
        if private and extension not in live.line.extensions:
            raise RefusedError(Cause.FORBIDDEN)
        way = self._in_its_habits(
            LineWay(
                line=live.line,
                base=self._base_of(live.line),
                domain=live.domain,
                credentials=live.registration.credentials,
                learned=self._learned,
            )
        )
        return Destination(number, way.uri(number), live.registration.flow, live.route, way)

    def _by_trunk(self, name: str, number: str) -> list[Destination]:
        live = self._trunks.get(name)
        ways = [] if live is None else live.ways()
        if live is None or not ways:
            raise RefusedError(Cause.LINE_DOWN)
        found = []
        for peer, flow in ways:
            domain = live.trunk.domain or peer.domain
            way = self._in_its_habits(
                TrunkWay(
                    trunk=live.trunk,
                    base=self._base_of(live.trunk),
                    domain=domain,
                    host=flow.local[0],
                    learned=self._learned,
                )
            )
            found.append(Destination(number, way.uri(number), flow, "", way))
        return found

    def _base_of(self, way: Settings) -> LegOptions:
        options = self._options()
        return options.without_reliable() if way.no_100rel else options

    def _in_its_habits(self, way: W) -> W:
        """What was learned there, and what is only suspected, which this call is to show."""
        way = replace(way, habits=self._learned.habits(way.name))
        habits, said = self._learned.suspicion(way.name)
        return way.on_trial(habits, said) if habits else way


def way_name(kind: Kind, name: str) -> str:
    """How routes, records and pages name it."""
    return f"{kind}:{name}"
