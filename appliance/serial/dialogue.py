"""How a conversation is written: a generator that yields what it wants done and is sent what came of it. Pure.

    name = yield from ask("Name: ")
    yield from say(f"Hello {name}")

`session` does what is yielded on a real line; tests answer from a list. Ctrl-C and Ctrl-D come as exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from appliance.control.client import NotRunningError
from appliance.errors import BranchboxError, ConfigError
from appliance.locale import Language
from appliance.locale import say as locale_say

__all__ = [
    "Ask",
    "Back",
    "Effect",
    "Interrupted",
    "InvalidError",
    "Perform",
    "Say",
    "Talk",
    "Wait",
    "Words",
    "ask",
    "ask_until",
    "perform",
    "say",
]

RETRY_SECONDS = 2.0
"Between two looks whether the exchange is there again."


class Interrupted(Exception):  # noqa: N818 - a key was pressed; nothing is wrong
    """Ctrl-C: start this again."""


class Back(Exception):  # noqa: N818 - a key was pressed; nothing is wrong
    """Ctrl-D on an empty line: one step back, or leave."""


class InvalidError(BranchboxError):
    """An answer that cannot be taken; the question is asked again."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.params = params


@dataclass(frozen=True, slots=True)
class Say:
    """Show these lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Show the prompt and wait for a line, which is the answer. `secret`: the echo is stars."""

    prompt: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Perform:
    """One request to `control`. The answer is its result; ConfigError and NotRunningError are raised."""

    area: str
    verb: str
    key: str | None = None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let some seconds pass. What is typed meanwhile is not kept."""

    seconds: float


Effect: TypeAlias = Say | Ask | Perform | Wait
T = TypeVar("T")
Talk: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class Words:
    """In which language this line is spoken, and whether it shows more than ASCII."""

    language: Language = "en"
    unicode: bool = True

    def __call__(self, key: str, **params: object) -> str:
        """The words of `serial.KEY`."""
        return locale_say(f"serial.{key}", self.language, **params)

    def refusal(self, error: ConfigError | InvalidError) -> str:
        """Why something was refused."""
        try:
            text = locale_say(error.key, self.language, **error.params)
        except (KeyError, IndexError):
            text = error.key  # a newer exchange may know reasons that these words do not
        where = error.path if isinstance(error, ConfigError) else ""
        return f"! {where}: {text}" if where else f"! {text}"


def say(text: str) -> Talk[None]:
    """Show text."""
    yield Say(text)


def ask(prompt: str, *, secret: bool = False) -> Talk[str]:
    """One answer, as typed but for blanks around it."""
    answer: str = yield Ask(prompt, secret)
    return answer if secret else answer.strip()


def ask_until(words: Words, prompt: str, check: Callable[[str], T], default: str = "") -> Talk[T]:
    """Ask until `check` takes the answer. An empty answer is `default`, which the prompt shows."""
    shown = f"{prompt} [{default}]: " if default else f"{prompt}: "
    while True:
        answer = yield from ask(shown)
        try:
            return check(answer or default)
        except InvalidError as error:
            yield from say(words.refusal(error))


def perform(words: Words, area: str, verb: str, key: str | None = None, **values: Any) -> Talk[Any]:
    """The result of one request. While the exchange is not up, say so once and wait."""
    told = False
    while True:
        try:
            return (yield Perform(area, verb, key, values))
        except NotRunningError:
            if not told:
                yield Say(words("waiting"))
            told = True
            yield Wait(RETRY_SECONDS)
