"""DNS records that were asked for, kept as long as their TTLs allow, and no longer.

RFC 1035 §3.2.1 (TTL); RFC 2308 §5 (what does not exist).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_ANSWERS", "MAX_TTL", "Question", "RecordCache", "Records"]

MAX_ANSWERS = 2048
"Answers kept, some 500 octets each: a trunk has about ten, and names in Contacts are strangers' to choose."

MAX_TTL = 86_400
"Seconds. Longer TTLs are mostly mistakes, and outlive the provider's move (RFC 8767 §4 has a week)."

Records = tuple[tuple[object, ...], ...]
"The values of each record in the order of its format; none when there is no record."


class Question(NamedTuple):
    """What is asked of a name server."""

    name: str
    "In lower case."
    kind: str
    "`A`, `AAAA`, `SRV` or `NAPTR`."


class RecordCache:
    """A bounded memory."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives seconds on a clock that only goes forward."""
        self._now = now
        self._kept: dict[Question, tuple[float, Records]] = {}

    def get(self, question: Question) -> Records | None:
        """The answer, also when it is that there are no records; None when it must be asked for."""
        expires, records = self._kept.get(question, (0.0, ()))
        if expires > self._now():
            return records
        self._kept.pop(question, None)
        return None

    def put(self, question: Question, records: Records, ttl: float) -> None:
        """Keep an answer for `ttl` seconds."""
        self._kept.pop(question, None)
        if ttl <= 0:
            return
        if len(self._kept) >= MAX_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[question] = self._now() + min(ttl, MAX_TTL), records

    def __len__(self) -> int:
        return len(self._kept)
