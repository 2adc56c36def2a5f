"""Results as a person reads them on a terminal: aligned columns, Chinese characters two columns wide."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["as_text", "width"]

MAX_CELL = 40
"Columns of the terminal, where a cell need not say everything."
FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+(?=Z)")
"The part of a second in a moment such as 2026-05-04T08:30:00.123Z."


def as_text(result: Any, columns: Sequence[str] = ()) -> str:
    """A JSON value as lines of text; empty when there is nothing to say.

    With `columns` a table has these alone, and each of its cells has room for 40 characters.
    """
    if isinstance(result, list):
        return _table(result, columns)
    if isinstance(result, dict):
        if result == {"done": True}:
            return ""
        longest = max(map(len, result), default=0)
        return "".join(f"{name:{longest}}  {_cell(value)}\n" for name, value in result.items())
    return f"{_cell(result)}\n"


def width(text: str) -> int:
    """How many columns the text takes on a terminal (Unicode Standard Annex #11)."""
    return sum(_columns(each) for each in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _table(rows: list[Any], columns: Sequence[str]) -> str:
    if not all(isinstance(row, dict) for row in rows):
        return "".join(f"{_cell(row)}\n" for row in rows)
    if not rows:
        return ""
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    cell = _brief if columns else _cell
    cells = [names, *([cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "".join(_line(row, widths) for row in cells)


def _line(row: list[str], widths: list[int]) -> str:
    padded = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"


def _brief(value: Any) -> str:
    """A cell where all of it is to be had elsewhere."""
    text = FRACTION.sub("", _cell(value))
    if width(text) <= MAX_CELL:
        return text
    while width(text) >= MAX_CELL:
        text = text[:-1]
    return text + "…"


def _cell(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        # As one may type it in `enabled=...`.
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(each) for each in value)
    if isinstance(value, dict):
        # A number says nothing without its name.
        return " ".join(
            f"{_cell(name)}={each}" if type(each) is int else _cell(each) for name, each in value.items()
        )
    # A User-Agent is what a stranger sent: its control characters must not drive this terminal.
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_control(each) else each for each in str(value))


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
