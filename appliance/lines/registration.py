"""The registration of one line at its carrier, which never gives up.

RFC 3261 §10.2; RFC 5626 §4.5 (back-off), §4.4.1 (a flow that failed); RFC 3608 (Service-Route).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, assert_never

from appliance.errors import LocalError
from appliance.lines.account import SEEN
from appliance.lines.backoff import AWAY, LOST, REFUSED, STEADY, obeyed, refresh_after
from appliance.lines.fail_back import FailBack
from appliance.lines.keep_open import KeepOpen
from appliance.lines.outcome import Accepted, Failure
from appliance.lines.registrant import Asking, Registrant
from appliance.sip.located import Way
from appliance.sip.message import NameAddr
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection

    from appliance.clock import Timer, Timers
    from appliance.lines.account import Account
    from appliance.lines.credentials import Credentials
    from appliance.lines.outcome import Cause
    from appliance.sip.located import Sender
    from appliance.sip.message import Uri
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["STOP_WITHIN", "Listener", "Registration", "RegistrationState", "Status"]

logger = logging.getLogger(__name__)

STOP_WITHIN = 4.0
"Seconds that de-registration may take: three retransmissions over UDP (§17.1.2.2); then the carrier finds out by itself."

Status = Literal["unregistered", "registering", "registered", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """How a line stands. Times are seconds on the clock of the timers."""

    status: Status
    since: float
    "Since when it has this status."
    cause: Cause = ""
    "Why, when it is not registered."
    code: int = 0
    "The status code that said so; 0: none."
    reason: str = ""
    "The carrier's own words."
    expires_at: float | None = None
    "When the carrier forgets us, if nothing else happens; None: it does not know us."
    next_try_at: float | None = None
    "When it is tried, or refreshed, next; None: at this moment, or never."


class Listener(Protocol):
    """Whoever wants to know."""

    def changed(self, registration: Registration) -> None:
        """Its `state`, or what stands beside it, has changed. Called out of whatever changed it; must not raise."""


class Registration:
    """One line. `start` it, tell it what happens to the network, `stop` it."""

    def __init__(
        self, sender: Sender, timers: Timers, random: random.Random, account: Account, listener: Listener
    ) -> None:
        self.account = account
        self.state = RegistrationState("unregistered", timers.now())
        self.flow: Flow | None = None
        "Over which it is registered: calls go and come there. None: nowhere."
        self.contact = ""
        "What is registered, as a header has it."
        self.service_route: tuple[str, ...] = ()
        "The Route of our requests (RFC 3608), nearest first, as a header has each."
        self.associated: tuple[str, ...] = ()
        "The URIs that the carrier knows us by (RFC 7315 §4.1), the default first."
        self.path: tuple[str, ...] = ()
        "The proxies that calls come through (RFC 3327), nearest to the registrar first."
        self.seen_at: Address | None = None
        "Where the carrier sees us: beyond a NAT another place than where we are."
        self._timers = timers
        self._random = random
        self._listener = listener
        self._registrant = Registrant(sender, random, account)
        self._stage: Literal["new", "running", "stopped"] = "new"
        self._on_gone: list[Callable[[], None]] = []
        self._asking: Asking | None = None
        self._try: Timer | None = None
        self._end: Timer | None = None  # when the carrier forgets us
        self._failures = 0
        self._failed_finally = False
        self._registered_at = 0.0
        self._fail_back = FailBack()
        self._open = KeepOpen(sender.endpoint, timers, random)
        self._moved = False  # the Contact was corrected since the last refresh that was due

    @property
    def credentials(self) -> Credentials:
        """What answers the carrier's challenges, also those to calls."""
        return self._registrant.credentials

    def routes(self) -> tuple[str, ...]:
        """The Routes of a request outside a dialog, nearest first: the proxy's, then those that the carrier asks for."""
        proxy = self.account.route()
        if not proxy or (self.service_route and _leads_to(self.service_route[0], self.account.next_hop())):
            return self.service_route
        return proxy, *self.service_route

    def way(self) -> Way:
        """The way of a request outside a dialog: to where we are registered, or else wherever the carrier is."""
        return Way(self.account.transport or None, self.account.next_hop(), self.flow)

    def start(self) -> None:
        """Register, and stay registered. LocalError when it was started before."""
        if self._stage != "new":
            raise LocalError("a registration was started twice")
        self._stage = "running"
        self._begin_anew()

    def stop(self, done: Callable[[], None] | None = None) -> None:
        """De-register (§10.2.2), for good. `done` is called once, STOP_WITHIN seconds from now at the latest.

        Another registration of the same account must not start before: its Contact may be the same.
        """
        if done is not None:
            self._on_gone.append(done)
        if self._stage != "stopped":
            self._stage = "stopped"
            self._leave()

    def _leave(self) -> None:
        asking, flow, contact = self._asking, self.flow, self.contact
        if asking is not None and asking.flow is not None:
            flow, contact = asking.flow, asking.contact  # it may be registered by now
        self._halt()
        if flow is None or not contact:
            self._try = self._timers.after(0, self._gone)
            return
        self._try = self._timers.after(STOP_WITHIN, self._gone)
        self._asking = Asking(self._registrant, lambda *_: self._gone(), leave=contact)
        self._asking.begin_over(flow)

    def has_its_way(self, gone: Collection[str]) -> bool:
        """Whether the carrier knows us over a way that is ours still, now that these addresses are ours no more."""
        flow = self.flow
        if flow is None or self.state.status != "registered":
            return False
        if flow.reliable:
            return flow.local[0] not in gone
        try:
            return self._registrant.sender.endpoint.flow_to(flow.transport, flow.remote) == flow
        except TransportError:
            return False

    def network_changed(self) -> None:
        """The network, or our address in it, is another one: register anew at once."""
        if self._stage == "running":
            self._begin_anew()

    def connection_lost(self, flow: Flow) -> None:
        """A connection is gone, of this line or another one."""
        if self._stage != "running" or self.flow is None or not flow.same_way(self.flow):
            return
        self.flow = None
        self._open.follow(None, None)
        if self._asking is not None or self.state.status != "registered":
            return  # another try is under way, or due
        if self._timers.now() - self._registered_at < STEADY:
            self._take_failure(Failure("connection_lost", final=False))
            return
        pause = LOST * self._random.random()
        self._schedule(pause)
        self._tell(
            "unreachable",
            cause="connection_lost",
            expires_at=self.state.expires_at,
            next_try_at=self._timers.now() + pause,
        )

    # Trying.

    def _begin_anew(self) -> None:
        self._halt()
        self._forget()
        self._registrant.seen_at = None
        self._failures = 0
        self._tell("registering")
        self._begin()

    def _begin(self) -> None:
        self._cancel_try()
        self._asking = Asking(self._registrant, self._take)
        if self.state.next_try_at is not None:
            self._show(replace(self.state, next_try_at=None))
        # What has failed since is no way to keep to.
        keep_to = self.flow if self.state.status == "registered" else None
        now = self._timers.now()
        fail_back = keep_to is not None and self._fail_back.is_due(now, self.state.expires_at)
        if fail_back:
            self._fail_back.tried(now)
        self._asking.begin(keep_to, fail_back=fail_back)

    def _due(self) -> None:
        self._moved = False
        self._begin()

    def _take(self, asking: Asking, outcome: Accepted | Failure) -> None:
        self._asking = None
        match outcome:
            case Accepted():
                self._take_success(asking, outcome)
            case Failure() if self._is_of_another(asking, outcome):
                self._refuse_to_move(asking, outcome)
            case Failure():
                self._take_failure(outcome)
            case _:
                assert_never(outcome)

    def _is_of_another(self, asking: Asking, failure: Failure) -> bool:
        """Whether a server that DNS would rather have has refused us, while the one that knows us was not asked."""
        if not asking.fails_back or failure.cause in ("silence", "transport", "location"):
            return False
        return asking.flow is not None and self.flow is not None and not asking.flow.same_way(self.flow)

    def _refuse_to_move(self, asking: Asking, failure: Failure) -> None:
        assert asking.flow is not None
        sender, hop = self._registrant.sender, self.account.next_hop()
        sender.avoid(asking.flow, hop, failure.retry_after)
        self._begin()

    def _take_success(self, asking: Asking, accepted: Accepted) -> None:
        now = self._timers.now()
        self.flow, self.contact = asking.flow, asking.contact
        self.service_route, self.associated = accepted.service_route, accepted.associated
        self.path, self.seen_at = accepted.path, accepted.seen_at
        self._open.follow(self.flow, self.seen_at)
        self._failures, self._registered_at = 0, now
        self._expect_end(accepted.expiry)
        pause = refresh_after(accepted.expiry, self._random.random())
        self._fail_back.settled(self.flow, now)
        pause = self._fail_back.hastened(pause, now, now + accepted.expiry)
        if self._is_elsewhere():
            self._correct()
        else:
            self._schedule(pause)
        self._tell("registered", expires_at=now + accepted.expiry, next_try_at=now + pause)

    def _correct(self) -> None:
        """Register again with the address that the carrier sees.

        Once for each refresh that is due: a NAT that gives us another port each time shall not keep us busy.
        """
        self._moved, self._registrant.seen_at = True, self.seen_at
        self._cancel_try()
        self._try = self._timers.after(0, self._begin)

    def _is_elsewhere(self) -> bool:
        """Whether our Contact shall say where the carrier sees us, and does not."""
        if self.account.contact_address != SEEN or self._moved or self.seen_at is None:
            return False
        uri = NameAddr.parse(self.contact).uri
        return (uri.address, uri.port) != self.seen_at

    def _take_failure(self, failure: Failure) -> None:
        if failure.final is not self._failed_finally:
            self._failures, self._failed_finally = 0, failure.final
        self._failures += 1
        pause = self._pause(failure)
        if failure.final:
            self._forget()
        self._schedule(pause)
        self._tell(
            "refused" if failure.final else "unreachable",
            cause=failure.cause,
            code=failure.code,
            reason=failure.reason,
            expires_at=None if failure.final else self.state.expires_at,
            next_try_at=self._timers.now() + pause,
        )

    def _pause(self, failure: Failure) -> float:
        chance = self._random.random()
        if failure.final:
            usual = REFUSED.after(self._failures, chance)
            return max(usual, obeyed(failure.retry_after, usual, chance))
        if self.state.status == "registered" and failure.cause in ("silence", "transport"):
            # RFC 5626 §4.4.1: the way that we kept to has failed. At once another one, or the same one anew.
            return LOST * chance
        return obeyed(failure.retry_after, AWAY.after(self._failures, chance), chance)

    # Time.

    def _schedule(self, delay: float) -> None:
        self._cancel_try()
        self._try = self._timers.after(delay, self._due)

    def _cancel_try(self) -> None:
        if self._try is not None:
            self._try.cancel()
            self._try = None

    def _expect_end(self, expiry: float) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self._timers.after(expiry, self._expired)

    def _expired(self) -> None:
        self._forget()
        if self.state.status == "registered":
            # A refresh is still on its way from one silent server to the next.
            self._tell("unreachable", cause="silence", next_try_at=self.state.next_try_at)
        else:
            self._show(replace(self.state, expires_at=None))

    def _halt(self) -> None:
        """Try nothing more, and forget what is under way."""
        self._cancel_try()
        if self._asking is not None:
            self._asking.abandon()
            self._asking = None

    def _forget(self) -> None:
        """The carrier does not know us."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        self.flow, self.contact, self.seen_at = None, "", None
        self._open.follow(None, None)
        self.service_route = self.associated = self.path = ()

    def _gone(self) -> None:
        self._halt()
        self._forget()
        if self.state.status != "unregistered":
            self._tell("unregistered")
        on_gone, self._on_gone = self._on_gone, []
        for done in on_gone:
            done()

    # Telling.

    def _tell(
        self,
        status: Status,
        *,
        cause: Cause = "",
        code: int = 0,
        reason: str = "",
        expires_at: float | None = None,
        next_try_at: float | None = None,
    ) -> None:
        logger.info("line %s: %s %s %s %s", self.account.name, status, cause, code or "", reason)
        since = self.state.since if status == self.state.status else self._timers.now()
        self._show(RegistrationState(status, since, cause, code, reason, expires_at, next_try_at))

    def _show(self, state: RegistrationState) -> None:
        self.state = state
        self._listener.changed(self)


def _leads_to(route: str, hop: Uri) -> bool:
    """Whether a Route names that host and port: carriers whose Service-Route begins with the proxy itself."""
    uri = NameAddr.parse(route).uri
    return (uri.address.lower(), uri.port or 5060) == (hop.address.lower(), hop.port or 5060)
