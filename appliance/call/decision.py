"""Who asks the dial plan, and what it answers."""

from __future__ import annotations

__all__ = [
    "Caller",
    "Decision",
    "Destination",
    "FromExtension",
    "FromOutside",
    "Outcome",
    "Passed",
    "Refused",
    "Step",
    "ToExtension",
    "ToFeature",
    "ToOutside",
]

from typing import Literal

import msgspec

from appliance.call.cause import Cause


class FromExtension(msgspec.Struct, frozen=True):
    """Somebody in the house."""

    number: str
    right: int = 0
    "0 to 9: routes of this level and below are open to it."


class FromOutside(msgspec.Struct, frozen=True):
    """Somebody on a line or trunk."""

    way: str
    "`line:NAME` or `trunk:NAME`."


Caller = FromExtension | FromOutside


class ToExtension(msgspec.Struct, frozen=True, tag="extension"):
    """An extension that exists and is switched on."""

    number: str


class ToFeature(msgspec.Struct, frozen=True, tag="feature"):
    """A service of the exchange."""

    name: str
    number: str
    "What was dialled, as the route has changed it."


class ToOutside(msgspec.Struct, frozen=True, tag="outside"):
    """A line or trunk."""

    kind: Literal["line", "trunk"]
    name: str
    number: str
    "What to dial there: 1 to 64 of 0-9 + * #."


Destination = ToExtension | ToFeature | ToOutside


class Passed(msgspec.Struct, frozen=True, kw_only=True, tag="passed"):
    """The call goes on."""

    destinations: tuple[Destination, ...]
    "One at least; each is tried when the one before it has failed."
    fail_over_on: frozenset[Cause] = frozenset()
    "With what a destination must have failed for the next one to be tried."
    route: str = ""
    "The name of the route that decided; empty when none was needed."
    emergency: bool = False
    "Nothing may hold this call up: no limit on calls, no full line."


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The call ends here."""

    cause: Cause


Outcome = Passed | Refused


class Step(msgspec.Struct, frozen=True):
    """One thing that was considered, in words: `say(key, language, **params)`."""

    key: str
    "A locale key, `route.` and so on."
    params: dict[str, str | int]


class Decision(msgspec.Struct, frozen=True):
    """Where a call goes, and why."""

    outcome: Outcome
    steps: tuple[Step, ...]
    "In the order in which they were considered; the last ones say the outcome."
