"""What callers hear of the exchange itself: music, and the tones that say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from appliance.media.leg import LegMedia
    from appliance.media.player import Player, Players
    from appliance.media.sound import Sound

__all__ = ["Sounds"]


class Sounds:
    """Implements `call/music`'s Music, and plays to calls that the exchange takes itself."""

    def __init__(self, players: Players, ring_back: Sound, confirmation: Sound, refusal: Sound) -> None:
        self.hold_music: Sound | None = None
        "Whatever is put in here is played to whom somebody holds; None: silence."
        self.confirmation = confirmation
        self.refusal = refusal
        self._ring_back = ring_back
        self._players = players
        # By leg; each is taken out when its call ends, at the latest.
        self._playing: dict[LegMedia, Player] = {}

    @property
    def plays(self) -> bool:
        """Whether there is hold music."""
        return self.hold_music is not None

    def start(self, media: LegMedia) -> None:
        """Hold music from now on. What is played already plays on."""
        if self.hold_music is not None:
            self._loop(media, self.hold_music)

    def ring(self, media: LegMedia) -> None:
        """The ring-back tone from now on."""
        self._loop(media, self._ring_back)

    def _loop(self, media: LegMedia, sound: Sound) -> None:
        player = self._playing.get(media)
        if player is None:
            player = self._playing[media] = self._players.open(media)
        if player.sound is not sound:
            player.start(sound, loop=True)

    def stop(self, media: LegMedia) -> None:
        """What the other end sends is heard again."""
        player = self._playing.pop(media, None)
        if player is not None:
            player.stop()

    async def play(self, media: LegMedia, sound: Sound) -> None:
        """Play a sound to its end, or until the task is cancelled."""
        self.stop(media)
        ended = anyio.Event()
        player = self._players.open(media)
        player.start(sound, on_end=ended.set)
        try:
            await ended.wait()
        finally:
            player.stop()
