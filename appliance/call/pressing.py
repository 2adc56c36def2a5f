"""The keys that are pressed in one call, each told once, whether a phone sends it by RTP, by INFO, or by both."""

from __future__ import annotations

__all__ = ["Pressing"]

from functools import partial
from typing import TYPE_CHECKING

from appliance.call.info_keys import key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.call import Call
    from appliance.call.events import Asked
    from appliance.call.leg import Leg
    from appliance.call.owner import Owner


class Pressing:
    """Of one call. Whoever serves it gets the caller's keys; otherwise the exchange gets both sides'."""

    __slots__ = ("_by_info", "_call", "_on_key", "_owner")

    def __init__(self, call: Call, owner: Owner) -> None:
        self._call = call
        self._owner = owner
        self._by_info: tuple[Leg, str] | None = None  # the key that came last, and not by RTP
        self._on_key: Callable[[str], None] | None = None

    def listen(self) -> None:
        """Somebody has answered: hear both, if the exchange wants to know."""
        if self._owner.listens:
            for leg in self._call.parties():
                leg.media.listen(partial(self._pressed, leg))

    def serve(self, on_key: Callable[[str], None]) -> None:
        """Tell each key of the caller's to whoever serves the call."""
        self._on_key = on_key
        caller = self._call.caller
        caller.media.listen(partial(self._pressed, caller))

    def stop(self) -> None:
        """Nobody serves the call any more."""
        if self._on_key is not None:
            self._on_key = None
            self._call.caller.media.listen(None)

    def asked(self, leg: Leg, event: Asked) -> bool:
        """What a phone says within the call. Whether it was a key that somebody who serves the call has got."""
        key = key_in(event)
        if not key:
            return False
        if not leg.media.hears_keys:
            self._by_info = leg, key
            self._tell(leg, key)
        return self._on_key is not None

    def _pressed(self, leg: Leg, key: str) -> None:
        # Of the first key, INFO may have told already; after that RTP counts.
        known, self._by_info = self._by_info == (leg, key), None
        if not known and not self._call.over:
            self._tell(leg, key)

    def _tell(self, leg: Leg, key: str) -> None:
        if self._on_key is not None:
            self._on_key(key)
        else:
            self._call.safely(partial(self._owner.pressed, self._call, leg, key))
