"""The bindings: where each extension's phones are, as long as they said they would be there.

RFC 3261 §10.2, §10.3; RFC 5626 §4.1 for the instance.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.errors import PeerError
from appliance.sip.message import NameAddr, Params, Uri
from appliance.sip.transport.flow import Flow, TransportError
from appliance.sip.transport.locate import Abilities, locate_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from appliance.clock import Timer, Timers
    from appliance.sip.transport.flow import Address

__all__ = ["MAX_BINDINGS", "Binding", "Bindings", "Change"]

MAX_BINDINGS = 10
"""Contacts of one extension: a desk phone, a mobile, a laptop, and what a reboot of each left behind.
Each rings at every call, so that more would only multiply messages."""


class Change(StrEnum):
    """What became of a binding. A mere refresh is none: nothing needs writing or showing."""

    ADDED = "added"
    MOVED = "moved"
    "The same contact, to be reached another way or in another order."
    GONE = "gone"


class Binding(msgspec.Struct, frozen=True, gc=False):
    """One phone of one extension."""

    number: str
    "The extension."
    contact: Uri
    "Where the phone wants to be called, exactly as it wrote it: the Request-URI to send."
    flow: Flow
    "The way there."
    q: float
    "0.0 to 1.0: the higher is to be tried first."
    expires_at: float
    "When it lapses, in seconds of `Timers.now()`."
    granted: int
    "How many seconds it was granted at its last refresh."
    user_agent: str
    call_id: str
    cseq: int
    registered_at: float
    "When it was first registered, in seconds since 1970, UTC."
    refreshed_at: float
    "When it was last refreshed, in seconds of `Timers.now()`."
    params: Params = Params()
    "The contact's other parameters, such as `+sip.instance`."
    path: str = ""
    "The Route that leads to the phone, as the proxies on its way wrote it (RFC 3327); mostly empty."

    @property
    def instance(self) -> tuple[str, str | None] | None:
        """The phone itself (RFC 5626 §4.1), which may come back under another address."""
        instance = self.params.get("+sip.instance")
        return None if not instance else (instance, self.params.get("reg-id"))

    @property
    def phone(self) -> str:
        """The phone's own name, a URN in lower case, whichever way it is reached; empty when it says none."""
        instance = self.params.text("+sip.instance") or ""
        return instance[1:-1].lower() if instance[:1] == "<" and instance[-1:] == ">" else ""

    def is_same(self, other: Binding) -> bool:
        """Whether one replaces the other: the same contact (§10.3), or the same phone after a restart.

        Two flows that a phone keeps are two, though it gives both the same contact (RFC 5626 §6).
        """
        if "reg-id" in self.params and "reg-id" in other.params:
            return self.instance == other.instance
        return self.contact.matches(other.contact) or (
            self.instance is not None and self.instance == other.instance
        )


def _unreachable(transport: str, remote: Address) -> Flow:
    msg = f"nothing here serves {transport.upper()} to {remote[0]}"
    raise TransportError(msg)


