"""What a feature says is to become of a call, and what it is told to say so.

The router asks before anybody is rung (`reached`) and when nobody took the call (`failed`), and does as the verdict says.
"""

from __future__ import annotations

__all__ = [
    "Failure",
    "Forward",
    "InOrder",
    "NoServices",
    "Refuse",
    "Ring",
    "Round",
    "Serve",
    "Services",
    "Verdict",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.call.decision import ToExtension, ToFeature, ToOutside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.call.call import Call
    from appliance.call.cause import Cause
    from appliance.call.decision import Caller, FromExtension
    from appliance.call.events import Dialled, DivertReason

Target = ToExtension | ToFeature | ToOutside


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nobody took it."""

    cause: Cause
    moved_to: str = ""
    "The number that the phone itself sends it to (3xx); empty when it names none."


@dataclass(frozen=True, slots=True)
class Forward:
    """Send it on to another number, and tell everybody."""

    to: str
    "As an extension would dial it."
    payer: FromExtension
    "Who sends it on: theirs are the rights, and the money."
    name: str
    "What they are called."
    reason: DivertReason
    silent: bool = False
    "Whether nobody is told, for it is but the way to where the call belongs."


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody is rung. Another feature may have an answer to that."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Round:
    """Numbers that ring together."""

    members: tuple[str, ...]
    "As an extension would dial them."
    seconds: float
    "How long they ring."


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring these, one round after the other; nobody's own forwarding applies."""

    rounds: tuple[Round, ...]
    payer: FromExtension
    "Whose rights count for members outside."


@dataclass(frozen=True, slots=True)
class InOrder:
    """Ring the extension's phones one after the other, the one it likes best first."""

    seconds: float
    "How long each rings."


@dataclass(frozen=True, slots=True)
class Serve:
    """The exchange itself takes the call: this runs as a task of its own, and the call ends when it has."""

    run: Callable[[Call], Awaitable[None]]
    name: str
    "Of the task."


Verdict = Forward | Refuse | Ring | InOrder | Serve


class Services(Protocol):
    """All features, as the router sees them."""

    def claims(self, number: str, caller: Caller) -> str | None:
        """Which feature a dialled number belongs to; None: none."""

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        """A call has come to this target; None: let it ring."""

    def failed(self, target: Target, failure: Failure, dialled: Dialled) -> Verdict | None:
        """Nobody took it there; None: that was it."""


class NoServices:
    """An exchange without features."""

    def claims(self, _number: str, _caller: Caller) -> str | None:
        return None

    def reached(self, _target: Target, _dialled: Dialled) -> Verdict | None:
        return None

    def failed(self, _target: Target, _failure: Failure, _dialled: Dialled) -> Verdict | None:
        return None
