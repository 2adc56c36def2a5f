"""What both ends of a subscription share: how long it may last, its timers, and several in one dialog.

RFC 6665 §4; RFC 3515 §2.4.6 (several REFERs in one dialog).

`notifier` and `subscriber` are the two machines. Inputs are methods; each returns the effects to run, in
order. A timer goes out as `StartTimer` and comes back through `fired`. `now` is in seconds on a clock that
only goes forward, `random` a number from 0 up to, not including, 1.
"""

from __future__ import annotations

__all__ = [
    "Ended",
    "Lifetime",
    "StartTimer",
    "StopTimer",
    "SubscriptionTimer",
    "Usages",
    "dialog_of_notify",
]

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog.dialog import Dialog

if TYPE_CHECKING:
    from appliance.sip.message import Event, Request

# §4.2.1.1: only an interval shorter than this may be called too brief.
_AN_HOUR = 3600


class SubscriptionTimer(Enum):
    """At most one of each runs for a subscription; starting one anew replaces it."""

    EXPIRY = "expiry"
    "The subscription has not been refreshed."
    RETRY = "retry"
    "The notifier sends the NOTIFY again that was refused for a while."
    PACE = "pace"
    "The notifier tells what has changed, which it could not so soon after the NOTIFY before."
    N = "n"
    "§4.1.2.4: the subscriber has got no NOTIFY after its SUBSCRIBE."
    REFRESH = "refresh"
    "The subscriber sends its next SUBSCRIBE."
    AGAIN = "again"
    "The subscriber begins a new subscription in place of one that is over."


@dataclass(frozen=True, slots=True)
class StartTimer:
    timer: SubscriptionTimer
    delay: float
    "Seconds from now."


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Harmless when it does not run."""

    timer: SubscriptionTimer


@dataclass(frozen=True, slots=True)
class Ended:
    """Forget the subscription; its timers are stopped."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long subscriptions to a package last, in seconds."""

    least: int = 60
    "Shorter ones are refused: a refresh costs four messages."
    usual: int = _AN_HOUR
    "For a SUBSCRIBE without Expires (§4.1.2.1: each package names its own)."
    most: int = _AN_HOUR
    "Longer ones are shortened: so long is a phone that was taken away still sent NOTIFYs, unless they fail."

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.usual <= self.most or self.least > _AN_HOUR:
            raise LocalError("a lifetime that can never be granted")

    def grant(self, wanted: int | None) -> int:
        """The seconds granted to one who wants so many; PeerError 423 with Min-Expires when too few (§4.2.1.1)."""
        if wanted is None:
            return self.usual
        if 0 < wanted < self.least:
            raise PeerError(423, "Interval Too Brief", (("Min-Expires", str(self.least)),))
        return min(wanted, self.most)


U = TypeVar("U")


class Usages(Generic[U]):
    """The subscriptions of one side of one dialog, oldest first."""

    # A phone that transfers has one or two; each costs the peer's memory and ours.
    MOST = 16

    __slots__ = ("_usages",)

    def __init__(self) -> None:
        self._usages: dict[tuple[str, str | None], U] = {}

    def __len__(self) -> int:
        return len(self._usages)

    def add(self, event: Event, usage: U) -> None:
        """Begin one. PeerError 500 when there are too many, or one of that name."""
        if len(self._usages) >= self.MOST or event.key in self._usages:
            raise PeerError(500, "Too Many Subscriptions", (("Retry-After", "10"),))
        self._usages[event.key] = usage

    def find(self, event: Event) -> U:
        """The one that a SUBSCRIBE or NOTIFY in the dialog is for. PeerError 481 without one (§4.1.3, §4.2.1)."""
        usage = self._usages.get(event.key)
        if usage is None and event.package == "refer" and event.id is None:
            # RFC 3515 §2.4.6: only for the second REFER and later ones MUST the id be there.
            usage = next((known for (package, _), known in self._usages.items() if package == "refer"), None)
        if usage is None:
            raise PeerError(481, "Subscription Does Not Exist")
        return usage

    def get(self, event: Event | None) -> U | None:
        """The one of that very name; None without one."""
        return None if event is None else self._usages.get(event.key)

    def remove(self, event: Event) -> None:
        """It is over. Harmless when it is not known."""
        self._usages.pop(event.key, None)

    def all(self) -> list[U]:
        """All of them, oldest first."""
        return list(self._usages.values())


def dialog_of_notify(subscribe: Request, notify: Request) -> Dialog:
    """The dialog that a SUBSCRIBE's first NOTIFY makes (§4.4.1), also before the 2xx. PeerError 400 without a Contact."""
    local = (notify.headers.get("To") or "", notify.to.tag or "")
    remote = (notify.headers.get("From") or "", notify.from_.tag or "")
    dialog = Dialog(notify.call_id, local, remote, subscribe.headers.get("Contact") or "")
    if not notify.contacts:
        raise PeerError(400, "Missing Contact")
    dialog.target = str(notify.contacts[0].uri)
    # The NOTIFY came to us, so its Record-Route is in our order (RFC 3261 §12.1.1).
    dialog.routes = tuple(notify.record_routes)
    dialog.local_seq = subscribe.cseq.number
    dialog.remote_seq = notify.cseq.number
    dialog.confirm()
    return dialog
