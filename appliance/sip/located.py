"""Requests to where a URI leads: located by DNS, sent, and sent elsewhere when nobody answers there.

RFC 3263 §4 (server location), §4.3 (fail-over); RFC 3261 §8.1.2 (the next hop), §16.7 (503).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from appliance.sip.live_transaction import ClientEvent, ClientTransaction, Failed
from appliance.sip.message import Request, Response, Uri
from appliance.sip.transport.failed_targets import retry_after
from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.locate import LocationError, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from anyio.abc import TaskGroup, TaskStatus

    from appliance.sip.endpoint import Endpoint
    from appliance.sip.transport.flow import Flow
    from appliance.sip.transport.resolve import Locator

__all__ = ["ANYHOW", "MAX_LOCATING", "LocatedRequest", "Sender", "Way", "next_hop"]

logger = logging.getLogger(__name__)

MAX_LOCATING = 256
"Requests that wait for DNS at a time, for 10 s at most; more means that no name server answers."


def next_hop(request: Request) -> Uri:
    """Where a request goes (§8.1.2): to its topmost Route, or its Request-URI. PeerError."""
    routes = request.routes
    return routes[0].uri if routes else Uri.parse(request.uri)


@dataclass(frozen=True, slots=True)
class Way:
    """What a sender is told about the way of a request, beside what the request says itself."""

    transport: str | None = None
    "What to use whatever the URI says."
    next_hop: Uri | None = None
    "Where to send it when it bears no Route for that (§8.1.2): a server whose name its Request-URI does not bear."
    keep_to: Flow | None = None
    "Tried first while DNS lists where it leads, or says nothing: whoever knows us there need not learn it again."
    fresh: bool = False
    "Ask name servers, whatever was heard from them before."
    fail_back: bool = False
    "Try before `keep_to` those that the domain would rather have tried, unless they have failed lately."


ANYHOW = Way()


class Sender:
    """Sends requests to URIs. `run` is a task of its own; what is sent before it runs fails."""

    def __init__(self, endpoint: Endpoint, locator: Locator) -> None:
        self.endpoint = endpoint
        self.locator = locator
        self._tasks: TaskGroup | None = None
        self._locating = 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; started once it can send."""
        try:
            async with anyio.create_task_group() as self._tasks:
                task_status.started()
                await anyio.sleep_forever()
        finally:
            self._tasks = None

    def send(
        self,
        request: Request,
        on_event: Callable[[ClientEvent], None],
        *,
        prepare: Callable[[Request, Flow], None] | None = None,
        way: Way = ANYHOW,
    ) -> LocatedRequest:
        """Send a request without a Via to its next hop; returns at once.

        `prepare` completes each copy of it that is sent: our Contact depends on the way. `on_event` gets, as
        from `Endpoint.send_request`, each Response, or Failed when no target gave any. PeerError when the
        next hop cannot be read.
        """
        sent = LocatedRequest(self, request, on_event, prepare)
        uri = way.next_hop or next_hop(request)
        if self._tasks is None or self._locating >= MAX_LOCATING:
            logger.warning("%s to %s: too many wait for DNS", request.method, uri.host)
            self.endpoint.timers.after(0, sent.nowhere)
        else:
            self._locating += 1
            self._tasks.start_soon(self._locate, sent, uri, way, name=f"locate {uri.host}")
        return sent

    def avoid(self, flow: Flow, uri: Uri, seconds: float | None = None) -> None:
        """Whoever is at the end of a flow to `uri` did not answer, or asked to be left alone for so many seconds."""
        self.locator.failed.note(_target(flow, uri), self.endpoint.timers.now(), seconds)

    async def _locate(self, sent: LocatedRequest, uri: Uri, way: Way) -> None:
        try:
            targets = await self.locator.locate(uri, way.transport, fresh=way.fresh)
        except TransportError as error:
            logger.info("%s to %s: %s", sent.request.method, uri.host, error)
            sent.unlocated = str(error) if isinstance(error, LocationError) else ""
            targets = []
        except Exception:
            logger.exception("locating %s failed", uri.host)
            targets = []
        finally:
            self._locating -= 1
        sent.found(targets if way.keep_to is None else _keep_to(way.keep_to, uri, targets, way.fail_back))


