"""All external lines: each registered for as long as its settings say so.

RFC 3261 §10.2; RFC 5626 §4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from appliance.lines.account import Account
from appliance.lines.registration import STOP_WITHIN, Registration

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from appliance.clock import Timers
    from appliance.config.line import Line
    from appliance.sip.located import Sender
    from appliance.sip.transport.flow import Flow

__all__ = ["Lines", "LiveLine", "account_of"]


class LiveLine:
    """One line and its registration."""

    def __init__(self, line: Line, registration: Registration) -> None:
        self.line = line
        self.registration = registration

    @property
    def host(self) -> str:
        """What our addresses at the carrier end in."""
        return str(self.registration.account.address_of_record().uri.host)

    @property
    def route(self) -> str:
        """The Route of our requests: the outbound proxy, and what the registrar asked for (RFC 3608)."""
        return ", ".join(self.registration.routes())

    def is_called_by(self, flow: Flow, user: str, *, only: bool) -> bool:
        """Whether an INVITE for `user` over this flow comes by this line; `only`: no other line is at that host."""
        known = self.registration.flow
        if known is None or known.remote[0] != flow.remote[0]:
            return False
        return only or user == self.registration.account.registered_user


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
        self._leaving: set[str] = set()  # names whose old registration is being taken back
        self._wanted: Mapping[str, Line] = {}

    def follow(self, lines: Mapping[str, Line]) -> None:
        """Take over the settings: what has not changed stays registered undisturbed."""
        self._wanted = lines
        for name in list(self._live):
            if lines.get(name) != self._live[name].line:
                self._leave(name)
        for name in lines:
            self._enter(name)
        self._changed()

    def get(self, name: str) -> LiveLine | None:
        """The line of that name; None when there is none, or it is off."""
        return self._live.get(name)

    def of_call(self, flow: Flow, user: str) -> LiveLine | None:
        """The line that an INVITE for `user` comes by; None when it comes by none."""
        there = [live for live in self._live.values() if live.is_called_by(flow, user, only=True)]
        if len(there) == 1:
            return there[0]
        named = [live for live in there if live.is_called_by(flow, user, only=False)]
        return next(iter(named or there), None)

    def network_changed(self) -> None:
        """Our address may be another: register anew."""
        for live in self._live.values():
            live.registration.network_changed()

    def connection_lost(self, flow: Flow) -> None:
        """A connection is gone."""
        for live in self._live.values():
            live.registration.connection_lost(flow)

    async def leave_all(self) -> None:
        """De-register everywhere, for some seconds at most."""
        gone = anyio.Event()
        left = len(self._live)

        def one_gone() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                gone.set()

        for live in self._live.values():
            live.registration.stop(one_gone)
        if left:
            with anyio.move_on_after(STOP_WITHIN + 1):
                await gone.wait()
        self._live = {}

    def changed(self, _: Registration) -> None:
        """A registration stands differently now (`registration.Listener`)."""
        self._changed()

    def _enter(self, name: str) -> None:
        line = self._wanted.get(name)
        if line is None or not line.enabled or name in self._live or name in self._leaving:
            return
        registration = Registration(self._sender, self._timers, self._random, account_of(line), self)
        self._live[name] = LiveLine(line, registration)
        registration.start()

    def _leave(self, name: str) -> None:
        def gone() -> None:
            self._leaving.discard(name)
            self._enter(name)  # with its new settings, if there are any

        self._leaving.add(name)
        self._live.pop(name).registration.stop(gone)


def account_of(line: Line) -> Account:
    """What the registration needs of a line's settings. ConfigError where a field cannot be used."""
    host, port = _host_and_port(line.server)
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


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text, 0
    return host, int(port)
