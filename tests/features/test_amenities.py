"""What the running exchange gives its services."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from appliance.call.music import NoMusic
from appliance.features.playback import Playback
from appliance.media.prompts import Prompts
from appliance.media.sounds import Sounds
from appliance.service.amenities import furnish
from tests.call.playbook import Playbook
from tests.features.office import Office


def test_music_is_played_by_the_players_that_the_relay_paces(office: Office) -> None:
    """By others it would sound as well, and cost a timer for each packet."""
    exchange = Playbook().exchange
    assert isinstance(exchange.music, NoMusic)
    config: Any = office.config  # as much of one as services see
    lamps: Any = SimpleNamespace(changed=office.lamps.append, serve=lambda _: None)
    furnish(exchange.wire, exchange, config, (Sounds(Path("nowhere")), Prompts(Path("nowhere"))), lamps)
    assert isinstance(exchange.music, Playback)
    assert exchange.music._players is exchange.wire.relay.players
