"""Why a call is made that nobody has dialled."""

from __future__ import annotations

__all__ = ["Purpose"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.events import HungUp, Progress


class Purpose:
    """Why somebody has a call made that nobody dialled, and what its news mean to them. It is deaf unless it says otherwise."""

    allows_transfer = True
    "Whether one of the two may be put through to somebody else meanwhile, by REFER."

    goes_along = False
    "Whether it is the caller's own still when a service that has taken the call puts them through to somebody else."

    def rings(self, call: Call, event: Progress) -> None:
        """It gets on."""

    def answered(self, call: Call) -> None:
        """The two are joined."""

    def replaced(self, call: Call) -> None:
        """Another one waits in the caller's place, and this purpose is not the call's any more."""

    def failed(self, call: Call, event: HungUp) -> None:
        """Nobody takes it. Whoever shall not hear that is handed over now."""

    def ending(self, _call: Call, _side: str) -> bool:
        """One of the two has hung up (`caller`, `callee`), or the call ends for another reason (`system`).

        Whoever shall go on elsewhere is handed over now. True: it does not end, for somebody has taken the caller's place.
        """
        return False

    def ended(self, call: Call, event: HungUp) -> None:
        """It is over, whether it was answered or not; after `failed` and `ending` too."""
