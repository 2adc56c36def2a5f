"""What the areas work on: every part of the exchange that control may touch, given by `main`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from appliance.backup.backups import Backups
from appliance.backup.scheduler import Scheduler
from appliance.control.feed import Feed
from appliance.control.login import Login
from appliance.control.setup_code import SetupCode
from appliance.diagnosis.dns_checks import DnsChecks
from appliance.features import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import msgspec

    from appliance.call.decision import Decision
    from appliance.call.refusals import Refused
    from appliance.config.config import Config
    from appliance.diagnosis.trace import TracedMessage
    from appliance.features.feature import Feature
    from appliance.lines.feature import Feature as CallFeature
    from appliance.media.prompts import Prompts
    from appliance.media.sounds import Sounds
    from appliance.store.store import Store
    from appliance.system.probation import Probation

__all__ = [
    "Box",
    "Call",
    "Contact",
    "Directory",
    "Exchange",
    "NothingOutside",
    "Outside",
    "Parts",
    "moment",
    "readable",
]


class Contact(Protocol):
    """One registered contact: `appliance/directory`'s Binding."""

    @property
    def number(self) -> str: ...
    @property
    def contact(self) -> Any: ...
    @property
    def flow(self) -> Any: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def expires_at(self) -> float: ...
    @property
    def registered_at(self) -> float: ...


class Directory(Protocol):
    """Who is registered where: `appliance/directory`'s Bindings."""

    def lookup(self, number: str) -> Sequence[Contact]:
        """The contacts of an extension."""

    def all(self) -> Sequence[Contact]:
        """All contacts, by extension."""

    def __len__(self) -> int:
        """How many contacts there are."""


class Call(Protocol):
    """A call that is going on: `appliance/call`'s CallInfo."""

    @property
    def id(self) -> str: ...
    @property
    def from_number(self) -> str: ...
    @property
    def from_name(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def started_at(self) -> float: ...
    @property
    def answered_at(self) -> float | None: ...
    @property
    def legs(self) -> Sequence[Any]:
        """`side`, `number`, `address` and `transport` of each."""

    @property
    def emergency(self) -> bool: ...


class Exchange(Protocol):
    """The calls: `appliance/call`'s Exchange."""

    def calls(self) -> Sequence[Call]:
        """The calls that are going on, as `Call`."""

    def hang_up(self, call_id: str) -> Any:
        """End a call."""

    def dial(self, number: str, to_number: str) -> str:
        """Ring an extension and call somebody for it; gives the call's id. RefusedError when it cannot be rung."""

    @property
    def router(self) -> Router: ...

    @property
    def refusals(self) -> Refusals: ...

    def __len__(self) -> int:
        """How many there are."""

    def busy_state(self, number: str) -> str:
        """`idle`, `ringing` or `busy`."""


class Box(Protocol):
    """What only the running process knows about itself."""

    def addresses(self) -> Sequence[str]:
        """The addresses at which phones reach the exchange."""

    def console_url(self) -> str:
        """What to type into a browser."""


class Outside(Protocol):
    """The lines and trunks as they are now: `appliance/service`'s."""

    def line_state(self, name: str) -> Mapping[str, Any]:
        """What a line is doing: `state`, `reason`, `since` and more, as plain values; and `learned`, as `lines.Lesson`."""

    def trunk_state(self, name: str) -> Mapping[str, Any]:
        """What a trunk is doing, as plain values."""

    async def forget(self, way: str, feature: CallFeature | None) -> None:
        """Try a feature, or (None) every one, again by a line or trunk. Raises StoreError."""

    async def pin(self, way: str, feature: CallFeature, on: bool | None) -> None:
        """Calls by it have the feature, or do without, until that is forgotten; None: as was learned. Raises StoreError."""

    async def reload(self) -> None:
        """Take over a database that was replaced as a whole. Raises StoreError."""


class Router(Protocol):
    """Where calls go: `appliance/call`'s."""

    def decide(self, number: str, caller: Any, at: datetime) -> Decision:
        """Where a call would go, and why."""


class Refusals(Protocol):
    """The calls that were not let in: `appliance/call`'s."""

    def all(self) -> list[Refused]:
        """How many, of whom, and why."""


class NothingOutside:
    """An exchange without lines."""

    def line_state(self, _: str) -> Mapping[str, Any]:
        return {}

    def trunk_state(self, _: str) -> Mapping[str, Any]:
        return {}

    async def forget(self, way: str, feature: CallFeature | None) -> None:
        """There is nothing to forget."""

    async def pin(self, way: str, feature: CallFeature, on: bool | None) -> None:
        """Nor to pin."""

    async def reload(self) -> None:
        """Nor to take over."""


def _no_trace(_: str) -> Iterable[TracedMessage]:
    return ()


@dataclass(slots=True)
class Parts:
    """Everything an area may need."""

    store: Store
    config: Config
    directory: Directory
    exchange: Exchange
    box: Box
    trace: Callable[[str], Iterable[TracedMessage]] = _no_trace
    "The messages of a call by its id (live or recorded), oldest first; nothing when none are kept."
    outside: Outside = field(default_factory=NothingOutside)
    sounds: Sounds = field(kw_only=True)
    prompts: Prompts = field(kw_only=True)
    figures: Callable[[], Mapping[str, int]] = dict
    "What else there is to count, by name, for `status`."
    dns_checks: DnsChecks = field(default_factory=DnsChecks)
    feed: Feed = field(default_factory=Feed)
    login: Login = field(default_factory=Login)
    setup_code: SetupCode = field(default_factory=SetupCode)
    probation: Probation | None = None
    "Where changes of the network are tried out; None where nobody would carry them out."
    features: tuple[type[Feature], ...] = FEATURES
    "The services; `config` was opened with their settings."
    snapshots: Mapping[str, Callable[[], Sequence[msgspec.Struct]]] = field(default_factory=dict)
    "The live tables of services, by name: what each gives now, as `Feature.row`."
    now: Callable[[], float] = anyio.current_time
    "The clock of the directory's `expires_at`: `Timers.now`."
    backups: Backups = field(init=False)
    schedule: Scheduler = field(init=False)
    "Of the backups."
    started_at: float = field(init=False)
    "By that clock: a board without a battery learns the date only after it has started."

    def __post_init__(self) -> None:
        self.started_at = self.now()
        self.backups = Backups(self.store, self.config, self._replaced)
        self.schedule = Scheduler(self.backups, self.store, self.config)

    async def _replaced(self) -> None:
        # Looked up when it comes to that: what is outside is tied to this later.
        await self.outside.reload()
        if self.probation is not None:
            self.probation.end()  # what was tried out belonged to other settings

    def state(self, number: str) -> str:
        """What an extension is doing: `offline`, `idle`, `ringing` or `busy`."""
        busy = str(self.exchange.busy_state(number))
        if busy == "idle" and not self.directory.lookup(number):
            return "offline"
        return busy


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a moment in UTC, to the millisecond."""
    return None if seconds is None else datetime.fromtimestamp(round(seconds, 3), UTC)


def readable(text: str) -> str:
    """What a peer sent, its octets that are no UTF-8 replaced: as text it must be storable and sendable."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
