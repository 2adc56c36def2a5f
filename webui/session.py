"""Who is logged in: sessions kept on this side, known to the browser by a random id.

Cookies: RFC 6265bis §4.1.3.2 (`__Host-`). Before log-in a browser has an id too, but no session: its id serves the
CSRF token of the log-in form only and is replaced at log-in, so nobody can fix a session in advance.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.locale import Language

__all__ = ["COOKIE", "Generated", "Notice", "Session", "Sessions", "new_id", "set_cookie"]

COOKIE = "__Host-branchbox"
"The prefix makes browsers insist on Secure, Path=/ and no Domain."


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence to show once, on the next page: 'The extension was saved.'"""

    key: str
    params: dict[str, object] = field(default_factory=dict)
    good: bool = True


@dataclass(frozen=True, slots=True)
class Generated:
    """The extensions just made at once, with the passwords that are shown only now."""

    rows: tuple[tuple[str, str, str], ...]
    "Number, name, password."


@dataclass(slots=True)
class Session:
    """One log-in in one browser."""

    id: str
    language: Language
    source: str
    "The address the log-in came from."
    made_at: float
    used_at: float
    notice: Notice | None = None
    generated: Generated | None = None

    def take_notice(self) -> Notice | None:
        notice, self.notice = self.notice, None
        return notice


class Sessions:
    """All sessions. Safe to use from any thread."""

    IDLE_S = 30 * 60.0
    "Logged out after this long without a page; live updates of an open page do not count."
    LONGEST_S = 12 * 3600.0
    "Logged out after this long in any case: a working day."
    MOST = 64
    "A small office has a few administrators; beyond this the one idle longest is logged out."

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._sessions: dict[str, Session] = {}
        self._secret = secrets.token_bytes(32)

    def __len__(self) -> int:
        return len(self._sessions)

    def start(self, language: Language, source: str) -> Session:
        """A new session under a new id."""
        now = self._now()
        session = Session(new_id(), language, source, now, now)
        with self._lock:
            self._sweep(now)
            while len(self._sessions) >= self.MOST:
                del self._sessions[min(self._sessions.values(), key=lambda each: each.used_at).id]
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str, *, touch: bool) -> Session | None:
        """The live session of that id; `touch` starts its idle time afresh."""
        now = self._now()
        with self._lock:
            self._sweep(now)
            session = self._sessions.get(session_id)
            if session is not None and touch:
                session.used_at = now
            return session

    def end(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def end_others(self, kept_id: str) -> None:
        """Log everybody else out: after a change of password."""
        with self._lock:
            self._sessions = {each: session for each, session in self._sessions.items() if each == kept_id}

    def csrf_token(self, browser_id: str) -> str:
        """The token that belongs to a browser's id, logged in or not. Only this process can make it."""
        return hmac.new(self._secret, browser_id.encode(), hashlib.sha256).hexdigest()

    def csrf_token_is_right(self, browser_id: str, token: str) -> bool:
        return hmac.compare_digest(self.csrf_token(browser_id).encode(), token.encode())

    def _sweep(self, now: float) -> None:
        for session in list(self._sessions.values()):
            if now - session.used_at > self.IDLE_S or now - session.made_at > self.LONGEST_S:
                del self._sessions[session.id]


def new_id() -> str:
    """256 random bits: not to be guessed."""
    return secrets.token_urlsafe(32)


def set_cookie(browser_id: str) -> tuple[str, str]:
    """The header that gives a browser its id, until the browser is closed."""
    return "Set-Cookie", f"{COOKIE}={browser_id}; Path=/; Secure; HttpOnly; SameSite=Strict"
