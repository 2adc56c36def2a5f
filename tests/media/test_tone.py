"""media/tone.py: a tone is heard through G.711, another one and silence are not."""

from __future__ import annotations

from random import Random

import pytest

from appliance.media.g711 import decode, encode
from appliance.media.tone import sine, tone_share


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_a_tone_survives_the_codec(law: str) -> None:
    heard = decode(encode(sine(440, 800), law), law)  # type: ignore[arg-type]  # one of the two laws
    assert tone_share(heard, 440) > 0.95
    assert tone_share(heard, 620) < 0.01


def test_the_second_half_goes_on_where_the_first_ended() -> None:
    assert sine(620, 400) == sine(620, 160) + sine(620, 240, start=160)


def test_silence_and_noise_are_no_tone() -> None:
    noise = Random(1)
    assert tone_share([0] * 800, 440) == 0
    assert tone_share([noise.randrange(-8000, 8000) for _ in range(800)], 440) < 0.05


def test_half_of_two_tones_is_each() -> None:
    both = [a + b for a, b in zip(sine(440, 800), sine(620, 800), strict=True)]
    assert tone_share(both, 440) == pytest.approx(0.5, abs=0.01)
