"""Lamps: what is shown of a number to whoever watches it, as values.

RFC 4235 §3.7 (states), §4 (what is said of a dialog). Whoever has numbers that can be busy gives their lamps as a `LampSource`
to `busy_lamps`: extensions by `call/extension_lamps`, others by the feature that makes them.
"""

from __future__ import annotations

__all__ = ["Lamp", "LampSource", "LampState", "Names", "Party"]

from collections.abc import Callable
from enum import StrEnum

import msgspec


class LampState(StrEnum):
    """How far something has come that makes a number busy (§3.7.1). A number that has none of them is idle."""

    TRYING = "trying"
    "Asked for, and nothing has come of it yet."
    EARLY = "early"
    "It rings."
    CONFIRMED = "confirmed"
    "Somebody talks, or is held or parked there."
    TERMINATED = "terminated"
    "It is over. No source says this: what it speaks of no more is."


class Names(msgspec.Struct, frozen=True):
    """A dialog by the names that it has at the watched phone: what a pick-up's Replaces has (RFC 3891)."""

    call_id: str
    local_tag: str
    remote_tag: str


class Party(msgspec.Struct, frozen=True):
    """One end of it."""

    number: str
    "Empty: hidden."
    display: str = ""
    renders: bool = True
    "Whether what the other one says is heard there. Who holds does not."


class Lamp(msgspec.Struct, frozen=True):
    """One thing that makes a number busy: a call, as one phone of the number has it."""

    id: str
    "The same as long as it lasts, and never another's."
    state: LampState
    initiator: bool
    "Whether it was begun there; otherwise it came in. Phones let those that came in, and ring, be picked up."
    here: Party
    "The number itself."
    there: Party
    "Whom it is connected with, or shall be."
    names: Names | None = None
    "None while its phone has not said anything, and where there is none."


LampSource = Callable[[str], tuple[Lamp, ...] | None]
"The lamps of a number, oldest first; none of them: it is idle; None: it is not one of the source's numbers."
