"""Choosing a time zone on a terminal of 24 lines: by region and town from lists, or by typing a name. Pure."""

from __future__ import annotations

import zoneinfo
from functools import cache

from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, say

__all__ = ["ask_time_zone", "find_time_zones"]

REGIONS = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip
"The regions of the IANA database; its other top-level names are old aliases."
COLUMN = 26
COLUMNS = 3
PAGE_LINES = 18


@cache
def _zones() -> tuple[str, ...]:
    named = (each for each in zoneinfo.available_timezones() if each.partition("/")[0] in REGIONS)
    return ("UTC", *sorted(named))


def find_time_zones(text: str) -> list[str]:
    """The zones that a person may mean by `text`: a whole name, a town, or the beginning of one."""
    wanted = text.strip().lower().replace(" ", "_")
    if not wanted:
        return []
    exact = [each for each in _zones() if wanted in (each.lower(), each.lower().rpartition("/")[2])]
    return exact or [
        each for each in _zones() if any(part.startswith(wanted) for part in each.lower().split("/"))
    ]


def ask_time_zone(words: Words, default: str) -> Talk[str]:
    """A name of the IANA database."""
    while True:
        yield from say(words("time_zone.about"))
        yield from say(_columns([f"{number:>3}  {region}" for number, region in enumerate(REGIONS, 1)]))
        answer = yield from ask_until(words, words("time_zone.ask"), _meant, default)
        if len(answer) == 1:
            return answer[0]
        chosen = yield from _choose(words, answer)
        if chosen is not None:
            return chosen


def _meant(answer: str) -> list[str]:
    if answer.isdecimal() and answer.isascii() and len(answer) == 1 and 1 <= int(answer) <= len(REGIONS):
        region = REGIONS[int(answer) - 1]
        return [each for each in _zones() if each.startswith(f"{region}/")]
    found = find_time_zones(answer)
    if not found:
        raise InvalidError("serial.invalid.time_zone")
    return found


def _choose(words: Words, zones: list[str]) -> Talk[str | None]:
    """One of many, page by page; None to begin again."""
    page = COLUMNS * PAGE_LINES
    for start in range(0, len(zones), page):
        shown = [f"{number:>3}  {zone.partition('/')[2] or zone}" for number, zone in enumerate(zones, 1)]
        yield from say(_columns(shown[start : start + page]))
        while answer := (yield from ask(words("time_zone.number") + ": ")):
            if answer.isdecimal() and answer.isascii() and len(answer) < 5 and 1 <= int(answer) <= len(zones):
                return zones[int(answer) - 1]
            found = [each for each in find_time_zones(answer) if each in zones]
            if len(found) == 1:
                return found[0]
            yield from say(words.refusal(InvalidError("serial.invalid.time_zone")))
    return None


def _columns(entries: list[str]) -> str:
    lines = -(-len(entries) // COLUMNS)
    rows = [entries[row::lines] for row in range(lines)]
    return "\n".join("".join(f"{entry:<{COLUMN}}" for entry in row).rstrip() for row in rows)
