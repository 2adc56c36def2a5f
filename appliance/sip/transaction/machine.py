"""What the four transaction machines are made of: states, inputs, effects, and the step from one to the next.

RFC 3261 §17; RFC 6026. Everything that changes a transaction's state stands in the table of its machine,
one line for each (state, input) that may happen. What is not in the table is a defect of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Literal

from appliance.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ENDED",
    "PASS_UP",
    "SEND",
    "SEND_ACK",
    "Backoff",
    "Effect",
    "Ended",
    "Inform",
    "Input",
    "Machine",
    "PassUp",
    "Send",
    "SendAck",
    "StartTimer",
    "State",
    "StopTimer",
    "response_input",
]


class State(IntEnum):
    """The states of §17.1 and §17.2, and Accepted from RFC 6026."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What may happen to a transaction."""

    REQUEST = auto()
    "A server transaction's request came once more."
    ACK = auto()
    PROVISIONAL = auto()
    "A response below 200: it came (client), or the user gave it (server)."
    SUCCESS = auto()
    "A response from 200 to 299."
    FAILURE = auto()
    "A response from 300 to 699."
    CANCEL = auto()
    "The user of an INVITE client transaction has sent a CANCEL (§9.1)."
    DEFERRED = auto()
    "The user of a non-INVITE server transaction took the request and will answer later."
    TRANSPORT_ERROR = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()
    TIMER_L = auto()
    TIMER_M = auto()
    TIMER_TRYING = auto()
    "RFC 4320 §4.1, which names it not: the user of a non-INVITE server transaction takes its time."


def response_input(status: int) -> Input:
    """The input that a response of this status is."""
    if status < 200:
        return Input.PROVISIONAL
    return Input.SUCCESS if status < 300 else Input.FAILURE


@dataclass(frozen=True, slots=True)
class Send:
    """Send what is stored: the request (client), or the last response, from its stored bytes (server)."""


@dataclass(frozen=True, slots=True)
class SendAck:
    """Send the ACK of the response that came (§17.1.1.3)."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Give the input `timer` after `delay` seconds; a running timer of that name starts anew."""

    timer: Input
    delay: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Start `timer` again with twice its last delay, at most `ceiling` seconds. The first delay was T1."""

    timer: Input
    ceiling: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    timer: Input


@dataclass(frozen=True, slots=True)
class Ended:
    """Forget the transaction and all its timers."""


@dataclass(frozen=True, slots=True)
class PassUp:
    """Give what came to the transaction's user."""


@dataclass(frozen=True, slots=True)
class Inform:
    """Tell the user that there is no hope left: `timeout` or `transport`."""

    cause: Literal["timeout", "transport"]


Effect = Send | SendAck | StartTimer | Backoff | StopTimer | Ended | PassUp | Inform
SEND, SEND_ACK, ENDED, PASS_UP = Send(), SendAck(), Ended(), PassUp()

Table = dict[tuple[State, Input], tuple[State, tuple[Effect, ...]]]

RETRANSMISSION = frozenset({Input.TIMER_A, Input.TIMER_E, Input.TIMER_G})
"Timers that repeat a message: not set over a reliable transport (§17.1.1.2, §17.1.2.2, §17.2.1)."
ABSORPTION = frozenset({Input.TIMER_D, Input.TIMER_I, Input.TIMER_J, Input.TIMER_K})
"Timers that wait for the peer's repetitions: 0 s over a reliable transport (the same sections)."


@dataclass(frozen=True)
class Machine:
    """One of the four machines, as a value. The state is the caller's; so are clock and wire.

    The user is told last (`PassUp`, `Inform`), so that what it does in answer meets a machine at rest.
    """

    name: str
    initial: State
    start: tuple[Effect, ...]
    "What happens at birth."
    table: Mapping[tuple[State, Input], tuple[State, tuple[Effect, ...]]]

    def step(self, state: State, event: Input) -> tuple[State, tuple[Effect, ...]]:
        """The state that follows, and what is to be done. Raises LocalError for what cannot happen."""
        try:
            return self.table[state, event]
        except KeyError:
            msg = f"{self.name}: {event.name} in {state.name}"
            raise LocalError(msg) from None

    def over_reliable_transport(self) -> Machine:
        """The same machine for TCP and TLS: nothing is repeated, and nobody's repetitions are awaited."""
        table = {pair: _without_absorption(*outcome) for pair, outcome in self.table.items()}
        for pair, (state, effects) in table.items():
            table[pair] = (state, _without_retransmission(effects))
        return Machine(f"{self.name} (reliable)", self.initial, _without_retransmission(self.start), table)


def _without_retransmission(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    return tuple(
        effect
        for effect in effects
        if not (isinstance(effect, StartTimer | StopTimer | Backoff) and effect.timer in RETRANSMISSION)
    )


def _without_absorption(state: State, effects: tuple[Effect, ...]) -> tuple[State, tuple[Effect, ...]]:
    """A timer of 0 s fires at once: the transaction ends here."""
    waits = [e for e in effects if isinstance(e, StartTimer) and e.timer in ABSORPTION]
    if not waits:
        return state, effects
    return State.TERMINATED, tuple(ENDED if effect in waits else effect for effect in effects)
