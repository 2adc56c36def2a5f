"""One area of settings on the serial line: what there is, a new one, another value, and one less. Pure.

Everything follows from the exchange's account of the area, so that a service more is a menu more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.locale import say as locale_say
from appliance.serial.area import read_area
from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, perform, say
from appliance.serial.questions import confirm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from appliance.serial.area import Area, Setting

__all__ = ["MOST_SHOWN", "change", "choose", "found_words", "look_after", "shown", "title_of"]

EMPTY = "-"
"Typed for a value that is empty: Enter alone changes nothing."
ADD, REMOVE = "+", "-"
MOST_SHOWN = 20
"Of items in a list; a terminal has 24 lines."
LONGEST_SHOWN = 78
"Characters of an item in a list."
MOST_COLUMNS = 3
MOST_IN_A_LIST = 1000
"Lines of one value: more are a paste that has gone wrong."


def look_after(words: Words, name: str, elsewhere: frozenset[str] = frozenset()) -> Talk[None]:
    """Everything that can be done with an area, but for what is set elsewhere, until the person goes back."""
    area = yield from read_area(words, name, elsewhere)
    if not area.key:
        yield from change(words, area, "")
    elif area.makes:
        yield from _items(words, area)
    elif key := (yield from ask(words("features.extension") + ": ")):
        yield from change(words, area, key)


def _items(words: Words, area: Area) -> Talk[None]:
    while True:
        rows = yield from perform(words, area.name, "list")
        yield from say("\n" + title_of(words, area.name))
        lines = [_line(words, area, row) for row in rows[:MOST_SHOWN]]
        lines += ["  ..."] if len(rows) > MOST_SHOWN else []
        yield from say("\n".join(lines) or "  " + words("features.nothing"))
        answer = yield from ask(words("items.which") + ": ")
        if answer in ("", "0") and answer not in [str(row[area.key]) for row in rows]:
            return
        try:
            if answer == ADD:
                yield from _add(words, area)
            else:
                yield from change(words, area, answer)
        except ConfigError as error:
            yield from say(words.refusal(error))


def _line(words: Words, area: Area, row: Mapping[str, Any]) -> str:
    """An item with what a table would have first beside its key."""
    told = [shown(words, row[each]) for each in area.columns if row.get(each)]
    return f"  {row[area.key]}  {'  '.join(told[:MOST_COLUMNS])}"[:LONGEST_SHOWN].rstrip()


def change(words: Words, area: Area, key: str, title: str = "") -> Talk[None]:
    """Show the settings of one, and change one after the other, or remove it."""
    question = "items.change" if area.makes else "features.change"
    while True:
        now = yield from perform(words, area.name, "show", key or None)
        yield from say(
            "\n" + (title or " - ".join(each for each in (title_of(words, area.name), key) if each))
        )
        place = yield from choose(words, _lines(words, area.name, area.settings, now), question, area.makes)
        if place is None:
            return
        try:
            if place != REMOVE:
                yield from _change_one(words, area, key, area.settings[int(place)])
            elif (yield from confirm(words, words("items.remove", name=key), "yes")):
                yield from perform(words, area.name, "remove", key)
                yield from say(words("done"))
                return
        except ConfigError as error:
            yield from say(words.refusal(error))


def _change_one(words: Words, area: Area, key: str, setting: Setting) -> Talk[None]:
    value = yield from _value(words, area.name, setting)
    if value is not None and (yield from confirm(words, words("features.confirm"), "yes")):
        yield from perform(words, area.name, "set", key or None, **{setting.name: value})
        yield from say(words("done"))


def _add(words: Words, area: Area) -> Talk[None]:
    """A new one: what it must have is asked, and everything shown before it is made."""
    yield from _hint(words, area.name, area.key)
    key = yield from ask(_label(words, area.name, area.key) + ": ")
    if not key:
        return
    draft: dict[str, Any] = {}
    for setting in area.new:
        if setting.required:
            value = yield from _value(words, area.name, setting)
            if value is None:
                return
            draft[setting.name] = value
    yield from _complete(words, area, key, draft)


def _complete(words: Words, area: Area, key: str, draft: dict[str, Any]) -> Talk[None]:
    """Show a new one as it would be until it is made, or given up. What is refused can be mended."""
    defaults = {each.name: each.default for each in area.new}
    while True:
        yield from say("\n" + words("items.new", name=key))
        lines = _lines(words, area.name, area.new, defaults | draft)
        place = yield from choose(words, lines, "items.draft")
        if place is not None:
            setting = area.new[int(place)]
            value = yield from _value(words, area.name, setting)
            if value is not None:
                draft[setting.name] = value
            continue
        if not (yield from confirm(words, words("items.add"), "yes")):
            return
        try:
            yield from perform(words, area.name, "add", None, **{area.key: key}, **draft)
        except ConfigError as error:
            yield from say(words.refusal(error))
            continue
        yield from say(words("done"))
        return


def _value(words: Words, area: str, setting: Setting) -> Talk[str | list[str] | None]:
    """A value as it was typed; None: it stays as it is."""
    yield from _hint(words, area, setting.name)
    if setting.choices:
        yield from say("  " + " ".join(setting.choices))
    if setting.is_list:
        return (yield from _several(words))
    answer = yield from ask(words("features.value") + ": ", secret=setting.secret)
    return ("" if answer == EMPTY else answer) if answer else None


def _several(words: Words) -> Talk[list[str] | None]:
    """One a line, until an empty line."""
    values: list[str] = []
    question = words("items.several") + ": "
    while len(values) < MOST_IN_A_LIST:
        answer = yield from ask(question)
        if answer == EMPTY and not values:
            return []
        if not answer:
            break
        values += [each.strip() for each in answer.split(",") if each.strip()]
        question = "  : "
    return values or None


def choose(
    words: Words, lines: Sequence[str], question: str = "features.which", removes: bool = False
) -> Talk[int | str | None]:
    """Which of these, from 0; `REMOVE` where that is on offer; None for Enter or 0."""
    yield from say("\n".join(f"  {number}  {line}" for number, line in enumerate(lines, 1)))

    def check(answer: str) -> int | str | None:
        if answer in ("", "0"):
            return None
        if answer == REMOVE and removes:
            return REMOVE
        if answer not in [str(number) for number in range(1, len(lines) + 1)]:
            raise InvalidError("serial.invalid.choice", choices=f"0-{len(lines)}")
        return int(answer) - 1

    return (yield from ask_until(words, words(question), check))


def shown(words: Words, value: object) -> str:
    """A value as a line shows it."""
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return words("features.yes") if value else words("features.no")
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def title_of(words: Words, name: str) -> str:
    """What an area or a service is called."""
    key = name.replace("-", "_")
    of_service = found_words(words, f"area.{key}") or found_words(words, f"feature.{key}")
    return of_service or found_words(words, f"serial.area.{key}") or name


def _lines(words: Words, area: str, settings: Sequence[Setting], now: Mapping[str, Any]) -> list[str]:
    return [
        f"{_label(words, area, each.name)}: {words('items.hidden') if each.secret else shown(words, now.get(each.name))}"
        for each in settings
    ]


def _label(words: Words, area: str, setting: str) -> str:
    return _said(words, area, setting) or setting


def _hint(words: Words, area: str, setting: str) -> Talk[None]:
    hint = _said(words, area, setting + "_hint")
    if hint:
        yield from say("  " + hint)


def _said(words: Words, area: str, what: str) -> str:
    """As the console says it; lines and trunks share some words there."""
    key = area.replace("-", "_")
    return found_words(words, f"console.{key}.{what}") or (
        found_words(words, f"console.outside.{what}") if area in ("lines", "trunks") else ""
    )


def found_words(words: Words, key: str) -> str:
    """Empty when these words do not know it: the exchange may be newer."""
    try:
        return locale_say(key, words.language)
    except KeyError:
        return ""
