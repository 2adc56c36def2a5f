"""The outside world as calls see it: who comes in by which line or trunk, and the ways out.

RFC 3261 §8.1.2 (next hop), §22; RFC 3608 (Service-Route).
"""

from __future__ import annotations

__all__ = ["Outside", "OutsideCaller", "way_name"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from appliance.call.cause import Cause
from appliance.call.destination import Destination
from appliance.call.inbound import RefusedError
from appliance.call.way_out import LineWay, TrunkWay
from appliance.lines.arrival import Arrival, arrival_of, called_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.leg_options import LegOptions
    from appliance.config.outside import Outside as Settings
    from appliance.lines.credentials import Attempt
    from appliance.lines.lines import Lines
    from appliance.lines.trunks import Trunks
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow

Kind = Literal["line", "trunk"]


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


class Outside:
    """Lines and trunks."""

    def __init__(self, lines: Lines, trunks: Trunks, options: Callable[[], LegOptions]) -> None:
        """`options`: what the legs of calls use where nothing else is said."""
        self._lines = lines
        self._trunks = trunks
        self._options = options

    def caller(self, request: Request, flow: Flow) -> OutsideCaller | None:
        """Who calls by a line or trunk; None when the request comes from neither. PeerError when it cannot be read."""
        trunk = self._trunks.of_host(flow.remote[0])
        if trunk is not None:
            return self._arrived("trunk", trunk.trunk, request, None)
        line = self._lines.of_call(flow, called_number(request))
        if line is not None:
            return self._arrived("line", line.line, request, line.registration.credentials.attempt)
        return None

    def _arrived(
        self, kind: Kind, way: Settings, request: Request, prover: Callable[[str], Attempt | None] | None
    ) -> OutsideCaller:
        arrival = arrival_of(request, way)
        return OutsideCaller(way_name(kind, way.name), arrival, self._options_of(way), prover, way.max_calls)

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
        way = LineWay(live.line, self._options_of(live.line), live.host, live.registration.credentials)
        return Destination(number, way.uri(number), live.registration.flow, live.route, way)

    def _by_trunk(self, name: str, number: str) -> list[Destination]:
        live = self._trunks.get(name)
        ways = [] if live is None else live.ways()
        if live is None or not ways:
            raise RefusedError(Cause.LINE_DOWN)
        found = []
        for peer, flow in ways:
            domain = live.trunk.domain or peer.domain
            way = TrunkWay(live.trunk, self._options_of(live.trunk), domain, flow.local[0])
            found.append(Destination(number, way.uri(number), flow, "", way))
        return found

    def _options_of(self, way: Settings) -> LegOptions:
        options = self._options()
        return replace(options, reliable=False, required=()) if way.no_100rel else options


def way_name(kind: Kind, name: str) -> str:
    """How routes, records and pages name it."""
    return f"{kind}:{name}"
