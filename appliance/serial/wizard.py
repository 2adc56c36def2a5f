"""The first conversation with a new box: a few questions, a summary, and then all of it at once. Pure.

Ctrl-C starts the question again, Ctrl-D goes back to the one before. Nothing is changed until the summary is
confirmed. The password is set last: should power fail before, the box is still new and the wizard comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from appliance.errors import ConfigError
from appliance.serial.dialogue import Back, Interrupted, InvalidError, Talk, Words, ask, perform, say
from appliance.serial.pages import console_urls, show_console, show_passwords
from appliance.serial.questions import (
    Range,
    ask_extensions,
    ask_host_name,
    ask_language,
    ask_network,
    ask_password,
    describe_network,
)
from appliance.serial.time_zones import ask_time_zone

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["set_up_administrator", "wizard"]

TIME_ZONES: Final = {"en": "UTC", "zh": "Asia/Shanghai"}


@dataclass(slots=True)
class _Answers:
    """What was said so far."""

    words: Words
    password: str = ""
    host_name: str = "branchbox"
    network: dict[str, Any] = field(default_factory=lambda: {"network": "dhcp"})
    time_zone: str = ""
    extensions: Range | None = None
    made: list[dict[str, Any]] = field(default_factory=list)
    "Extensions that exist already, from an attempt that was refused further on."


def wizard(words: Words) -> Talk[Words]:
    """Set the box up; gives the words in the language that was chosen."""
    answers = _Answers(words)
    todo = list(range(len(STEPS)))
    while True:
        yield from _run_steps(answers, todo)
        todo = yield from _summary(answers)
        if todo:
            continue
        refused = yield from _apply(answers)
        if refused is None:
            break
        todo = [refused]
    yield from _farewell(answers)
    return answers.words


def set_up_administrator(words: Words, password: str) -> Talk[None]:
    """Set the first password. Whoever is at the box's own line may: the code is made and spent here."""
    made = yield from perform(words, "admin", "new-code")
    yield from perform(words, "admin", "set-up", code=made["code"], password=password)


def _run_steps(answers: _Answers, todo: list[int]) -> Talk[None]:
    position = 0
    while position < len(todo):
        step = todo[position]
        yield from say(f"\n--- {step + 1}/{len(STEPS)} ---")
        try:
            yield from STEPS[step](answers)
            position += 1
        except Interrupted:
            yield from say("^C")
        except Back:
            yield from say("^D")
            position = max(0, position - 1)


def _language(answers: _Answers) -> Talk[None]:
    language = yield from ask_language(answers.words.unicode)
    answers.words = Words(language, answers.words.unicode)
    yield from say("\n" + answers.words("wizard.about"))


def _password(answers: _Answers) -> Talk[None]:
    answers.password = yield from ask_password(answers.words)


def _host_name(answers: _Answers) -> Talk[None]:
    answers.host_name = yield from ask_host_name(answers.words, answers.host_name)


def _network(answers: _Answers) -> Talk[None]:
    answers.network = yield from ask_network(answers.words)


def _time_zone(answers: _Answers) -> Talk[None]:
    default = answers.time_zone or TIME_ZONES[answers.words.language]
    answers.time_zone = yield from ask_time_zone(answers.words, default)


def _extensions(answers: _Answers) -> Talk[None]:
    answers.extensions = yield from ask_extensions(answers.words)


STEPS: tuple[Callable[[_Answers], Talk[None]], ...] = (
    _language,
    _password,
    _host_name,
    _network,
    _time_zone,
    _extensions,
)
STEP_PASSWORD, STEP_HOST_NAME, STEP_NETWORK, STEP_TIME_ZONE, STEP_EXTENSIONS = range(1, 6)


def _summary(answers: _Answers) -> Talk[list[int]]:
    """Show everything; gives the steps to go through again, none when it was confirmed."""
    words, extensions = answers.words, answers.extensions
    shown = (
        ("language", words("language.name")),
        ("password", "*" * 8),
        ("host_name", answers.host_name),
        ("network", describe_network(words, answers.network)),
        ("time_zone", answers.time_zone),
        ("extensions", f"{extensions.first} - {extensions.last}" if extensions else words("none")),
    )
    while True:
        yield from say("\n" + words("summary.title"))
        yield from say(
            "\n".join(f"  {n}  {words('label.' + key)}: {value}" for n, (key, value) in enumerate(shown, 1))
        )
        try:
            answer = yield from ask(words("summary.ask") + ": ")
        except Interrupted:
            yield from say("^C")
            continue
        except Back:
            return [STEP_EXTENSIONS]
        if answer.lower() in ("y", "yes", "是"):
            return []
        if answer in {str(number) for number in range(1, len(STEPS) + 1)}:
            return [int(answer) - 1]
        yield from say(words.refusal(InvalidError("serial.invalid.choice", choices=f"y, 1-{len(STEPS)}")))


def _apply(answers: _Answers) -> Talk[int | None]:
    """Do it; gives the step whose answer was refused, None when all is done."""
    words, step = answers.words, STEP_HOST_NAME
    yield from say(words("wizard.applying"))
    try:
        status = yield from perform(words, "status", "show")
        if status["set_up"]:
            # Somebody was faster, in the web console or on another line: theirs counts.
            yield from say(words("wizard.set_up_elsewhere"))
            return None
        system = {"language": words.language, "host_name": answers.host_name, "time_zone": answers.time_zone}
        result = yield from perform(words, "system", "set", **system, **answers.network)
        if result.get("trial"):
            # Whoever answers here is at the box, and cannot be cut off from it.
            yield from perform(words, "system", "confirm")
        step = STEP_EXTENSIONS
        if answers.extensions is not None and not answers.made:
            wanted = answers.extensions
            answers.made = yield from perform(
                words, "extensions", "add-many", first=wanted.first, count=wanted.count
            )
        step = STEP_PASSWORD
        yield from set_up_administrator(words, answers.password)
    except ConfigError as error:
        yield from say(words.refusal(error))
        return _step_of(error, step)
    except (Interrupted, Back):
        return STEP_EXTENSIONS
    return None


def _step_of(error: ConfigError, step: int) -> int:
    setting = error.path.removeprefix("system.")
    if setting == "time_zone":
        return STEP_TIME_ZONE
    return STEP_NETWORK if setting in ("network", "address", "prefix", "gateway", "dns") else step


def _farewell(answers: _Answers) -> Talk[None]:
    """What must be written down, and where to go on."""
    words = answers.words
    yield from say("\n" + words("wizard.done"))
    for part in (_show_made, _show_console):
        try:
            yield from part(answers)
        except (Interrupted, Back):
            continue


def _show_made(answers: _Answers) -> Talk[None]:
    yield from show_passwords(answers.words, answers.made)


def _show_console(answers: _Answers) -> Talk[None]:
    status = yield from perform(answers.words, "status", "show")
    yield from show_console(answers.words, console_urls(status, answers.network.get("address", "")))
