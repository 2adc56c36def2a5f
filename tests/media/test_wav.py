"""media/wav.py and resample.py: files of every usual kind sound the same, and odd ones are refused in words."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ConfigError
from appliance.locale import LANGUAGES, say
from appliance.media.g711 import decode
from appliance.media.resample import Resampler
from appliance.media.sound import Sound
from appliance.media.tone import sine, tone_share
from appliance.media.wav import LOUDEST_RMS, MAX_SECONDS, read_wav, write_wav

if TYPE_CHECKING:
    from pathlib import Path

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return (
        struct.pack("<4sI", name, len(content) if size is None else size) + content + bytes(len(content) % 2)
    )


def head(rate: int = 8000, channels: int = 1, bits: int = 16, kind: int = PCM) -> bytes:
    block = channels * bits // 8
    fields = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    if kind == EXTENSIBLE:
        fields += (
            struct.pack("<HHI", 22, bits, 0)
            + struct.pack("<H", PCM)
            + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x008\x9bq"
        )
    return chunk(b"fmt ", fields)


def wav(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)


def samples(rate: int, bits: int, channels: int, hz: float = 1000, seconds: float = 1.0) -> bytes:
    """A tone, on the first channel only."""
    tone = sine(hz, round(rate * seconds), rate_hz=rate, peak=4000)
    octets = bits // 8
    if bits == 8:
        frames = [bytes([(each >> 8) + 128]) + b"\x80" * (channels - 1) for each in tone]
    else:
        wide = [each << (bits - 16) for each in tone]
        frames = [
            each.to_bytes(octets, "little", signed=True) + bytes(octets * (channels - 1)) for each in wide
        ]
    return b"".join(frames)


def read(tmp_path: Path, content: bytes) -> Sound:
    file = tmp_path / "music.wav"
    file.write_bytes(content)
    return Sound(read_wav(file, "music.file"))


def refusal(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, content)
    assert caught.value.path == "music.file"
    for language in LANGUAGES:
        assert say(caught.value.key, language, **caught.value.params)
    return caught.value.key


def heard(sound: Sound) -> list[int]:
    return [each for at in range(sound.frames) for each in decode(sound.frame(at, "PCMA"), "PCMA")]


@pytest.mark.parametrize("kind", [PCM, EXTENSIBLE])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_every_usual_kind_is_read(tmp_path: Path, rate: int, channels: int, bits: int, kind: int) -> None:
    sound = read(
        tmp_path, wav(head(rate, channels, bits, kind), chunk(b"data", samples(rate, bits, channels)))
    )
    assert sound.seconds == pytest.approx(1.0, abs=0.021)
    middle = heard(sound)[800:7200]
    assert tone_share(middle, 1000) > 0.95
    assert (sum(each * each for each in middle) / len(middle)) ** 0.5 == pytest.approx(
        2828 / channels, rel=0.1
    )


def test_chunks_around_the_sound_are_read_over(tmp_path: Path) -> None:
    title, picture = chunk(b"LIST", b"odd"), chunk(b"id3 ", bytes(5000))
    content = wav(title, head(), picture, chunk(b"data", samples(8000, 16, 1)), title)
    assert read(tmp_path, content).frames == 50


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_length_that_was_not_known_means_to_the_end(tmp_path: Path, size: int) -> None:
    assert read(tmp_path, wav(head(), chunk(b"data", samples(8000, 16, 1), size))).frames == 50


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "error.not_a_wav"),
        (b"ID3\x04" + bytes(100), "error.not_a_wav"),
        (wav(), "error.not_a_wav"),
        (wav(chunk(b"fmt ", b"short")), "error.not_a_wav"),
        (wav(chunk(b"data", bytes(100))), "error.not_a_wav"),
        (wav(head(kind=FLOAT, bits=32), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head(channels=5), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head(channels=0), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head(bits=12), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head(rate=96_000), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head(rate=4_000), chunk(b"data", bytes(100))), "error.wav_kind"),
        (wav(head()), "error.wav_empty"),
        (wav(head(), chunk(b"data", b"")), "error.wav_empty"),
        (wav(head(), chunk(b"data", b"x")), "error.wav_empty"),
        (wav(head(), chunk(b"data", bytes(32_000))), "error.wav_silent"),
        (wav(head(), chunk(b"data", samples(8000, 16, 1), 20_000)), "error.wav_truncated"),
        (wav(head()) + bytes(3), "error.wav_empty"),
    ],
)
def test_odd_files_are_refused(tmp_path: Path, content: bytes, key: str) -> None:
    assert refusal(tmp_path, content) == key


def test_too_long_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    octets = (MAX_SECONDS + 1) * 16_000
    with file.open("wb") as opened:
        opened.write(wav(head(), struct.pack("<4sI", b"data", octets)))
        opened.truncate(opened.tell() + octets)
    with pytest.raises(ConfigError, match=r"error\.wav_too_long"):
        read_wav(file, "music.file")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"error\.cannot_read"):
        read_wav(tmp_path / "none.wav", "music.file")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_octets_are_a_sound_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, two: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for content in (one, wav(one, two), wav(head(), chunk(b"data", one)) + two):
        try:
            assert read(folder, content).frames
        except ConfigError as error:
            assert error.path == "music.file"


def test_loud_music_is_made_as_loud_as_speech_and_soft_music_is_left(tmp_path: Path) -> None:
    loud = sine(500, 8000, peak=30_000).tobytes()
    level = max(heard(read(tmp_path, wav(head(), chunk(b"data", loud)))))
    assert level == pytest.approx(LOUDEST_RMS * 2**0.5, rel=0.05)


def test_what_a_telephone_cannot_play_does_not_fold_down() -> None:
    resampler = Resampler(48_000)
    wide = sine(7_000, 48_000, rate_hz=48_000, peak=16_000)
    octets = b"".join(each.to_bytes(4, "little", signed=True) for each in (value << 16 for value in wide))
    out = b"".join(resampler.feed(octets[at : at + 4000]) for at in range(0, len(octets), 4000))
    folded = struct.unpack(f"<{len(out) // 2}h", out)
    assert len(folded) == 8000
    assert max(folded[400:]) < 160


def test_what_is_written_is_read_again_as_it_was(tmp_path: Path) -> None:
    tone = sine(440, 8000, peak=3000).tobytes()
    with (tmp_path / "tone.wav").open("wb") as file:
        write_wav(file, tone)
    assert read_wav(tmp_path / "tone.wav", "music.file") == tone
