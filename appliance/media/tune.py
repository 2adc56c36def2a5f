"""The hold music that the exchange brings along: calculated, so that it belongs to nobody else.

The executable carries it ready to play: `image/freeze` writes it when it is built. From a checkout it is calculated.

Twelve bars of four chords, each laid out as a soft chord under eight plucked notes; the last note rings on into the first.
"""

from __future__ import annotations

import audioop
import wave
from array import array
from functools import cache
from math import exp, pi, sin
from pathlib import Path

from appliance.media.g711 import RATE_HZ
from appliance.media.sound import Sound

__all__ = ["TUNE_FILE", "calculate_tune", "make_tune"]

TUNE_FILE = Path(__file__).with_name("tune.wav")
"Where a build has left it."

EIGHTH_S = 0.4
EIGHTHS_IN_A_BAR = 8
PLUCK_S = 1.6
A4_HZ, A4 = 440.0, 69
"MIDI's number of the tuning fork."

# Chords as MIDI notes, bass first: C, A minor, F and G with their sevenths or ninths.
CHORDS = (
    ((48, 52, 55, 59), (60, 64, 67, 71)),
    ((45, 52, 55, 60), (57, 60, 64, 67)),
    ((41, 48, 52, 57), (60, 64, 65, 69)),
    ((43, 50, 53, 59), (59, 62, 67, 69)),
)
# Which of a chord's four upper notes each eighth plucks; None is a rest. One line for each time round.
FIGURES = (
    (0, 1, 2, 3, 2, 1, 2, 1),
    (0, 2, 1, 3, None, 2, 1, 2),
    (3, 2, 1, 0, 1, 2, 3, None),
)
# Overtones and their shares. Bass notes need them: a telephone lets through 300 to 3400 Hz only.
PLUCK = (1.0, 0.45, 0.2, 0.08)
PAD = (0.7, 0.5, 0.35, 0.15)
PLUCK_PEAK, PAD_PEAK = 6_500, 2_000
TABLE = 2_048


@cache
def make_tune() -> Sound:
    """38.4 s that can be looped: read, or calculated. It blocks: use a thread."""
    if not TUNE_FILE.exists():
        return Sound(calculate_tune())
    with wave.open(str(TUNE_FILE), "rb") as file:
        return Sound(file.readframes(file.getnframes()))


def calculate_tune() -> bytes:
    """Its samples as `Sound` takes them. Takes a tenth of a second on a desktop, perhaps one on a small board."""
    eighth = round(EIGHTH_S * RATE_HZ)
    bars = len(FIGURES) * len(CHORDS)
    mix = bytearray(2 * bars * EIGHTHS_IN_A_BAR * eighth)
    for bar in range(bars):
        pad, upper = CHORDS[bar % len(CHORDS)]
        start = bar * EIGHTHS_IN_A_BAR * eighth
        for note in pad:
            _lay(mix, start, _pad(note))
        for at, choice in enumerate(FIGURES[bar // len(CHORDS)]):
            if choice is not None:
                _lay(mix, start + at * eighth, _pluck(upper[choice]))
    return bytes(mix)


def _lay(mix: bytearray, start: int, note: bytes) -> None:
    """Add a note's samples from sample `start` on, and what reaches beyond the end at the beginning."""
    begin = 2 * start
    end = min(begin + len(note), len(mix))
    fits = end - begin
    mix[begin:end] = audioop.add(mix[begin:end], note[:fits], 2)
    rest = note[fits:]
    if rest:
        mix[: len(rest)] = audioop.add(mix[: len(rest)], rest, 2)


@cache
def _pluck(note: int) -> bytes:
    count = round(PLUCK_S * RATE_HZ)
    attack = RATE_HZ // 100
    # Gone by the end, to within a step of the law's finest.
    envelope = [min(at / attack, 1.0) * exp(-5.0 * at / count) * (1 - at / count) for at in range(count)]
    return _note(note, PLUCK, PLUCK_PEAK, envelope)


@cache
def _pad(note: int) -> bytes:
    bar = round(EIGHTHS_IN_A_BAR * EIGHTH_S * RATE_HZ)
    fade = bar // 8
    # Each chord fades out while the next fades in.
    envelope = [min(at / fade, 1.0, (bar + fade - at) / fade) for at in range(bar + fade)]
    return _note(note, PAD, PAD_PEAK, envelope)


def _note(note: int, overtones: tuple[float, ...], peak: int, envelope: list[float]) -> bytes:
    period = _period(overtones)
    step = A4_HZ * 2 ** ((note - A4) / 12) * TABLE / RATE_HZ
    mask = TABLE - 1
    samples = (round(peak * share * period[int(at * step) & mask]) for at, share in enumerate(envelope))
    return array("h", samples).tobytes()


@cache
def _period(overtones: tuple[float, ...]) -> tuple[float, ...]:
    """One period, of a peak below 1."""
    total = sum(overtones)
    return tuple(
        sum(share * sin(2 * pi * (n + 1) * at / TABLE) for n, share in enumerate(overtones)) / total
        for at in range(TABLE)
    )
