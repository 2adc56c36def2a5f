"""The services on the serial line: which there are, and what can be set of each. Pure.

What there is to set follows from what the exchange tells of each service, as in the web console.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.config.network import NetworkSettings
from appliance.errors import ConfigError
from appliance.serial.area import Area, Setting
from appliance.serial.dialogue import Talk, Words, perform, say
from appliance.serial.items import MOST_SHOWN, change, choose, found_words, look_after, shown, title_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["features", "settings"]

CODES = "codes"
SETTINGS = (
    *("extensions", "lines", "trunks", "routes", "dial-plan"),
    *("system", "backup-schedule", "update-check", "servers"),
)
"What is no service: areas, in the order of the menu."
ELSEWHERE = {"system": frozenset(NetworkSettings.__struct_fields__)}
"What the menu asks for together: an address without its gateway is no step on the way to both."


@dataclass(frozen=True, slots=True)
class Entry:
    """Something of a service that can be changed: an area of settings, or one code."""

    title: str
    talk: Callable[[], Talk[None]]


def features(words: Words) -> Talk[Words]:
    """Choose a service, and something of it, until the person goes back."""
    while True:
        found = yield from perform(words, "features", "list")
        lines = [f"{title_of(words, each['name'])}  {', '.join(each['codes'])}".rstrip() for each in found]
        place = yield from choose(words, lines)
        if place is None:
            return words
        yield from _service(words, found[int(place)]["name"])


def settings(words: Words) -> Talk[Words]:
    """Choose an area that is no service's, until the person goes back."""
    while True:
        place = yield from choose(words, [title_of(words, each) for each in SETTINGS])
        if place is None:
            return words
        name = SETTINGS[int(place)]
        try:
            yield from look_after(words, name, ELSEWHERE.get(name, frozenset()))
        except ConfigError as error:
            yield from say(words.refusal(error))


def _service(words: Words, name: str) -> Talk[None]:
    while True:
        service = yield from perform(words, "features", "show", name)
        entries = _entries(words, service)
        yield from say("\n" + title_of(words, name))
        if service["live"]:
            yield from _live(words, name)
        place = yield from choose(words, [each.title for each in entries])
        if place is None:
            return
        try:
            yield from entries[int(place)].talk()
        except ConfigError as error:
            yield from say(words.refusal(error))


def _live(words: Words, name: str) -> Talk[None]:
    """What it has going on, a line each."""
    begin = f"live.{name.replace('-', '_')}."
    for row in (yield from perform(words, "features", "live", name))[:MOST_SHOWN]:
        told = (
            f"{found_words(words, begin + each) or each} {shown(words, value)}" for each, value in row.items()
        )
        yield from say("  " + ", ".join(told))


def _entries(words: Words, service: dict[str, Any]) -> list[Entry]:
    areas = [_area_entry(words, each["name"]) for each in service["areas"]]
    return [*areas, *(_code_entry(words, each["name"], each["code"]) for each in service["codes"])]


def _area_entry(words: Words, name: str) -> Entry:
    return Entry(title_of(words, name), lambda: look_after(words, name))


def _code_entry(words: Words, name: str, code: str) -> Entry:
    title = f"{found_words(words, 'code.' + name) or name}: {code or words('features.off')}"
    return Entry(title, lambda: change(words, Area(CODES, (Setting("code"),)), name, title))
