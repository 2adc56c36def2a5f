"""What legs stand on: the SIP endpoint, the clock, chance, and the media relay."""

from __future__ import annotations

__all__ = ["Wire"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from appliance.clock import Timers
    from appliance.media.leg import LegMedia
    from appliance.media.relay import Relay
    from appliance.sip.endpoint import Endpoint
    from appliance.sip.subscriptions import Notifier
    from appliance.sip.transport.flow import Flow


@dataclass(frozen=True, slots=True)
class Wire:
    """One of each, for all legs."""

    endpoint: Endpoint
    timers: Timers
    random: Random
    relay: Relay
    notifier: Notifier | None = None
    "What a phone may subscribe to within a call; None: nothing."

    def open_media(self, flow: Flow) -> LegMedia:
        """Ports for the leg of the phone at the other end of `flow`. PeerError 503 when none is left."""
        return self.relay.open_leg(flow.local[0], flow.remote[0])

    def token(self) -> str:
        """A word nobody can guess: a tag (§19.3 asks for 32 random bits) or a Call-ID."""
        return f"{self.random.getrandbits(80):020x}"
