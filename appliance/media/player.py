"""Players: each sends one leg a sound, a packet every 20 ms, while the leg's partner is not heard.

RFC 3550 §5.1 (sequence, timestamp, SSRC), RFC 3551 §4.1 (the marker bit begins a talkspurt).
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING

import anyio

from appliance.errors import LocalError
from appliance.media.seam import Place
from appliance.media.sound import FRAME_S, FRAME_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from appliance.clock import Timer, Timers
    from appliance.media.leg import LegMedia
    from appliance.media.sound import Sound

__all__ = ["Player", "Players"]

MOST_BEHIND = 5
"""Ticks that are made up for at once after the process was kept waiting: 100 ms is what telephones put by. Of a longer
wait nothing is sent later; the sound goes on where it stopped."""

logger = logging.getLogger(__name__)

_HEADER = struct.Struct("!BBHII")
VERSION = 0x80
MARKER = 0x80


class Player:
    """Plays to one leg, one sound at a time. Made by `Players.open`."""

    __slots__ = (
        "_at", "_loops", "_marker", "_on_end", "_players", "_sequence", "_sound", "_ssrc", "_timestamp", "leg",
    )  # fmt: skip

    def __init__(self, players: Players, leg: LegMedia) -> None:
        self._players = players
        self.leg = leg
        self._sound: Sound | None = None
        self._on_end: Callable[[], None] | None = None
        self._loops = False
        self._at = 0
        self._marker = 0
        self._sequence = self._timestamp = self._ssrc = 0

    @property
    def sound(self) -> Sound | None:
        """What is being played; None when nothing is."""
        return self._sound

    def start(self, sound: Sound, *, loop: bool = False, on_end: Callable[[], None] | None = None) -> None:
        """Play from the beginning, in place of what was being played, whose `on_end` is then never called.

        `on_end` is called once the sound was played to its end; the partner is heard again by then. To a peer that can
        be played nothing the sound passes unheard, in its own time. A leg that is closed ends it all without a word.
        """
        if not sound.frames:
            raise LocalError("a sound without length cannot be played")
        self._part()
        self._sound, self._loops, self._on_end = sound, loop, on_end
        self._at, self._marker = 0, MARKER
        self._players.add(self)
        if not self.leg.closed:
            self.leg.occupy(True)
            place = self.leg.begin(self._players.draw(), self._players.now())
            self._sequence, self._timestamp, self._ssrc = place

    def stop(self) -> None:
        """Play nothing any more, and let the partner be heard again. Stopping twice is harmless."""
        if self._sound is None:
            return
        self._part()
        self._sound = self._on_end = None
        self._players.remove(self)
        if not self.leg.closed:
            self.leg.occupy(False)

    def _part(self) -> None:
        """Say where the stream is, for whoever is heard next."""
        if self._sound is None or self._marker or self.leg.closed:
            return  # nothing was sent
        sequence, timestamp = self._sequence - 1 & 0xFFFF, self._timestamp - FRAME_SAMPLES & 0xFFFF_FFFF
        self.leg.end(Place(sequence, timestamp, self._ssrc), self._players.now())

    def tick(self) -> None:
        """Send the next packet, or stop at the sound's end. For `Players` alone."""
        sound, leg = self._sound, self.leg
        if sound is None:
            return
        if leg.closed:
            self.stop()
            return
        if self._at == sound.frames:
            if not self._loops:
                self._end()
                return
            self._at = 0
        self._send(sound)
        self._timestamp = self._timestamp + FRAME_SAMPLES & 0xFFFF_FFFF
        self._at += 1

    def _send(self, sound: Sound) -> None:
        playable = self.leg.playable
        if playable is None:
            self._marker = MARKER
            return
        second = self._marker | playable.payload_type
        header = _HEADER.pack(VERSION, second, self._sequence, self._timestamp, self._ssrc)
        self.leg.play(header + sound.frame(self._at, playable.law))
        self._sequence = self._sequence + 1 & 0xFFFF
        self._marker = 0

    def _end(self) -> None:
        on_end = self._on_end
        self.stop()
        if on_end is not None:
            on_end()


class Players:
    """All players of the process: at most as many as there are legs. They are paced together, and only while one plays.

    `run` paces them where it runs, for less than a timer costs; a timer does where it does not.
    """

    def __init__(self, timers: Timers, random: Random) -> None:
        self._timers = timers
        self._random = random
        self._playing: dict[LegMedia, Player] = {}
        self._due = 0.0
        self._timer: Timer | None = None
        self._begun: anyio.Event | None = None
        "Set when the first begins to play; None while `run` does not run."

    async def run(self) -> None:
        """Pace the players for ever."""
        self._begun = anyio.Event()
        try:
            while True:
                await self._begun.wait()
                self._begun = anyio.Event()
                while self._playing:
                    self._tick()
                    await anyio.sleep(max(self._due - self._timers.now(), 0.0))
        finally:
            self._begun = None

    def __len__(self) -> int:
        """How many play: what tests check for leaks."""
        return len(self._playing)

    def open(self, leg: LegMedia) -> Player:
        """A player for `leg`. Of several players of one leg, the one plays that was started last."""
        return Player(self, leg)

    # What a player asks for.

    def now(self) -> float:
        """Seconds, by the relay's clock."""
        return self._timers.now()

    def draw(self) -> Place:
        """RFC 3550 §5.1: sequence and timestamp begin anywhere, and no other source has that SSRC."""
        random = self._random
        return Place(random.getrandbits(16), random.getrandbits(32), random.getrandbits(32))

    def add(self, player: Player) -> None:
        former = self._playing.get(player.leg)
        if former is not None and former is not player:
            former.stop()
        self._playing[player.leg] = player
        if len(self._playing) == 1:
            self._begin()

    def remove(self, player: Player) -> None:
        if self._playing.get(player.leg) is player:
            del self._playing[player.leg]
        if not self._playing and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        if self._begun is None:
            self._due = self._timers.now()
            self._wait()
        elif not self._begun.is_set():
            # While `run` still sleeps after the last one stopped, its next tick stands.
            self._due = max(self._due, self._timers.now())
            self._begun.set()

    def _wait(self) -> None:
        self._timer = self._timers.after(max(self._due - self._timers.now(), 0.0), self._run_timer)

    def _run_timer(self) -> None:
        self._timer = None
        self._tick()
        if self._playing and self._timer is None:
            self._wait()

    def _tick(self) -> None:
        now = self._timers.now()
        if now - self._due > MOST_BEHIND * FRAME_S:
            self._due = now
        while self._playing and self._due <= now:
            for player in list(self._playing.values()):
                _tick_one(player)
            self._due += FRAME_S


def _tick_one(player: Player) -> None:
    # One player's mishap, or its `on_end`'s, must not end the music of all.
    try:
        player.tick()
    except Exception:
        logger.exception("a player failed")
        player.stop()
