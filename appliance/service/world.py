"""The outside world as the running exchange has it: lines and trunks, followed as they are set, and shown as they are."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
from anyio import TASK_STATUS_IGNORED

from appliance.call.outside import Outside
from appliance.call.routing_table import compile_table
from appliance.errors import ConfigError
from appliance.lines.lines import Lines, account_of
from appliance.lines.peer import Surroundings
from appliance.lines.trunks import Trunks
from appliance.service.dns_watch import LineSeen
from appliance.sip.located import Sender
from appliance.sip.transport.locate import Abilities
from appliance.sip.transport.resolve import Locator, Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from anyio.abc import TaskStatus

    from appliance.call.exchange import Exchange
    from appliance.call.wire import Wire
    from appliance.config.config import Config
    from appliance.config.extension import Extension
    from appliance.config.snapshot import Snapshot
    from appliance.config.trunk import Trunk
    from appliance.lines.feature import Feature
    from appliance.lines.registration import RegistrationState
    from appliance.service.lessons import Lessons
    from appliance.service.options import Options
    from appliance.sip.transport.flow import Flow
    from appliance.system.network_watch import NetworkChange

__all__ = ["World"]

TRANSPORTS = ("udp", "tcp", "tls")


class Certificates(Protocol):
    """What we show over TLS beside the usual certificate; `sip/transport/certificate_folder`."""

    def want(self, names: Collection[str]) -> None:
        """Be ready to show these."""

    def check(self, name: str) -> None:
        """Read one. Blocks. OSError, ValueError."""


class World:
    """Lines, trunks and routes. `run` is a task of its own."""

    def __init__(
        self,
        wire: Wire,
        exchange: Exchange,
        options: Options,
        lessons: Lessons,
        changed: Callable[[], None],
        certificates: Certificates,
    ) -> None:
        """`changed` is told when there is something new to show."""
        host = options.sip[0]
        self._certificates = certificates
        self._timers = wire.timers
        self._exchange = exchange
        families = {"0.0.0.0": (4, 6), "::": (4, 6)}.get(host, (6,) if ":" in host else (4,))
        self._resolver = Resolver(wire.timers, options.dns)
        locator = Locator(wire.timers, wire.random, self._resolver, Abilities(TRANSPORTS, families))
        self._sender = Sender(wire.endpoint, locator)
        self._lines = Lines(self._sender, wire.timers, wire.random, changed)
        self._trunks = Trunks(Surroundings(wire.endpoint, locator, wire.timers, wire.random))
        self._lessons = lessons
        exchange.router.around.outside = Outside(
            self._lines, self._trunks, lambda: exchange.options, lessons.learned
        )

    def follow(self, config: Config) -> None:
        """From now on everything is as it is set."""
        config.add_verifier(_check_lines)
        config.add_verifier(self._check_certificates)
        config.on_change(_certificates, self._certificates.want)
        self._lessons.follow(config)
        config.on_change(lambda snapshot: snapshot.trunks, self._trunks.follow)
        config.on_change(_routing, partial(self._route, config))

    def _route(self, config: Config, routing: tuple[Any, ...]) -> None:
        lines, trunks, routes, dial_plan = routing
        outside = [f"line:{each.name}" for each in lines.values() if each.enabled]
        outside += [f"trunk:{each.name}" for each in trunks.values() if each.enabled]

        def find(number: str) -> Extension | None:
            return config.current.extensions.get(number)

        self._exchange.router.around.table = compile_table(routes.values(), dial_plan, find, outside)

    def _check_certificates(self, old: Snapshot, new: Snapshot) -> None:
        """ConfigError for a trunk whose certificate cannot be shown. Blocks."""
        for name, trunk in new.trunks.items():
            if not _shows_another(trunk, old.trunks.get(name)):
                continue
            try:
                self._certificates.check(trunk.certificate)
            except (OSError, ValueError) as error:
                path, reason = f"trunks.{name}.certificate", getattr(error, "strerror", None) or str(error)
                raise ConfigError(
                    path, "error.bad_certificate", folder=f"certs/{trunk.certificate}", reason=reason
                ) from error

    async def run(self, config: Config, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Register, watch, send; for ever. It has started once the lines are followed."""
        # Read from the disk here, once: whoever changes the time zone later has it read by the checks.
        await anyio.to_thread.run_sync(ZoneInfo, config.current.system.time_zone)
        around = self._exchange.router.around
        around.local_now = lambda: datetime.now(ZoneInfo(config.current.system.time_zone))
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._sender.run, name="located requests")
            tasks.start_soon(self._trunks.run, name="trunks")
            config.on_change(lambda snapshot: snapshot.lines, self._lines.follow)
            task_status.started()

    async def leave(self) -> None:
        """Take all registrations back."""
        await self._lines.leave_all()

    def network_changed(self, change: NetworkChange) -> None:
        """The box is somewhere else. The transports know already."""
        self._resolver.network_changed()
        self._lines.network_changed(change.gone, elsewhere=change.elsewhere)

    def connection_lost(self, flow: Flow) -> None:
        """A connection is gone."""
        self._lines.connection_lost(flow)

    def lines_seen(self) -> list[LineSeen]:
        """The lines that are on, and the peers of trunks that are."""
        lines = [
            LineSeen(
                f"line:{live.line.name}",
                live.registration.account.next_hop().address,
                live.registration.state.status == "registered",
            )
            for live in self._lines.all()
        ]
        peers = [
            LineSeen(f"trunk:{live.trunk.name} {peer.text}", peer.name, peer.state.status != "down")
            for live in self._trunks.all()
            for peer in live.peers
        ]
        return lines + peers

    # What people see.

    def line_state(self, name: str) -> Mapping[str, Any]:
        """How a line is."""
        live, way = self._lines.get(name), f"line:{name}"
        if live is None:
            # Its calls go on, whatever becomes of it.
            state = "registering" if self._lines.is_waiting(name) else "off"
            shown = {**_NO_LINE, "state": state}
        else:
            registration = live.registration
            shown = {
                **self._shown(registration.state),
                "address": _address(registration.flow),
                "associated": list(registration.associated),
            }
        return {
            **shown,
            **self._calls(way),
            "learned": self._lessons.learned.of(way),
        }

    def trunk_state(self, name: str) -> Mapping[str, Any]:
        """How a trunk's peers are."""
        live = self._trunks.get(name)
        peers = [] if live is None else [(peer.text, peer.state) for peer in live.peers]
        shown = [f"{text} {state.status} {state.reason}".rstrip() for text, state in peers]
        best = min((state.status for _, state in peers), key=("up", "unknown", "down").index, default="off")
        since = min((state.since for _, state in peers if state.status == best), default=None)
        way = f"trunk:{name}"
        return {
            "state": best,
            "since": self._moment(since),
            "peer_states": shown,
            **self._calls(way),
            "learned": self._lessons.learned.of(way),
        }

    def _calls(self, way: str) -> dict[str, Any]:
        """What a line's or trunk's calls are doing."""
        refused = self._exchange.refusals.of(way)
        return {
            "calls": self._exchange.calls_by(way),
            "refused": [f"{cause} {calls}" for cause, calls in refused.items()],
        }

    async def forget(self, way: str, feature: Feature | None) -> None:
        """Try a feature, or (None) every one, again by a line or trunk. Raises StoreError."""
        await self._lessons.forget(way, feature)

    async def pin(self, way: str, feature: Feature, on: bool | None) -> None:
        """Calls by it have the feature, or do without, until that is forgotten. Raises StoreError."""
        await self._lessons.pin(way, feature, on)

    async def reload(self) -> None:
        """Take over a database that was replaced as a whole. Raises StoreError."""
        await self._lessons.reload()

    def _shown(self, state: RegistrationState) -> dict[str, Any]:
        return {
            "state": state.status,
            "cause": state.cause,
            "reason": f"{state.code} {state.reason}".strip() if state.code else state.reason,
            "since": self._moment(state.since),
            "expires_at": self._moment(state.expires_at),
            "next_try_at": self._moment(state.next_try_at),
        }

    def _moment(self, at: float | None) -> float | None:
        """A moment of the timers' clock in seconds since 1970."""
        return None if at is None else time.time() + (at - self._timers.now())


_NO_LINE: dict[str, Any] = {
    "state": "off",
    "cause": "",
    "reason": "",
    "since": None,
    "expires_at": None,
    "next_try_at": None,
    "address": "",
    "associated": [],
}


def _check_lines(old: Snapshot, new: Snapshot) -> None:
    """ConfigError for a line that no registration can be made of."""
    for name, line in new.lines.items():
        if line is not old.lines.get(name):
            account_of(line)


def _shows_another(trunk: Trunk, before: Trunk | None) -> bool:
    """Whether a trunk begins to show a certificate. One that is lost must keep nobody from mending, or switching off."""
    if not trunk.certificate or before is None:
        return bool(trunk.certificate)
    return trunk.certificate != before.certificate or (trunk.enabled and not before.enabled)


def _certificates(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(
        each.certificate for each in snapshot.trunks.values() if each.enabled and each.certificate
    )


def _routing(snapshot: Snapshot) -> tuple[Any, ...]:
    return snapshot.lines, snapshot.trunks, snapshot.routes, snapshot.dial_plan


def _address(flow: Flow | None) -> str:
    return "" if flow is None else f"{flow.transport} {flow.remote[0]}:{flow.remote[1]}"
