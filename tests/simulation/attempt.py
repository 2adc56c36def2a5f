"""One attempt to call somebody: what the people at both ends mean to do, and how far it came.

All that people decide is drawn when the number is dialled. Whether an attempt counts is so known beforehand, and does
not depend on what the exchange then makes of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.phone import SimulatedPhone
    from tests.simulation.talk import Talk

__all__ = ["Attempt", "Mood"]

HEADER = "X-Attempt"
"Names the attempt in the caller's INVITE. The exchange passes on what it does not understand."


@dataclass(frozen=True, slots=True)
class Mood:
    """What somebody whose phone rings will do."""

    status: int
    "The final response; 0 when nobody is there."
    delay: float
    "Seconds that it rings first."

    @classmethod
    def draw(cls, chance: random.Random) -> Mood:
        status = chance.choices((200, 486, 603, 480, 0), (82, 6, 3, 3, 6))[0]
        # Whoever is not there is so for longer than the exchange lets it ring. The CANCEL may never come: who calls
        # cannot send it before it hears of a 100.
        return cls(status, chance.uniform(0.0, 15.0) if status else 100.0)


@dataclass(eq=False, repr=False)
class Attempt:
    """What was dialled, and what became of it."""

    key: str
    chance: random.Random
    caller: SimulatedPhone
    callees: Sequence[SimulatedPhone]
    "The phones of the number that was dialled, but for those without power."
    disturbed: bool = False
    "Whether somebody who takes part in it was cut off meanwhile, or the administrator hung up."
    over: bool = False
    "Whether it has come to its end: both sides talk, or the caller has been refused."
    established: bool = False
    "Whether the caller saw a 200 and a callee's phone its ACK."
    story: list[str] = field(default_factory=list)
    "For whoever wonders why it failed."
    call_id: str = ""
    _caller: Talk | None = None
    _callees: list[Talk] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = self.chance
        self.moods = {phone.address: Mood.draw(chance) for phone in self.callees}
        self.hasty = chance.random() < 0.2
        "Whether people give up, or hang up, before they have heard one another."
        self.patience = self._draw_patience()
        self.disturbed = any(phone.cut_off for phone in self.parties)

    def _draw_patience(self) -> float:
        # Now and then the caller gives up just when somebody picks up.
        answers = [mood.delay for mood in self.moods.values() if mood.status == 200]
        if answers and self.chance.random() < 0.4:
            return min(answers) + self.chance.uniform(0.0, 0.2)
        return self.chance.uniform(0.0, 10.0)

    @property
    def parties(self) -> tuple[SimulatedPhone, ...]:
        return self.caller, *self.callees

    @property
    def wanted(self) -> bool:
        """Whether both sides wanted the call and nothing but the weather was in its way."""
        moods = [mood.status for mood in self.moods.values()]
        return not self.hasty and not self.disturbed and 200 in moods and 603 not in moods

    def disturb(self) -> None:
        self.disturbed = self.disturbed or not self.over

    def refused(self, status: int) -> None:
        """The caller hears that it is over; 0 when it hears nothing at all."""
        self.story.append(f"refused {status}")
        self.over = True

    def ended(self) -> None:
        """The caller's phone has done with it."""
        self.over = True

    def stands(self, talk: Talk) -> None:
        """The talk's phone has the call: the caller's its 200, the callee's its ACK."""
        self.story.append(f"stands at {talk.phone.address[0]}")
        if talk.is_caller:
            self._caller = talk
        else:
            self._callees.append(talk)
        if self.hasty:
            talk.live()
        # A phone that picked up too late has its ACK too, and the BYE at once.
        callee = next((callee for callee in self._callees if not callee.over), None)
        if self._caller is not None and callee is not None and not self.established:
            self.established = self.over = True
            if not self.hasty:
                self._talk(self._caller, callee)

    def _talk(self, *ends: Talk) -> None:
        """People talk. Now and then both do the same at the same moment."""
        chance, clock = self.chance, self.caller.clock
        crossing = chance.choices(("", "bye", "hold"), (70, 15, 15))[0]
        for talk in ends:
            if crossing == "bye":
                clock.after(5.0, talk.bye)
            elif crossing == "hold":
                clock.after(5.0, talk.hold)
            if crossing != "bye":
                talk.live()
