"""Updates on the serial line: how the last one went, what is on offer or on a USB stick, and another one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.locale import say as locale_say
from appliance.serial.dialogue import Talk, Words, ask, perform, say
from appliance.serial.questions import confirm
from appliance.serial.stick import on_stick, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["update"]

MOST_LINES = 18
"Of notes, so that the question after them is still on the screen."


def update(words: Words) -> Talk[Words]:
    """Show how it stands, and install what is on offer, on a stick or at an address, by a typed word."""
    now = yield from perform(words, "update", "show")
    yield from say(f"  {words('label.version')}: {now['version']}")
    yield from say("".join(f"  {line}\n" for line in _standing(words, now)) + _offer(words, now))
    sources: list[dict[str, str]] = [{"source": now["offered_at"]}] if now.get("offered_at") else []
    for each in (yield from on_stick(words, "update")):
        sources.append({"stick": each["file"]})
        yield from say(f"  {len(sources)}  {words('update.on_stick', file=each['file'], size=size_of(each))}")
    answer = yield from ask(words("update.choose" if sources else "update.ask"))
    if not answer or answer == "0":
        return words
    source = _chosen(answer, sources)
    if (yield from confirm(words, words("update.confirm"), "yes")):
        yield from perform(words, "update", "install", **source)
        yield from say(words("update.done"))
    return words


def _chosen(answer: str, sources: Sequence[dict[str, str]]) -> dict[str, str]:
    """By its number in the list; anything else is an address."""
    if answer in [str(number) for number in range(1, len(sources) + 1)]:
        return sources[int(answer) - 1]
    return {"source": answer}


def _standing(words: Words, now: dict[str, Any]) -> list[str]:
    if now.get("refused"):
        return [words.refusal(ConfigError("", now["refused"], **now.get("params") or {}))]
    if now.get("trial"):
        return [words("update.trying", version=now["trial"])]
    if now.get("last"):
        return [words(f"update.{now['outcome']}", version=now["last"])]
    return []


def _offer(words: Words, now: dict[str, Any]) -> str:
    """A newer one that was found, with what it says of itself."""
    if not now.get("offered"):
        return ""
    made_on = now.get("offered_made_on")
    date = " " + locale_say("update.made_on", words.language, date=made_on) if made_on else ""
    lines = [f"  1  {words('update.offered', version=now['offered'])}{date}"]
    notes = now.get("offered_notes") or {}
    lines += [
        f"     {line}" for line in notes.get(words.language, notes.get("en", "")).splitlines()[:MOST_LINES]
    ]
    return "\n".join(lines)
