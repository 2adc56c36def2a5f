"""The supplementary services as the running exchange has them, with what they play."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import anyio.to_thread

from appliance.features import FEATURES
from appliance.features.house import House
from appliance.features.sounds import Sounds
from appliance.features.supplementary import SupplementaryServices
from appliance.media.player import Players
from appliance.media.tones import tone
from appliance.media.tune import make_tune

if TYPE_CHECKING:
    from appliance.call.exchange import Exchange
    from appliance.call.wire import Wire
    from appliance.config.config import Config

__all__ = ["Amenities"]


class Amenities:
    """`run` is a task of its own."""

    def __init__(self, wire: Wire, exchange: Exchange, config: Config) -> None:
        region = "china" if config.current.system.language == "zh" else "europe"
        self._exchange = exchange
        self._sounds = Sounds(
            Players(wire.timers, wire.random),
            tone("ring-back", region),
            tone("confirmation", region),
            tone("error", region),
        )
        house = House(config, exchange, wire.timers, self._sounds, lambda: _local_now(config))
        exchange.music = self._sounds
        exchange.router.services = SupplementaryServices(FEATURES, house)

    async def run(self) -> None:
        """Serve the calls that features take. Hold music is there a moment after the start, for it must be made first."""
        self._sounds.hold_music = await anyio.to_thread.run_sync(make_tune)
        await self._exchange.services.run()


def _local_now(config: Config) -> datetime:
    return datetime.now(ZoneInfo(config.current.system.time_zone))
