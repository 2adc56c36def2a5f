"""The services on the serial line: which there are, what they are set to, and another value for one setting. Pure.

What there is to set follows from what the exchange tells of each service, as in the web console.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.locale import say as locale_say
from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, perform, say
from appliance.serial.questions import confirm

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["features"]

CODES = "codes"
EMPTY = "-"
"Typed for a value that is empty: Enter alone changes nothing."
MOST_NAMES = 20
"Of items in a question; a terminal has 24 lines."


@dataclass(frozen=True, slots=True)
class Entry:
    """Something of a service that can be changed: an area of settings, or one code."""

    title: str
    area: str
    per: str
    settings: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    key: str = ""
    "Known beforehand: of a code."


def features(words: Words) -> Talk[Words]:
    """Choose a service, and something of it, until the person goes back."""
    while True:
        found = yield from perform(words, "features", "list")
        lines = [f"{_title(words, each['name'])}  {', '.join(each['codes'])}".rstrip() for each in found]
        place = yield from _choose(words, lines)
        if place is None:
            return words
        yield from _service(words, found[place]["name"])


def _service(words: Words, name: str) -> Talk[None]:
    while True:
        service = yield from perform(words, "features", "show", name)
        entries = _entries(words, service)
        yield from say("\n" + _title(words, name))
        if service["live"]:
            yield from _live(words, name)
        place = yield from _choose(words, [each.title for each in entries])
        if place is None:
            return
        try:
            key = yield from _key(words, entries[place])
            if key is not None:
                yield from _change(words, entries[place], key)
        except ConfigError as error:
            yield from say(words.refusal(error))


def _live(words: Words, name: str) -> Talk[None]:
    """What it has going on, a line each."""
    begin = f"live.{name.replace('-', '_')}."
    for row in (yield from perform(words, "features", "live", name))[:MOST_NAMES]:
        told = (
            f"{_words(words, begin + each) or each} {_shown(words, value)}" for each, value in row.items()
        )
        yield from say("  " + ", ".join(told))


def _entries(words: Words, service: dict[str, Any]) -> list[Entry]:
    areas = [
        Entry(
            _title(words, each["name"]),
            each["name"],
            each["per"],
            tuple(each["settings"]),
            tuple(each["secrets"]),
        )
        for each in service["areas"]
    ]
    codes = [
        Entry(
            f"{_words(words, 'code.' + each['name']) or each['name']}: {each['code'] or words('features.off')}",
            *(CODES, "fixed", ("code",)),
            key=each["name"],
        )
        for each in service["codes"]
    ]
    return [*areas, *codes]


def _key(words: Words, entry: Entry) -> Talk[str | None]:
    """Of which one; None: there is none, or the person goes back. Empty for what there is one of."""
    if entry.per == "box" or entry.key:
        return entry.key
    if entry.per == "extension":
        return (yield from ask(words("features.extension") + ": ")) or None
    names = [each["name"] for each in (yield from perform(words, entry.area, "list"))]
    if not names:
        yield from say(words("features.nothing"))
        return None
    some = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
    return (yield from ask(words("features.key", names=some) + ": ")) or None


def _change(words: Words, entry: Entry, key: str) -> Talk[None]:
    """Show the settings, and change one after the other."""
    while True:
        now = yield from perform(words, entry.area, "show", key or None)
        lines = [
            f"{_label(words, entry.area, each)}: {_shown(words, now.get(each))}" for each in entry.settings
        ]
        yield from say(f"\n{entry.title}{' - ' + key if key and not entry.key else ''}")
        place = yield from _choose(words, lines, "features.change")
        if place is None:
            return
        setting = entry.settings[place]
        value = yield from ask(words("features.value") + ": ", secret=setting in entry.secrets)
        if value and (yield from confirm(words, words("features.confirm"), "yes")):
            change = {setting: "" if value == EMPTY else value}
            try:
                yield from perform(words, entry.area, "set", key or None, **change)
            except ConfigError as error:
                yield from say(words.refusal(error))
                continue
            yield from say(words("done"))


def _choose(words: Words, lines: Sequence[str], question: str = "features.which") -> Talk[int | None]:
    """Which of these; None for Enter or 0."""
    yield from say("\n".join(f"  {number}  {line}" for number, line in enumerate(lines, 1)))

    def check(answer: str) -> int | None:
        if answer in ("", "0"):
            return None
        if answer not in [str(number) for number in range(1, len(lines) + 1)]:
            raise InvalidError("serial.invalid.choice", choices=f"0-{len(lines)}")
        return int(answer) - 1

    return (yield from ask_until(words, words(question), check))


def _shown(words: Words, value: object) -> str:
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return words("features.yes") if value else words("features.no")
        case list():
            return " ".join(map(str, value))
    return str(value)


def _label(words: Words, area: str, setting: str) -> str:
    return _words(words, f"console.{area.replace('-', '_')}.{setting}") or setting


def _title(words: Words, name: str) -> str:
    key = name.replace("-", "_")
    return _words(words, f"area.{key}") or _words(words, f"feature.{key}") or name


def _words(words: Words, key: str) -> str:
    """Empty when these words do not know it: the exchange may be newer."""
    try:
        return locale_say(key, words.language)
    except KeyError:
        return ""
