"""What the serial line offers once the box is set up, and the whole conversation from the first Enter on. Pure.

Whoever holds the cable holds the box, so nobody logs in; but what changes something wants a typed word, which
noise cannot type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.serial.dialogue import Back, Interrupted, InvalidError, Talk, Words, ask, perform, say
from appliance.serial.features import features, settings
from appliance.serial.network import change_network, trial_line
from appliance.serial.pages import console_urls, is_loopback, show_console
from appliance.serial.questions import ask_language, confirm
from appliance.serial.stick import backup
from appliance.serial.update import update
from appliance.serial.wizard import wizard

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["conversation", "menu"]


def conversation(words: Words) -> Talk[None]:
    """From the greeting to leaving the menu. It begins only with an Enter alone: noise does not press that."""
    status = yield from perform(words, "status", "show")
    if status["set_up"]:
        words = Words("zh" if status.get("language") == "zh" and words.unicode else "en", words.unicode)
    while True:
        yield from say((yield from _greeting(words, status)))
        try:
            if (yield from ask("")) == "":
                break
        except (Interrupted, Back):
            continue
    # Hours may have passed since the greeting.
    status = yield from perform(words, "status", "show")
    if not status["set_up"]:
        words = yield from wizard(words)
    yield from menu(words)


def menu(words: Words) -> Talk[None]:
    """Until the person leaves."""
    while True:
        try:
            yield from _show_items(words)
            answer = yield from ask("> ")
            if answer == "0":
                return
            words = yield from _choose(words, answer)
        except Interrupted:
            yield from say("^C")
        except Back:
            return


def _show_items(words: Words) -> Talk[None]:
    yield from say("\n" + words("menu.title"))
    if line := (yield from trial_line(words)):
        yield from say(line)
    yield from say(
        "\n".join(f"  {number}  {words(f'menu.{key}')}" for number, (key, _) in enumerate(ITEMS, 1))
    )
    yield from say(f"  0  {words('menu.leave')}")


def _choose(words: Words, answer: str) -> Talk[Words]:
    choices = {str(number): item for number, (_, item) in enumerate(ITEMS, 1)}
    item = choices.get(answer)
    if item is None:
        if answer:
            yield from say(words.refusal(InvalidError("serial.invalid.choice", choices=f"0-{len(ITEMS)}")))
        return words
    try:
        return (yield from item(words))
    except ConfigError as error:
        yield from say(words.refusal(error))
    except Back:
        yield from say("^D")
    return words


def _status(words: Words) -> Talk[Words]:
    status = yield from perform(words, "status", "show")
    shown = {
        "host_name": status.get("host_name"),
        "version": status.get("version"),
        "uptime": _duration(status.get("uptime")),
        "addresses": ", ".join(map(str, status.get("addresses") or ())) or words("none"),
        "extensions": status.get("extensions"),
        "registrations": status.get("registrations"),
        "calls": status.get("calls"),
    }
    yield from say(
        "\n".join(f"  {words('label.' + key)}: {value}" for key, value in shown.items() if value is not None)
    )
    yield from show_console(words, console_urls(status))
    return words


def _new_code(words: Words) -> Talk[Words]:
    if (yield from confirm(words, words("code.confirm"), "yes")):
        made = yield from perform(words, "admin", "new-code")
        yield from say(words("code.made", code=made["code"]))
        status = yield from perform(words, "status", "show")
        yield from show_console(words, console_urls(status))
    return words


def _restart(words: Words) -> Talk[Words]:
    yield from say(words("restart.about"))
    answer = yield from ask("1/2: ")
    verb = {"1": "restart", "2": "reboot"}.get(answer)
    if verb and (yield from confirm(words, words("restart.confirm"), "yes")):
        yield from perform(words, "box", verb)
        yield from say(words("restart.done"))
    return words


def _factory_reset(words: Words) -> Talk[Words]:
    yield from say(words("reset.about"))
    if (yield from confirm(words, words("reset.confirm"), "RESET")):
        yield from perform(words, "box", "factory-reset")
        yield from say(words("reset.done"))
    return words


def _language(words: Words) -> Talk[Words]:
    language = yield from ask_language(words.unicode)
    yield from perform(words, "system", "set", language=language)
    return Words(language, words.unicode)


ITEMS: tuple[tuple[str, Callable[[Words], Talk[Words]]], ...] = (
    ("status", _status),
    ("network", change_network),
    ("new_code", _new_code),
    ("restart", _restart),
    ("factory_reset", _factory_reset),
    ("language", _language),
    ("features", features),
    ("update", update),
    ("settings", settings),
    ("backup", backup),
)


def _greeting(words: Words, status: dict[str, Any]) -> Talk[str]:
    if not status["set_up"]:
        return (yield from _greeting_of_a_new_box(words, status))
    lines = ["", f"Branchbox - {status.get('host_name', '')}", *console_urls(status)[:1]]
    lines.append((yield from trial_line(words)))
    lines += [words(f"findings.{each}") for each in status.get("findings", ())]
    return "\n".join([*(each for each in lines[1:] if each), words("greeting.enter")])


def _greeting_of_a_new_box(words: Words, status: dict[str, Any]) -> Talk[str]:
    """Both ways to set it up, each in both languages: here, or in a browser with the code."""
    # What is asked for by whom the exchange does not know is refused, and then there is the line alone.
    try:
        code = (yield from perform(words, "admin", "first-code")).get("code", "")
    except ConfigError:
        code = ""
    urls = [url for url in console_urls(status) if not is_loopback(url)]
    lines = ["", "Branchbox"]
    for each in (Words("en"), Words("zh")) if words.unicode else (Words("en"),):
        if code and urls:
            lines.append(each("greeting.browser", url=urls[0], code=code))
        lines.append(each("greeting.new"))
    return "\n".join(lines)


def _duration(seconds: object) -> str | None:
    if not isinstance(seconds, (int, float)):
        return None
    minutes, hours = int(seconds) // 60 % 60, int(seconds) // 3600
    return f"{hours // 24} d {hours % 24:02}:{minutes:02}"
