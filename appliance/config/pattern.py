"""A pattern of numbers: `110`, `010.`, `1[3-9]XXXXXXXXX`.

A pattern stands for the whole number; a prefix is written with `.` or `!` at its end.

| sign     | stands for                          |
|----------|-------------------------------------|
| 0-9 + * #| itself                              |
| X        | any digit                           |
| Z        | 1 to 9                              |
| N        | 2 to 9                              |
| [1-5*]   | one of these                        |
| .        | one or more of anything, at the end |
| !        | any more or nothing, at the end     |
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

import msgspec

__all__ = ["DIALABLE", "MAX_NUMBER", "Pattern", "is_dialable"]

DIALABLE = "0123456789+*#"
"What a number outside may consist of."
MAX_NUMBER = 64
"Characters. Longer than any number (E.164 ends at 15 digits), with codes before and after it."

_CLASSES = {"X": "0123456789", "Z": "123456789", "N": "23456789"}
# Read sign by sign from the left: nothing in it can match in two ways, so that time is linear in the length.
_SIGN = re.compile(r"\[([0-9*#+-]+)\]|([0-9+*#])|([XZN])")
_RANGE = re.compile(r"([0-9])-([0-9])|([0-9*#+])")
# How many characters an end stands for, as a rank after any fixed sign: the wider, the later.
_END_WIDTHS = {"": (), ".": (100,), "!": (101,)}


class Pattern(msgspec.Struct, frozen=True, dict=True):
    """What numbers a route is for."""

    positions: tuple[str, ...]
    "The characters that may stand in each place."
    end: Literal["", ".", "!"] = ""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Small letters are taken for large ones. ValueError for what is no pattern, or none of 1 to 64 characters."""
        if not 1 <= len(text) <= MAX_NUMBER:
            msg = "a pattern has 1 to 64 characters"
            raise ValueError(msg)
        body = text.upper()
        end: Literal["", ".", "!"] = "." if body[-1] == "." else "!" if body[-1] == "!" else ""
        return cls(_positions(body.removesuffix(end)), end)

    def matches(self, number: str) -> bool:
        """Whether the whole number is one of these."""
        if not self._fits(len(number)):
            return False
        for each, allowed in zip(number, self.positions, strict=False):  # noqa: SIM110  # `all` takes twice as long
            if each not in allowed:
                return False
        return True

    def _fits(self, length: int) -> bool:
        match self.end:
            case "":
                return length == len(self.positions)
            case ".":
                return length > len(self.positions)
            case "!":
                return length >= len(self.positions)

    @property
    def shortest(self) -> int:
        """How many characters the shortest of these numbers has."""
        return max(1, len(self.positions) + (self.end == "."))

    @cached_property
    def literal(self) -> str:
        """The characters that all of these numbers begin with."""
        fixed = ""
        for allowed in self.positions:
            if len(allowed) > 1:
                break
            fixed += allowed
        return fixed

    @cached_property
    def rank(self) -> tuple[int, ...]:
        """Of two patterns that match a number, the one with the smaller rank says more about it.

        How many characters may stand in each place, from the left: so the longest literal prefix comes first.
        """
        return tuple(len(each) for each in self.positions) + _END_WIDTHS[self.end]


def is_dialable(number: str) -> bool:
    """Whether this is 1 to 64 characters that can be dialled."""
    return 1 <= len(number) <= MAX_NUMBER and all(each in DIALABLE for each in number)


def _positions(body: str) -> tuple[str, ...]:
    found = []
    at = 0
    while at < len(body):
        sign = _SIGN.match(body, at)
        if sign is None:
            msg = f"{body[at]!r} stands for no number"
            raise ValueError(msg)
        several, one, name = sign.groups()
        found.append(_members(several) if several else one or _CLASSES[name])
        at = sign.end()
    return tuple(found)


def _members(several: str) -> str:
    """The characters that `[...]` names, each once, in order."""
    named = ""
    at = 0
    while at < len(several):
        part = _RANGE.match(several, at)
        if part is None:
            msg = f"[{several}] is no set"
            raise ValueError(msg)
        low, high, one = part.groups()
        named += one or _span(low, high)
        at = part.end()
    return "".join(sorted(set(named)))


def _span(low: str, high: str) -> str:
    if low > high:
        msg = f"{low}-{high} runs backwards"
        raise ValueError(msg)
    return "".join(str(each) for each in range(int(low), int(high) + 1))
