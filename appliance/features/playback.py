"""What is played to whom: hold music and tones for those who wait, and a tone to its end for those who are served."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from appliance.media.leg import LegMedia
    from appliance.media.player import Player, Players
    from appliance.media.sound import Sound
    from appliance.media.sounds import Sounds
    from appliance.media.tones import Tone

__all__ = ["Playback"]


class Playback:
    """Implements `call/music`'s Music, and plays to calls that the exchange takes itself."""

    plays = True

    def __init__(self, players: Players, sounds: Sounds) -> None:
        self._players = players
        self._sounds = sounds
        # By leg; each is taken out when its call ends, at the latest.
        self._playing: dict[LegMedia, Player] = {}
        self._beneath: dict[LegMedia, Sound] = {}  # what plays on after a beep

    def start(self, media: LegMedia) -> None:
        """Hold music from now on, in place of what the other end sends. What is played already plays on."""
        self._loop(media, self._sounds.music)

    def ring(self, media: LegMedia) -> None:
        """The ring-back tone from now on."""
        self._loop(media, self._sounds.tone("ring-back"))

    def _loop(self, media: LegMedia, sound: Sound) -> None:
        if media in self._beneath:
            self._beneath[media] = sound
            return
        player = self._playing.get(media)
        if player is None:
            player = self._playing[media] = self._players.open(media)
        if player.sound is not sound:
            player.start(sound, loop=True)

    def stop(self, media: LegMedia) -> None:
        """What the other end sends is heard again."""
        self._beneath.pop(media, None)
        player = self._playing.pop(media, None)
        if player is not None:
            player.stop()

    def announce(self, media: LegMedia, sound: Sound) -> None:
        """Play a sound once from now on, in place of what is played; `stop` cuts it short, and has to come in the end."""
        self.stop(media)
        player = self._playing[media] = self._players.open(media)
        player.start(sound)

    def tone(self, kind: Tone) -> Sound:
        """A tone as it sounds in the region."""
        return self._sounds.tone(kind)

    def beep(self, media: LegMedia, kind: Tone) -> None:
        """Play a tone once, and then what was played before, or whatever the other end sends."""
        player = self._playing.get(media)
        before = self._beneath.get(media) or (player.sound if player is not None else None)
        if player is None or before is None:
            self.stop(media)
            self._players.open(media).start(self._sounds.tone(kind))
            return
        self._beneath[media] = before
        player.start(self._sounds.tone(kind), on_end=partial(self._resume, media))

    def _resume(self, media: LegMedia) -> None:
        before = self._beneath.pop(media, None)
        if before is not None:
            self._loop(media, before)

    async def say(self, media: LegMedia, kind: Tone) -> None:
        """Play a tone to its end, or until the task is cancelled."""
        self.stop(media)
        ended = anyio.Event()
        player = self._players.open(media)
        player.start(self._sounds.tone(kind), on_end=ended.set)
        try:
            await ended.wait()
        finally:
            player.stop()
