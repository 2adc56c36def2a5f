"""Forms: from the text in a form's fields to values for `control`, or to words about what is wrong.

Nothing here knows a page; a page lists its fields. Deeper checks (is the number free?) are control's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from appliance.errors import ConfigError

__all__ = [
    "LONGEST_FIELD",
    "Field",
    "FieldError",
    "Reading",
    "choice",
    "flag",
    "listing",
    "read",
    "refused",
    "secret",
    "several",
    "text",
    "whole",
]

LONGEST_FIELD = 500
"Characters. No line of text asked for is longer, and an error page must not repeat a megabyte."
LONGEST_LIST = 70_000
"Characters: an office's block of a thousand numbers, each with the one it means."
DIVIDERS = re.compile(r"[\r\n,;，；、]")


class FieldError(Exception):
    """A field's text cannot be taken. Carries the locale key of the reason and what fills it in."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, and how its text becomes a value. `parse` raises FieldError."""

    name: str
    parse: Callable[[str], object]
    keep: bool = True
    "Whether a refused form shows what was typed; False for passwords."
    omit_empty: bool = False
    "Leave the value out when nothing was typed, so that `control` keeps or chooses it."
    longest: int = LONGEST_FIELD
    "Characters that are read; what is longer is refused."
    options: tuple[str, ...] = ()
    "What can be ticked: each has a box of its own, named `FIELD.OPTION`."


@dataclass(slots=True)
class Reading:
    """A form as it was read."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, FieldError] = field(default_factory=dict)
    "By field name; an error that belongs to no field is under the empty name."
    typed: dict[str, str] = field(default_factory=dict)
    "What to show again."

    @property
    def good(self) -> bool:
        return not self.errors


def read(fields: Sequence[Field], form: Mapping[str, str]) -> Reading:
    """Read every field; never raises, whatever was sent."""
    reading = Reading()
    for each in fields:
        raw = _ticked(each, form) if each.options else form.get(each.name, "")[: each.longest + 1]
        if each.keep:
            reading.typed[each.name] = raw
        if each.omit_empty and not raw.strip():
            continue
        try:
            reading.values[each.name] = each.parse(raw)
        except FieldError as error:
            reading.errors[each.name] = error
    return reading


def _ticked(of: Field, form: Mapping[str, str]) -> str:
    return "\n".join(each for each in of.options if form.get(f"{of.name}.{each}") == "on")


def refused(reading: Reading, error: ConfigError) -> Reading:
    """Put control's refusal beside the field it is about, or above the form when it is about none."""
    name = error.path.rpartition(".")[2]
    known = reading.values.keys() | reading.typed.keys()
    reading.errors[name if name in known else ""] = FieldError(error.key, **error.params)
    return reading


def text(name: str, *, longest: int = 80, required: bool = False, omit_empty: bool = False) -> Field:
    """One line of text, without blanks at its ends. `longest` is in characters."""

    def parse(raw: str) -> str:
        value = raw.strip()
        if required and not value:
            raise FieldError("console.form.required")
        if len(value) > longest:
            raise FieldError("console.form.too_long", most=longest)
        if not value.isprintable():
            raise FieldError("console.form.unprintable")
        return value

    return Field(name, parse, omit_empty=omit_empty)


def secret(name: str, *, shortest: int = 1, omit_empty: bool = False) -> Field:
    """A password: taken as typed, blanks included, and never shown again."""

    def parse(raw: str) -> str:
        if not raw:
            raise FieldError("console.form.required")
        if len(raw) < shortest:
            raise FieldError("console.form.too_short", least=shortest)
        if len(raw) > LONGEST_FIELD:
            raise FieldError("console.form.too_long", most=LONGEST_FIELD)
        return raw

    return Field(name, parse, keep=False, omit_empty=omit_empty)


def whole(name: str, low: int, high: int, *, omit_empty: bool = False) -> Field:
    """A whole number from `low` to `high`."""

    def parse(raw: str) -> int:
        value = raw.strip()
        # int() would also take '１２', '1_0' and a thousand digits.
        if not value:
            raise FieldError("console.form.required")
        if not (value.isascii() and value.isdigit() and len(value) <= 12):
            raise FieldError("console.form.whole", low=low, high=high)
        if not low <= int(value) <= high:
            raise FieldError("console.form.whole", low=low, high=high)
        return int(value)

    return Field(name, parse, omit_empty=omit_empty)


def choice(name: str, options: Sequence[str]) -> Field:
    """One of a list."""

    def parse(raw: str) -> str:
        if raw not in options:
            raise FieldError("console.form.choice")
        return raw

    return Field(name, parse)


def flag(name: str) -> Field:
    """A tick: a browser sends nothing for an empty one."""
    return Field(name, lambda raw: raw == "on")


def listing(name: str, *, required: bool = False) -> Field:
    """Several texts, one a line or divided by commas. A blank divides none: hours have blanks."""

    def parse(raw: str) -> list[str]:
        if len(raw) > LONGEST_LIST:
            raise FieldError("console.form.too_long", most=LONGEST_LIST)
        values = [each.strip() for each in DIVIDERS.split(raw) if each.strip()]
        if required and not values:
            raise FieldError("console.form.required")
        if not all(each.isprintable() for each in values):
            raise FieldError("console.form.unprintable")
        return values

    return Field(name, parse, longest=LONGEST_LIST)


def several(name: str, options: Sequence[str]) -> Field:
    """Any of these, or none, each with a tick."""
    return Field(name, str.splitlines, options=tuple(options))