class Bindings:
    """All bindings, in memory. They lapse by themselves."""

    def __init__(self, timers: Timers, flow_to: Callable[[str, Address], Flow] = _unreachable) -> None:
        """`flow_to` opens a connection to a proxy when its own is gone (`Endpoint.flow_to`)."""
        self._timers = timers
        self._flow_to = flow_to
        self._by_number: dict[str, list[Binding]] = {}
        self._lapses: dict[str, Timer] = {}
        self._listeners: list[Callable[[Binding, Change], None]] = []

    def on_change(self, listener: Callable[[Binding, Change], None]) -> None:
        """Call `listener` after every change from now on."""
        self._listeners.append(listener)

    def lookup(self, number: str) -> list[Binding]:
        """Where the extension can be reached: highest q first, then the latest refreshed."""
        bindings = self._by_number.get(number, [])
        if len(bindings) < 2:
            return list(bindings)
        return sorted(bindings, key=lambda binding: (-binding.q, -binding.refreshed_at))

    def targets(self, number: str) -> list[Binding]:
        """Whom to ring for the extension: as `lookup`, but of one phone's flows only the best (RFC 5626 §7).

        Those behind a proxy whose connection is gone are reached over a new one, if it can be opened.
        """
        bindings = [binding for each in self.lookup(number) if (binding := self._reachable(each))]
        if len(bindings) < 2:
            return bindings
        phones: dict[object, Binding] = {}
        for binding in bindings:
            phones.setdefault(binding.params.get("+sip.instance") or binding.contact, binding)
        return list(phones.values())

    def is_at(self, number: str, flow: Flow) -> bool:
        """Whether a phone of the extension is registered there."""
        return any(binding.flow.same_way(flow) for binding in self._by_number.get(number, ()))

    def moved_to(self, number: str, contact: Uri, since: float) -> Flow | None:
        """The way to the phone of that contact if it has registered since then, a moment of `Timers.now()`.

        One behind proxies is reached by their Route, which is another matter.
        """
        known = [
            binding
            for binding in self._by_number.get(number, ())
            if binding.refreshed_at > since and not binding.path and binding.contact.matches(contact)
        ]
        return max(known, key=lambda binding: binding.refreshed_at).flow if known else None

    def is_near(self, number: str, host: str) -> bool:
        """Whether a phone of the extension is registered at that address, at whichever port."""
        return any(binding.flow.remote[0] == host for binding in self._by_number.get(number, ()))

    def count_online(self) -> int:
        """How many extensions have a phone."""
        return len(self._by_number)

    def all(self) -> list[Binding]:
        """Every binding, by extension."""
        return [binding for number in sorted(self._by_number) for binding in self.lookup(number)]

    def __len__(self) -> int:
        return sum(map(len, self._by_number.values()))

    def update(self, number: str, wanted: Iterable[Binding], unwanted: Iterable[Binding] = ()) -> None:
        """Add, refresh and drop bindings of one extension, all or none.

        PeerError 500 when one was changed by a later request of the same Call-ID already (§10.3 step 7).
        """
        wanted, unwanted = list(wanted), list(unwanted)
        for binding in wanted + unwanted:
            known = self._find(binding)
            if known and known.call_id == binding.call_id and known.cseq >= binding.cseq:
                raise PeerError(500, "Registration Out of Order")
        for binding in unwanted:
            self._drop(self._find(binding))
        for binding in wanted:
            self._put(binding)
        while len(self._by_number.get(number, ())) > MAX_BINDINGS:
            # What was refreshed longest ago is the likeliest to be a phone that has moved on.
            self._drop(min(self._by_number[number], key=lambda known: known.refreshed_at))

    def clear(self, number: str, call_id: str, cseq: int) -> None:
        """Drop all bindings of an extension that asks so with `*` (§10.2.2); PeerError 500 as in `update`."""
        known = self._by_number.get(number, [])
        if any(binding.call_id == call_id and binding.cseq >= cseq for binding in known):
            raise PeerError(500, "Registration Out of Order")
        self.forget(number)

    def forget(self, number: str) -> None:
        """Drop all bindings of an extension: it was removed, or may not register any more."""
        for binding in self._by_number.get(number, [])[:]:
            self._drop(binding)

    def connection_lost(self, flow: Flow) -> None:
        """Drop what was reached over a connection that is gone; the phone will register over a new one.

        A proxy may close a connection that was idle: what is behind it stays, if its address is known.
        """
        if flow.connection:
            for binding in self.all():
                if binding.flow.connection == flow.connection:
                    way = _way_around(binding)
                    if way is None:
                        self._drop(binding)
                    else:
                        self._put(msgspec.structs.replace(binding, flow=way))

    def to_rows(self, number: str | None = None) -> list[tuple[Any, ...]]:
        """Plain values from which `from_rows` makes the bindings again in a later process.

        Those of one extension, or all; without those over connections, which no restart survives.
        """
        wanted = self.all() if number is None else self.lookup(number)
        return [_to_row(binding) for binding in wanted if not binding.flow.connection]

    def from_rows(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Take up what an earlier process knew; tells no listener.

        Refreshes are not written down, so each is given its whole period once more: a phone that has gone
        will not answer, and one that is there has been calling in without our knowing.
        """
        for row in rows:
            binding = _from_row(row, self._timers.now())
            self._by_number.setdefault(binding.number, []).append(binding)
            self._watch(binding.number)

    def _reachable(self, binding: Binding) -> Binding | None:
        flow = binding.flow
        if flow.connection or not flow.reliable:
            return binding
        try:
            return msgspec.structs.replace(binding, flow=self._flow_to(flow.transport, flow.remote))
        except TransportError:
            return None

    def _find(self, binding: Binding) -> Binding | None:
        known = self._by_number.get(binding.number, [])
        return next((other for other in known if other.is_same(binding)), None)

    def _put(self, binding: Binding) -> None:
        known = self._find(binding)
        if known is None:
            self._by_number.setdefault(binding.number, []).append(binding)
            change: Change | None = Change.ADDED
        else:
            binding = msgspec.structs.replace(binding, registered_at=known.registered_at)
            bindings = self._by_number[binding.number]
            bindings[bindings.index(known)] = binding
            moved = _way(known) != _way(binding)
            change = Change.MOVED if moved else None
        self._watch(binding.number)
        if change is not None:
            self._tell(binding, change)

    def _drop(self, binding: Binding | None) -> None:
        if binding is None:
            return
        bindings = self._by_number[binding.number]
        bindings.remove(binding)
        if not bindings:
            del self._by_number[binding.number]
        self._watch(binding.number)
        self._tell(binding, Change.GONE)

    def _watch(self, number: str) -> None:
        """See that the extension's timer fires no later than its first binding lapses.

        One that is due earlier stays as it is, so that a refresh costs nothing here: it looks when it fires.
        """
        bindings = self._by_number.get(number)
        timer = self._lapses.get(number)
        first = min([binding.expires_at for binding in bindings]) if bindings else None
        if timer is not None:
            if first is not None and timer.due <= first:
                return
            timer.cancel()
            del self._lapses[number]
        if first is not None:
            delay = first - self._timers.now()
            self._lapses[number] = self._timers.after(delay, partial(self._lapse, number))

    def _lapse(self, number: str) -> None:
        del self._lapses[number]
        now = self._timers.now()
        for binding in [each for each in self._by_number[number] if each.expires_at <= now]:
            self._drop(binding)
        if number in self._by_number:
            self._watch(number)

    def _tell(self, binding: Binding, change: Change) -> None:
        for listener in self._listeners:
            listener(binding, change)


def _way_around(binding: Binding) -> Flow | None:
    """Where to open a connection to the proxy before a phone; None when there is none, or only its name is known."""
    if not binding.path:
        return None
    old = binding.flow
    try:
        hop = NameAddr.parse_many(binding.path, "Path")[0].uri
        target = locate_address(hop, Abilities((old.transport,), ()))
    except (PeerError, TransportError):
        return None
    return None if target is None else Flow(old.transport, old.local, target.address)


def _way(binding: Binding) -> tuple[object, ...]:
    return binding.contact, binding.flow, binding.q, binding.path


def _to_row(binding: Binding) -> tuple[Any, ...]:
    return (
        binding.number,
        f"<{binding.contact}>{binding.params}",
        binding.q,
        binding.flow.transport,
        *binding.flow.local,
        *binding.flow.remote,
        binding.granted,
        binding.user_agent,
        binding.call_id,
        binding.cseq,
        binding.registered_at,
        binding.path,
    )


def _from_row(row: tuple[Any, ...], now: float) -> Binding:
    number, contact, q, transport, local, local_port, remote, remote_port, granted, *rest = row
    user_agent, call_id, cseq, registered_at, path = rest
    address = NameAddr.parse(contact, "Contact")
    return Binding(
        number=number,
        contact=address.uri,
        flow=Flow(transport, (local, local_port), (remote, remote_port)),
        q=q,
        expires_at=now + granted,
        granted=granted,
        user_agent=user_agent,
        call_id=call_id,
        cseq=cseq,
        registered_at=registered_at,
        refreshed_at=now,
        params=address.params,
        path=path,
    )
