"""What a feature may see and do: the settings, the time, the calls, and sounds. One for all features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.call.decision import FromExtension
from appliance.call.events import Dialled
from appliance.call.inbound import DEFAULT_HOPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from appliance.call.call import Call
    from appliance.call.events import Baggage
    from appliance.call.exchange import Exchange
    from appliance.call.sip_leg import SipLeg
    from appliance.clock import Timers
    from appliance.config.config import Config
    from appliance.config.extension import Extension
    from appliance.config.snapshot import Snapshot
    from appliance.features.playback import Playback
    from appliance.media.prompts import Prompts

__all__ = ["House"]


@dataclass(frozen=True, slots=True)
class House:
    """The exchange, seen from a feature."""

    config: Config
    exchange: Exchange
    timers: Timers
    playback: Playback
    prompts: Prompts
    local_now: Callable[[], datetime]
    "By the clock on the wall."
    lamps_changed: Callable[[str], None]
    "To be told of each number whose `Feature.lamps` or `Feature.wants_no_calls` are others than before."

    @property
    def settings(self) -> Snapshot:
        """What is set now."""
        return self.config.current

    def extension(self, number: str) -> Extension | None:
        """The extension with this number, switched on or not."""
        return self.settings.extensions.get(number)

    def name_of(self, number: str) -> str:
        """What an extension is called; empty when it has no name, or there is none."""
        extension = self.extension(number)
        return "" if extension is None else extension.name

    def rights_of(self, number: str) -> FromExtension:
        """What an extension may dial, for what is done in its name."""
        extension = self.extension(number)
        return FromExtension(number, 0 if extension is None else extension.level)

    def further(
        self,
        call: Call,
        leg: SipLeg,
        number: str,
        *,
        payer: FromExtension | None = None,
        baggage: Baggage = (),
    ) -> Dialled:
        """What whoever is at `leg` of a call dials when they are put through to `number`; `payer`: by whose rights, if not theirs."""
        return Dialled(
            from_number=leg.number,
            from_name=call.dialled.from_name if call.caller.sip is leg else self.name_of(leg.number),
            to_number=number,
            hops_left=DEFAULT_HOPS,
            content=None,
            baggage=baggage,
            way_in=leg.way,
            payer=payer,
        )

    async def change(self, area: str, edit: Callable[[Any], Any], key: str = "") -> None:
        """Change what is set under a key of an area, `edit(what holds now)`; on the disk when this returns. ConfigError."""

        def edited(now: Snapshot) -> Snapshot:
            return now.with_item(area, edit(now.setting(area, key)))

        await self.config.change(edited)
