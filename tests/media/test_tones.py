"""media/tones.py, tune.py and sound.py: what the exchange can play by itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from appliance.media import tune as tune_module
from appliance.media.g711 import Law, decode, encode
from appliance.media.sound import FRAME_SAMPLES, Sound
from appliance.media.tone import sine, tone_share
from appliance.media.tones import REGIONS, Region, silence, tone
from appliance.media.tune import calculate_tune, make_tune
from appliance.media.wav import write_wav


def heard(sound: Sound, law: Law = "PCMU") -> list[int]:
    return [each for at in range(sound.frames) for each in decode(sound.frame(at, law), law)]


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_a_sound_is_what_our_own_tables_make_of_it(law: Law) -> None:
    samples = sine(440, 3 * FRAME_SAMPLES)
    sound = Sound(samples.tobytes())
    assert b"".join(sound.frame(at, law) for at in range(3)) == encode(samples, law)


def test_the_last_frame_is_filled_up_with_silence() -> None:
    sound = Sound(sine(440, FRAME_SAMPLES + 1).tobytes())
    assert (sound.frames, sound.seconds) == (2, 0.04)
    assert set(heard(sound)[FRAME_SAMPLES + 1 :]) == {0}


@pytest.mark.parametrize(
    ("region", "hz", "on", "off"),
    [("china", 450, 1.0, 4.0), ("europe", 425, 1.0, 4.0), ("united-kingdom", 400, 0.4, 0.2)],
)
def test_ring_back_sounds_as_in_the_region(region: Region, hz: float, on: float, off: float) -> None:
    samples = heard(tone("ring-back", region))
    sounding, pause = round(8000 * on), round(8000 * off)
    assert tone_share(samples[:sounding], hz) > (0.45 if region == "united-kingdom" else 0.95)
    assert not any(samples[sounding : sounding + pause])


def test_north_america_hears_two_frequencies() -> None:
    samples = heard(tone("ring-back", "north-america"))
    assert len(samples) == 48_000
    assert min(tone_share(samples[:16_000], hz) for hz in (440, 480)) > 0.45


@pytest.mark.parametrize("region", REGIONS)
def test_every_tone_is_there_for_every_region_and_made_once(region: Region) -> None:
    for kind in ("ring-back", "busy", "error", "confirmation"):
        made = tone(kind, region)
        assert 2_000 < max(heard(made)) < 16_000
        assert tone(kind, region) is made


def test_silence_is_silent() -> None:
    assert set(heard(silence())) == {0}
    assert silence().seconds == 1.0


def test_the_built_in_music_is_half_a_minute_never_still_and_never_too_loud() -> None:
    tune = make_tune()
    assert tune.seconds == pytest.approx(38.4)
    samples = heard(tune)
    assert max(map(abs, samples)) < 20_000
    seconds = [samples[at : at + 8000] for at in range(0, len(samples) - 8000, 8000)]
    levels = [(sum(each * each for each in second) / 8000) ** 0.5 for second in seconds]
    assert min(levels) > 700
    assert max(levels) < 4_000


def test_music_that_was_calculated_before_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tune.wav"
    with file.open("wb") as out:
        write_wav(out, calculate_tune())
    monkeypatch.setattr(tune_module, "TUNE_FILE", file)
    monkeypatch.setattr(tune_module, "calculate_tune", None)  # nobody may ask for it
    make_tune.cache_clear()
    kept = make_tune().samples()
    monkeypatch.undo()
    make_tune.cache_clear()
    assert kept == make_tune().samples()


def test_the_music_goes_on_without_a_click_where_it_begins_again() -> None:
    samples = heard(make_tune())
    steps = [abs(b - a) for a, b in pairwise(samples)]
    assert abs(samples[0] - samples[-1]) <= max(steps)
