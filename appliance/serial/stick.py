"""USB sticks on the serial line: a backup onto one, and back from one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, perform, say
from appliance.serial.items import title_of
from appliance.serial.questions import confirm

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["backup", "on_stick", "size_of"]

MOST_SHOWN = 15
"Files in a list; a terminal has 24 lines."
SEALED = ".sealed"


def on_stick(words: Words, kind: str) -> Talk[list[dict[str, Any]]]:
    """The newest files of a kind on the sticks that are plugged in."""
    found = yield from perform(words, "stick", "list")
    return [each for each in found if each["kind"] == kind][:MOST_SHOWN]


def size_of(file: Mapping[str, Any]) -> str:
    """As people read it."""
    return f"{file['octets'] / 1_000_000:.1f} MB"


def backup(words: Words) -> Talk[Words]:
    """A backup onto the stick, or one of those that are there back in force."""
    found = yield from on_stick(words, "backup")
    lines = [
        words("backup.save"),
        *(words("backup.restore", file=each["file"], size=size_of(each)) for each in found),
    ]
    yield from say("\n".join(f"  {number}  {line}" for number, line in enumerate(lines, 1)))

    def check(answer: str) -> int:
        if answer in ("", *map(str, range(len(lines) + 1))):
            return int(answer or 0)
        raise InvalidError("serial.invalid.choice", choices=f"0-{len(lines)}")

    place = yield from ask_until(words, words("features.which"), check)
    if place == 1:
        yield from _save(words)
    elif place:
        yield from _restore(words, found[place - 2]["file"])
    return words


def _save(words: Words) -> Talk[None]:
    yield from say(words("backup.about"))
    first = yield from ask(words("backup.passphrase") + ": ", secret=True)
    if first and (yield from ask(words("password.again") + ": ", secret=True)) != first:
        yield from say(words("password.differs"))
        return
    if not (yield from confirm(words, words("backup.confirm_save"), "yes")):
        return
    yield from say(words("backup.saving"))
    saved = yield from perform(words, "backup", "save", to_stick=True, passphrase=first)
    yield from say(words("backup.saved", file=saved["file"], size=size_of(saved)))


def _restore(words: Words, file: str) -> Talk[None]:
    passphrase = ""
    if file.endswith(SEALED):
        passphrase = yield from ask(words("backup.opened_by") + ": ", secret=True)
    seen = yield from perform(words, "backup", "look", file=file, passphrase=passphrase)
    yield from say(
        words(
            "backup.seen",
            host_name=seen["host_name"],
            version=seen["version"],
            made_at=seen["made_at"] or "-",
        )
    )
    yield from say("".join(_change(words, each) for each in seen["changes"]) or words("backup.same"))
    if not (yield from confirm(words, words("backup.confirm_restore"), "RESTORE")):
        return
    restored = yield from perform(words, "backup", "restore", token=seen["token"])
    yield from say(words("backup.restored_restart" if restored["restart_needed"] else "backup.restored"))


def _change(words: Words, change: Mapping[str, Any]) -> str:
    """What of an area would be new, other or gone."""
    told = ", ".join(
        words(f"backup.{kind}", count=count)
        for kind in ("added", "changed", "removed")
        if (count := change.get(kind))
    )
    return f"  {title_of(words, str(change['area']))}: {told}\n" if told else ""
