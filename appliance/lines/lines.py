"""All external lines: each registered for as long as its settings say so.

RFC 3261 §10.2; RFC 5626 §4.5.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import anyio

from appliance.config.line import Place, place_of
from appliance.config.outside import with_port
from appliance.errors import ConfigError
from appliance.lines.account import Account
from appliance.lines.arrival import number_of
from appliance.lines.registration import STOP_WITHIN, Registration
from appliance.sip.message import Uri

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping

    from appliance.clock import Timers
    from appliance.config.line import Line
    from appliance.sip.located import Sender
    from appliance.sip.transport.flow import Flow

__all__ = ["Lines", "LiveLine", "account_of"]

logger = logging.getLogger(__name__)


class LiveLine:
    """One line and its registration."""

    def __init__(self, line: Line, registration: Registration) -> None:
        self.line = line
        "Its settings. Those that the carrier does not hear of may change while it stays registered."
        self.registration = registration
        self.domain = str(registration.account.address_of_record().uri.host)
        "What our addresses at the carrier end in."
        self.user = registration.account.registered_user
        "What the carrier calls us by, in the Request-URI of calls: the user part of our Contact."
        self.carrier = ""
        "The address of the carrier's server that knows us; empty: none does."

    @property
    def route(self) -> str:
        """The Route of our requests: the outbound proxy, and what the registrar asked for (RFC 3608)."""
        return ", ".join(self.registration.routes())

    def note_carrier(self) -> None:
        """The registration stands differently now. A carrier whose connection is gone may open another one to us."""
        registration = self.registration
        if registration.flow is not None:
            self.carrier = registration.flow.remote[0]
        elif registration.state.expires_at is None:
            self.carrier = ""


@dataclass(slots=True)
class Neighbours:
    """The lines that are registered at one address."""

    first: LiveLine
    by_user: dict[str, LiveLine] = field(default_factory=dict)


class Lines:
    """The lines as they are set."""

    def __init__(
        self, sender: Sender, timers: Timers, random: random.Random, changed: Callable[[], None]
    ) -> None:
        """`changed` is told when there is something new to show."""
        self._sender = sender
        self._timers = timers
        self._random = random
        self._changed = changed
        self._live: dict[str, LiveLine] = {}
        self._leaving: dict[str, Place] = {}  # whose old registration is being taken back, by name
        self._wanted: Mapping[str, Line] = {}
        self._closed = False
        self._gone = anyio.Event()  # when nothing is left of any
        self._near: dict[str, Neighbours] | None = None  # by address; None: to be made anew

    def follow(self, lines: Mapping[str, Line]) -> None:
        """Take over the settings: what has not changed for the carrier stays registered undisturbed."""
        if self._closed:
            return
        self._wanted = lines
        for name, live in list(self._live.items()):
            line = lines.get(name)
            if line is not None and line.enabled and _usable(line) == live.registration.account:
                live.line = line
            else:
                self._leave(name)
        self._enter_all()
        self._near = None
        self._changed()

    def get(self, name: str) -> LiveLine | None:
        """The line of that name; None when there is none, or it is off."""
        return self._live.get(name)

    def all(self) -> list[LiveLine]:
        """Those that are on."""
        return list(self._live.values())

    def is_waiting(self, name: str) -> bool:
        """Whether a line that is on begins as soon as its old registration is taken back."""
        line = self._wanted.get(name)
        return line is not None and line.enabled and name not in self._live and self._must_wait(line)

    def are_at(self, host: str) -> bool:
        """Whether lines are registered at that address."""
        return host in self._neighbours()

    def of_call(self, flow: Flow, user: str) -> LiveLine | None:
        """The line that an INVITE for `user` comes by; None when it comes by none."""
        there = self._neighbours().get(flow.remote[0])
        if there is None:
            return None
        # Carriers write one number with a plus or without it, as they please. A call must come to somebody.
        return there.by_user.get(user) or there.by_user.get(user.lstrip("+")) or there.first

    def network_changed(self, gone: Collection[str], *, elsewhere: bool) -> None:
        """These addresses are ours no more, or others have come: whoever is not registered over a way that stays is at once.

        `elsewhere`: everybody is, since the carriers see us come by another gateway.
        """
        for live in self._live.values():
            if elsewhere or not live.registration.has_its_way(gone):
                live.registration.network_changed()

    def connection_lost(self, flow: Flow) -> None:
        """A connection is gone."""
        for live in self._live.values():
            live.registration.connection_lost(flow)

    async def leave_all(self) -> None:
        """De-register everywhere, for good, and for some seconds at most."""
        self._closed, self._wanted = True, {}
        for name in list(self._live):
            self._leave(name)
        if self._leaving:
            self._gone = anyio.Event()
            with anyio.move_on_after(STOP_WITHIN + 1):
                await self._gone.wait()

    def changed(self, registration: Registration) -> None:
        """A registration stands differently now (`registration.Listener`)."""
        live = self._live.get(registration.account.name)
        if live is not None and live.registration is registration:
            live.note_carrier()
            self._near = None
        self._changed()

    def _must_wait(self, line: Line) -> bool:
        # The carrier knows one of that place, and what undoes the old one would undo a new one, too.
        return line.name in self._leaving or place_of(line) in self._leaving.values()

    def _enter_all(self) -> None:
        for name, line in self._wanted.items():
            if line.enabled and name not in self._live and not self._must_wait(line):
                self._enter(line)

    def _enter(self, line: Line) -> None:
        account = _usable(line)
        if account is None:
            return
        registration = Registration(self._sender, self._timers, self._random, account, self)
        self._live[line.name] = LiveLine(line, registration)
        registration.start()

    def _leave(self, name: str) -> None:
        live = self._live.pop(name)
        self._leaving[name] = place_of(live.line)
        self._near = None
        live.registration.stop(partial(self._left, name))

    def _left(self, name: str) -> None:
        del self._leaving[name]
        self._enter_all()
        self._changed()
        if not self._leaving:
            self._gone.set()

    def _neighbours(self) -> dict[str, Neighbours]:
        if self._near is None:
            self._near = _by_address([live for live in self._live.values() if live.carrier])
        return self._near


def account_of(line: Line) -> Account:
    """What the registration needs of a line's settings. ConfigError where a field cannot be used."""
    host, port = _host_and_port(with_port(line.server, line.port))
    return Account(
        name=line.name,
        server=host,
        port=port,
        proxy=line.proxy,
        domain=line.domain,
        realm=line.realm,
        account=line.account,
        auth_name=line.auth_name,
        password=line.password,
        from_user="",
        from_display="",
        contact_user=line.contact_user,
        transport=line.transport,
        expiry=line.expiry,
        # What calls need may be what the registrar refuses: a REGISTER has it nowhere unless that is asked for.
        uri_parameter=line.uri_parameter if line.register_uri_parameter else "",
        register_uri_parameter=line.register_uri_parameter,
    )


def _usable(line: Line) -> Account | None:
    """Its account. What was stored by another version must keep no exchange from starting."""
    try:
        return account_of(line)
    except ConfigError as error:
        logger.error("line %s cannot be used: %s %s", line.name, error.path, error.key)
        return None


def _by_address(lines: list[LiveLine]) -> dict[str, Neighbours]:
    found: dict[str, Neighbours] = {}
    for live in lines:
        found.setdefault(live.carrier, Neighbours(live)).by_user.setdefault(live.user, live)
    for live in lines:
        # Some carriers write the number that was called in place of our Contact. That says less, and comes last.
        numbers = (each.partition("=")[0] for each in live.line.numbers)
        for number in (live.line.account.partition("@")[0], *numbers):
            found[live.carrier].by_user.setdefault(number.lstrip("+"), live)
    for live in lines:
        # RFC 7315 §4.1: what else the carrier knows us by, an IMS's implicit registrations. Of lines that share such a set
        # each is still found by its own number.
        for uri in live.registration.associated:
            found[live.carrier].by_user.setdefault(number_of(Uri.parse(uri)).lstrip("+"), live)
    return found


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text, 0
    return host, int(port)
