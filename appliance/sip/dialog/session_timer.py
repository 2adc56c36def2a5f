"""The session timer of one dialog: who refreshes the session, when, and when it is held for dead.

RFC 4028 §4 (the headers), §7 (client), §9 (server), §10 (refreshes and the end).

We offer to refresh ourselves, and do so for a peer that has never heard of session timers too: only a phone
that still answers keeps its call. The machine reads and makes headers; the time is its user's.
"""

from __future__ import annotations

__all__ = ["DEFAULT_INTERVAL", "MIN_INTERVAL", "Expire", "Refresh", "SessionTimer", "TimerPolicy"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.sip.message.grammar import parse_number
from appliance.sip.message.limits import MAX_DELTA_SECONDS

if TYPE_CHECKING:
    from appliance.sip.message import Message, Request, Response

DEFAULT_INTERVAL = 1800
"Seconds. §4: what an agent without an opinion of its own SHOULD ask for."
MIN_INTERVAL = 90
"Seconds. §4: no Min-SE MUST be lower, and a message without one means this."
MAX_RAISES = 2
"How often we take a longer interval in one dialog: once for each of two proxies; then somebody plays with us."
TRIES = 4
"How often a refresh is begun before the session is held for dead; one may meet another request (491)."

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TimerPolicy:
    """What we ask of our peers."""

    interval: int = DEFAULT_INTERVAL
    "Seconds a session lives without a refresh, from `least` up."
    least: int = MIN_INTERVAL
    "The shortest interval that we accept, in seconds, from 90 up."

    def check(self, request: Request) -> None:
        """PeerError 422 for a session so short that refreshing it would be a burden (§9)."""
        if "Session-Expires" not in request.headers:
            return
        wanted = _expires_of(request)
        # §9: 422 means nothing to a client that does not know session timers: a proxy has set the interval.
        if wanted is not None and wanted[0] < self.least and _knows(request):
            raise PeerError(422, "Session Interval Too Small", (("Min-SE", str(self.least)),))


@dataclass(frozen=True, slots=True)
class Refresh:
    """Refresh the session, unless something that does so is under way; call `fired` after `wait` seconds."""

    wait: float


@dataclass(frozen=True, slots=True)
class Expire:
    """The session is dead: end it with a BYE."""


class SessionTimer:
    """One dialog's timer. `start` says when `fired` is to be called; each success of a refresh starts it anew."""

    __slots__ = ("_least", "_policy", "_raises", "_tries", "interval", "refreshing")

    def __init__(self, policy: TimerPolicy) -> None:
        self._policy = policy
        self._least = policy.least  # the highest Min-SE heard of
        self._tries = self._raises = 0
        self.interval = policy.interval
        "Seconds without a refresh after which the session is dead."
        self.refreshing = True
        "Whether the refreshes are ours to send."

    # --- requests of ours: INVITE and UPDATE

    def initial_fields(self) -> Fields:
        """What our first INVITE carries."""
        return self._fields("uac")

    def request_fields(self) -> Fields:
        """What a re-INVITE or UPDATE of ours carries: §7.4, who refreshes stays as it is."""
        return self._fields("uac" if self.refreshing else "uas")

    def _fields(self, refresher: str) -> Fields:
        expires = ("Session-Expires", f"{self.interval};refresher={refresher}")
        # §7.1: Min-SE MUST be there once a 422 or the peer has named one.
        return (expires,) if self._least <= MIN_INTERVAL else (expires, ("Min-SE", str(self._least)))

    def receive_success(self, response: Response) -> None:
        """The 2xx to such a request."""
        expires = _expires_of(response) if "Session-Expires" in response.headers else None
        if expires is None:
            # §7.2: the peer knows no timers. We refresh for the two of us.
            self.refreshing = True
            return
        # §9: no server may set less than Min-SE; one that does is not believed.
        self.interval = max(expires[0], MIN_INTERVAL)
        self.refreshing = expires[1] != "uas"

    def receive_too_small(self, response: Response) -> bool:
        """A 422: whether the same request makes sense again, with the longer interval it asks for (§7.3)."""
        least = _least_of(response)
        if least <= self.interval or self._raises == MAX_RAISES:
            return False
        self._raises += 1
        self._least = self.interval = least
        return True

    # --- requests of the peer

    def receive_request(self, request: Request) -> Fields:
        """What our 2xx to an INVITE or UPDATE says of the timer. What it asks for has passed `TimerPolicy.check`."""
        if not _knows(request):
            # §9: then only we can refresh. We do so without a word about it: it would not be understood.
            self.refreshing = True
            return ()
        wanted = _expires_of(request) if "Session-Expires" in request.headers else None
        least = max(self._policy.least, _least_of(request))
        longest = max(self._policy.interval, least)
        self._least = max(self._least, least)
        if wanted is None:
            self.interval, self.refreshing = longest, True
        else:
            # §9: a server may lower what was asked for, but not below Min-SE.
            self.interval = min(max(wanted[0], least), longest)
            # §9, table 2: the client's choice stands; where it has none, the refreshes are ours.
            self.refreshing = wanted[1] != "uac"
        if self.refreshing:
            return (("Session-Expires", f"{self.interval};refresher=uas"),)
        # §9: Require MUST say so when the client is to refresh.
        return ("Session-Expires", f"{self.interval};refresher=uac"), ("Require", "timer")

    # --- time

    @property
    def patience(self) -> float:
        """Seconds after which the session is dead: §10, a little before the interval is over."""
        return self.interval - min(32.0, self.interval / 3)

    def start(self) -> float:
        """The session stands, or was refreshed by either side. Seconds until `fired` is to be called."""
        self._tries = TRIES if self.refreshing else 0
        # §7.4: refreshes SHOULD go out once half of the interval is over.
        return self.interval / 2 if self.refreshing else self.patience

    def fired(self) -> Refresh | Expire:
        """The time that `start` or the last `Refresh` named has passed without a refresh."""
        if self._tries == 0:
            return Expire()
        self._tries -= 1
        return Refresh((self.patience - self.interval / 2) / TRIES)


def _knows(request: Request) -> bool:
    return "Supported" in request.headers and "timer" in (tag.lower() for tag in request.tokens("Supported"))


def _expires_of(message: Message) -> tuple[int, str] | None:
    """Session-Expires: seconds and the refresher, as far as they can be read."""
    value, *params = (message.headers.get("Session-Expires") or "").split(";")
    seconds = _seconds(value)
    if seconds is None:
        return None
    for param in params:
        name, _, text = param.partition("=")
        if name.strip(" \t").lower() == "refresher":
            return seconds, text.strip(" \t").lower()
    return seconds, ""


def _least_of(message: Message) -> int:
    value = (message.headers.get("Min-SE") or "").partition(";")[0]
    return max(_seconds(value) or 0, MIN_INTERVAL)


def _seconds(text: str) -> int | None:
    try:
        return parse_number(text.strip(" \t"), MAX_DELTA_SECONDS, "Session-Expires")
    except PeerError:
        return None  # a timer is no reason to lose a call
