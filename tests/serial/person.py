"""A person at a terminal for the pure conversations: answers from a list, and keeps what was on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.serial.dialogue import Ask, Back, Interrupted, Perform, Say, Talk, Wait
from appliance.serial.line_editor import Key

UNFINISHED = object()
"What `converse` gives when the answers ran out before the conversation did."


class Screen:
    """Everything that was shown, and whether it would have fitted."""

    def __init__(self) -> None:
        self.text = ""
        self.secrets_asked = 0

    def show(self, text: str) -> None:
        self.text += text


def converse(
    talk: Talk[Any], control: Callable[[Perform], Any], answers: Iterable[str | Key]
) -> tuple[Screen, Any]:
    """Hold a conversation; gives the screen and its result."""
    screen, waiting = Screen(), iter(answers)
    try:
        effect = next(talk)
        while True:
            try:
                match effect:
                    case Say(text):
                        screen.show(text + "\n")
                        result = None
                    case Ask(prompt, secret):
                        screen.secrets_asked += secret
                        answer = next(waiting, UNFINISHED)
                        if answer is UNFINISHED:
                            return screen, UNFINISHED
                        screen.show(f"{prompt}{'***' if secret else answer}\n")
                        result = _typed(answer)
                    case Wait():
                        result = None
                    case Perform():
                        result = control(effect)
            except (Interrupted, Back, ConfigError, NotRunningError) as event:
                effect = talk.throw(event)
            else:
                effect = talk.send(result)
    except StopIteration as end:
        return screen, end.value


def _typed(answer: object) -> object:
    if answer is Key.INTERRUPT:
        raise Interrupted
    if answer is Key.END:
        raise Back
    return answer
