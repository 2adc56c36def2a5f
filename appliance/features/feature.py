"""The protocol of supplementary services: what one is to the rest of the exchange, and what it may say about a call.

A service says what it has (settings, codes), is asked about calls on their way (`claims`, `reached`, `failed`, `coded`), and
answers with a verdict (`call/verdict`). What it needs for that it finds in its `house`. Nothing else of the exchange knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from appliance.call.cause import Cause
from appliance.call.verdict import Refuse
from appliance.config.codes import Code

if TYPE_CHECKING:
    import msgspec

    from appliance.call.call import Call
    from appliance.call.decision import Caller
    from appliance.call.events import Dialled
    from appliance.call.leg import Leg
    from appliance.call.verdict import Failure, Target, Verdict
    from appliance.config.settings_area import SettingsArea
    from appliance.directory.lamps import Lamp
    from appliance.features.house import House

__all__ = ["Code", "Feature"]


class Feature:
    """One service. Its words are in a file of its own in `locale/words`.

    `feature.NAME` and `feature.NAME.about`; `code.NAME` of each code; `area.AREA` for each area that is not named as the
    service is; `console.AREA.SETTING` with its `..._hint` for each setting but the key of what each extension has; `live.NAME.FIELD` for each
    column of its live table.
    """

    name: ClassVar[str]
    "`do-not-disturb`; in the keys of words with _ for -."
    areas: ClassVar[tuple[SettingsArea, ...]] = ()
    codes: ClassVar[tuple[Code, ...]] = ()
    row: ClassVar[type[msgspec.Struct] | None] = None
    "Of its live table, if it has one; `since` and what ends in `_at` are moments."
    takes_transfers: ClassVar[bool] = False
    "Whether calls can be transferred to its codes; they act for whoever dials them."

    def __init__(self, house: House) -> None:
        self.house = house

    def follow(self) -> None:
        """Called once when everything is there: take hold of what the service needs beside being asked."""

    def claims(self, number: str, caller: Caller) -> bool:
        """Whether this number, which is no extension's, is one of the service's own for this caller."""
        return False

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        """A call is about to ring there; None: it shall, as far as this service is concerned.

        The target is an extension, or a number that this service claims, or somebody outside.
        """
        return None

    def failed(self, target: Target, failure: Failure, dialled: Dialled) -> Verdict | None:
        """Nobody took the call there; None: so it ends, as far as this service is concerned."""
        return None

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        """An extension has dialled a code of the service, by its name, with `rest` behind it."""
        return Refuse(Cause.NOT_FOUND)

    def listens(self) -> bool:
        """Whether the service wants to know now which keys are pressed in calls that begin."""
        return False

    def pressed(self, call: Call, leg: Leg, key: str) -> None:
        """Somebody in a call that is answered has pressed a key: one of 0-9 * # A-D. The other one hears it, too."""

    def lamps(self, number: str) -> tuple[Lamp, ...] | None:
        """What makes a number of the service's busy, for phones that watch it; None: it is none of its numbers."""
        return None

    def wants_no_calls(self, number: str) -> bool:
        """Whether an extension refuses calls for now, for phones that watch its presence; `lamps_changed` when that changes."""
        return False

    def snapshot(self) -> list[msgspec.Struct]:
        """The rows of its live table now, of type `row`."""
        return []