def _target(flow: Flow, uri: Uri) -> Target:
    return Target(flow.transport, flow.remote, uri.address)


def _keep_to(flow: Flow, uri: Uri, targets: list[Target], fail_back: bool) -> list[Target]:
    """The same targets, with where `flow` leads first, if it is among them or there is no other."""
    kept = _target(flow, uri)
    if targets and kept not in targets:
        return targets
    better: list[Target] = []
    if fail_back and targets:
        at = targets.index(kept)
        # What failed lately stands behind it.
        better = [target for target in targets[:at] if target.rank < targets[at].rank]
    return [*better, kept, *(target for target in targets if target != kept and target not in better)]


class LocatedRequest:
    """A request, from one target to the next until one answers."""

    def __init__(
        self,
        sender: Sender,
        request: Request,
        on_event: Callable[[ClientEvent], None],
        prepare: Callable[[Request, Flow], None] | None,
    ) -> None:
        self.request = request
        "As it was given; each target gets a copy with a Via, and so a branch, of its own."
        self.unlocated = ""
        "Why nobody could say where its next hop is; empty: somebody could."
        self._sender = sender
        self._on_event = on_event
        self._prepare = prepare
        self._targets: list[Target] = []
        self._client: ClientTransaction | None = None
        self._cancelled: tuple[tuple[str, str], ...] | None = None
        self._answered = False
        self._last: ClientEvent = Failed("transport")
        "What the last target came to: what the user hears when there is no other."

    def cancel(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Give an INVITE up, with these headers in its CANCEL. It still ends by a response or Failed."""
        self._cancelled = tuple(headers)
        if self._client is not None:
            self._client.cancel(self._cancelled)

    def try_no_other(self) -> None:
        """Send it to no further target: what comes of it does not matter any more."""
        self._cancelled = self._cancelled or ()

    def nowhere(self) -> None:
        """There is no target."""
        self._over(self._last)

    def found(self, targets: list[Target]) -> None:
        """These are the targets, in the order in which to try them."""
        self._targets = targets
        self._try_next()

    def _try_next(self) -> None:
        while self._targets and self._cancelled is None:
            target = self._targets.pop(0)
            try:
                self._send(target)
            except TransportError as error:
                logger.info("%s to %s: %s", self.request.method, target.address[0], error)
                self._failed(target)
                self._last = Failed("transport")
            else:
                return
        self._over(self._last)

    def _send(self, target: Target) -> None:
        endpoint = self._sender.endpoint
        flow = endpoint.flow_to(target.transport, target.address, target.domain)
        copy = Request(self.request.method, self.request.uri, self.request.headers.copy(), self.request.body)
        if self._prepare is not None:
            self._prepare(copy, flow)
        self._client = endpoint.send_request(copy, flow, lambda event: self._take(target, event))

    def _take(self, target: Target, event: ClientEvent) -> None:
        if self._is_failure(event):
            wait = retry_after(event) if isinstance(event, Response) else None
            self._failed(target, wait)
            self._client, self._last = None, event
            self._try_next()
            return
        if not self._answered:
            self._answered = True
            self._sender.locator.failed.works(target)
        self._on_event(event)

    def _is_failure(self, event: ClientEvent) -> bool:
        """§4.3: silence, a transport error, 503. Once somebody has answered, the request is theirs."""
        if isinstance(event, Failed):
            return not self._answered
        return event.status == 503

    def _failed(self, target: Target, seconds: float | None = None) -> None:
        self._sender.locator.failed.note(target, self._sender.endpoint.timers.now(), seconds)

    def _over(self, event: ClientEvent) -> None:
        self._on_event(event)
