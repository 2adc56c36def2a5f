"""Passwords at the door: slow hashing off the event loop, and ever longer waits for whoever guesses."""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from appliance.errors import ConfigError
from appliance.store.administrators import hash_password, verify_password

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Login"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Typing errors are free; then 2 s, 4 s ... up to five minutes.
FREE_TRIES = 5
LONGEST_WAIT_S = 300.0
FORGOTTEN_AFTER_S = 900.0
# 1,000 sources that guess at once are an attack, and it is served in its order.
MAX_SOURCES = 1000
# Each takes a tenth of a second to a second of one core and 32 MiB.
MAX_HASHING = 8
# Whoever types more than this types no password, and Argon2 would have to read it.
MAX_PASSWORD_CHARACTERS = 256
MIN_PASSWORD_CHARACTERS = 8


class Login:
    """Checks and makes administrators' passwords. A source is an actor's name, such as `web:192.0.2.7`."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}
        self._hashing = 0
        self._one_core = anyio.CapacityLimiter(1)
        self._decoy: str | None = None

    async def make(self, path: str, password: str) -> str:
        """The hash to store for a new password. Raises ConfigError for one too short or too long."""
        if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
            raise ConfigError(
                path, "error.password_length", low=MIN_PASSWORD_CHARACTERS, high=MAX_PASSWORD_CHARACTERS
            )
        return await self._hash(partial(hash_password, _encodable(path, password)))

    async def check(self, source: str, password: str, stored: Callable[[], Awaitable[str | None]]) -> None:
        """Raise ConfigError unless `password` belongs to the stored hash.

        Nobody learns from the time it takes whether there is a hash: without one, a decoy is checked.
        """
        now = anyio.current_time()
        failures, last = self._failures.get(source, (0, now))
        if now - last > FORGOTTEN_AFTER_S:
            failures = 0
        if failures >= FREE_TRIES:
            due = last + min(LONGEST_WAIT_S, 2.0 ** (failures - FREE_TRIES + 1))
            if now < due:
                raise ConfigError("admin", "error.too_many_tries", seconds=math.ceil(due - now))
        # Counted before the answer is known, so that guesses sent all at once count too.
        self._note(source, failures + 1, now)
        if not await self._matches(password, await stored()):
            logger.warning("%s: wrong password, try %d", source, failures + 1)
            raise ConfigError("admin.password", "error.wrong_password")
        self._failures.pop(source, None)

    async def _matches(self, password: str, hashed: str | None) -> bool:
        if self._decoy is None:
            self._decoy = await self._hash(partial(hash_password, "nobody's password"))
        if len(password) > MAX_PASSWORD_CHARACTERS:
            password, hashed = "", None
        right = await self._hash(partial(verify_password, _plain(password), hashed or self._decoy))
        return right and hashed is not None

    async def _hash(self, work: Callable[[], T]) -> T:
        if self._hashing >= MAX_HASHING:
            raise ConfigError("admin", "error.busy")
        self._hashing += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._one_core)
        finally:
            self._hashing -= 1

    def _note(self, source: str, failures: int, now: float) -> None:
        self._failures.pop(source, None)
        self._failures[source] = (failures, now)
        if len(self._failures) > MAX_SOURCES:
            del self._failures[next(iter(self._failures))]


def _encodable(path: str, password: str) -> str:
    try:
        password.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(path, "error.control_character") from error
    return password


def _plain(password: str) -> str:
    """What could not have been set (half a surrogate pair) becomes something that does not match either."""
    return password.encode(errors="replace").decode()
