"""The supplementary services as the running exchange has them, with what they play."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from appliance.features import FEATURES
from appliance.features.house import House
from appliance.features.playback import Playback
from appliance.features.supplementary import SupplementaryServices

if TYPE_CHECKING:
    from appliance.call.exchange import Exchange
    from appliance.call.wire import Wire
    from appliance.config.config import Config
    from appliance.directory.busy_lamps import BusyLamps
    from appliance.media.prompts import Prompts
    from appliance.media.sounds import Sounds

__all__ = ["furnish"]


def furnish(
    wire: Wire, exchange: Exchange, config: Config, played: tuple[Sounds, Prompts], lamps: BusyLamps
) -> SupplementaryServices:
    """Let the exchange have its services and its music."""
    sounds, prompts = played
    playback = Playback(wire.relay.players, sounds)
    house = House(
        *(config, exchange, wire.timers, playback, prompts), lambda: _local_now(config), lamps.changed
    )
    exchange.music = playback
    services = SupplementaryServices(FEATURES, house)
    exchange.router.services = services
    lamps.serve(services.lamps_of)
    return services


def _local_now(config: Config) -> datetime:
    return datetime.now(ZoneInfo(config.current.system.time_zone))
