"""WAV files: the owner's as samples to play, and samples as a file. All of it blocks: for a thread.

Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, WAVE); WAVEFORMATEXTENSIBLE; ITU-T G.711.
"""

from __future__ import annotations

import audioop
import os
import struct
import sys
import wave
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

from appliance.errors import ConfigError
from appliance.media.g711 import RATE_HZ
from appliance.media.resample import Resampler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MAX_SECONDS", "keep_wav", "read_wav", "save_wav", "write_wav"]

MAX_SECONDS = 600
"What a caller hears of it is less; in memory ten minutes are 10 MB."
MAX_CHUNKS = 100  # before the sound: titles, cue points, pictures
LOUDEST_RMS = 2_600
"""-22 dB of the loudest: where speech lies. Music as it is sold is 10 dB louder and would be unpleasant in a telephone."""
PIECE_S = 0.25  # audioop holds the interpreter, and so the exchange, while it works on a piece: a millisecond

PCM, EXTENSIBLE = 1, 0xFFFE
FORMATS = {(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2)}
"Octets of a sample, and channels."
LOWEST_HZ, HIGHEST_HZ = 8_000, 48_000
UNKNOWN_SIZES = (0, 0x7FFF_FFFF, 0xFFFF_FFFF)
"What programs write that put a file out before they know its length."

_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")


class Form(NamedTuple):
    """How the samples are laid out."""

    rate_hz: int
    channels: int
    sample_octets: int

    @property
    def frame_octets(self) -> int:
        return self.channels * self.sample_octets


def read_wav(path: Path, setting: str) -> bytes:
    """The samples of a file as `Sound` takes them, made as loud as speech at most. `setting` is where a refusal points.

    ConfigError for a file that is no WAV, is cut short, is empty, is longer than ten minutes, or is of a kind that is not
    PCM of 8, 16, 24 or 32 bits, mono or stereo, with 8,000 to 48,000 samples a second.
    """
    try:
        with path.open("rb") as file:
            return _read(file, setting)
    except OSError as error:
        raise ConfigError(setting, "error.cannot_read", file=path.name, reason=error.strerror) from error


def write_wav(file: BinaryIO, samples: bytes) -> None:
    """Samples as `Sound` takes them, as a WAV file. OSError as the file raises it."""
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples)


def keep_wav(path: Path, samples: bytes, setting: str) -> None:
    """Samples as `Sound` takes them, as a WAV file that is there whole or not at all, in a folder that need not be there.

    ConfigError when it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with part.open("wb") as file:
            write_wav(file, samples)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ConfigError(setting, "error.cannot_write", file=path.name, reason=error.strerror) from error


def save_wav(target: Path, samples: bytes, setting: str) -> None:
    """Samples as `Sound` takes them, as a new WAV file for somebody to listen to. ConfigError when it cannot be written."""
    try:
        with target.open("xb") as file:
            write_wav(file, samples)
    except OSError as error:
        raise ConfigError(setting, "error.cannot_write", file=str(target), reason=error.strerror) from error


def _read(file: BinaryIO, setting: str) -> bytes:
    form, octets = _head(file, setting)
    frames = octets // form.frame_octets
    if not frames:
        raise ConfigError(setting, "error.wav_empty")
    if frames > MAX_SECONDS * form.rate_hz:
        raise ConfigError(setting, "error.wav_too_long", minutes=MAX_SECONDS // 60)
    resampler = Resampler(form.rate_hz)
    samples = b"".join(resampler.feed(_mono(piece, form)) for piece in _pieces(file, form, frames, setting))
    if not audioop.max(samples, 2):
        raise ConfigError(setting, "error.wav_silent")
    return _limited(samples)


def _head(file: BinaryIO, setting: str) -> tuple[Form, int]:
    """Read up to the first sample: how they are laid out, and how many octets there are."""
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise ConfigError(setting, "error.not_a_wav")
    form: Form | None = None
    for _ in range(MAX_CHUNKS):
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            break
        name, size = _CHUNK.unpack(head)
        if name == b"data" and form is not None:
            return form, _data_octets(file, size, setting)
        if name == b"fmt ":
            form = _form(file.read(min(size, 64)), setting)
            size -= min(size, 64)
        file.seek(size + size % 2, os.SEEK_CUR)
    raise ConfigError(setting, "error.not_a_wav" if form is None else "error.wav_empty")


def _data_octets(file: BinaryIO, size: int, setting: str) -> int:
    here = file.tell()
    left = file.seek(0, os.SEEK_END) - here
    file.seek(here)
    if size in UNKNOWN_SIZES:
        return left
    if size > left:
        raise ConfigError(setting, "error.wav_truncated")
    return size


def _form(text: bytes, setting: str) -> Form:
    if len(text) < _FORMAT.size:
        raise ConfigError(setting, "error.not_a_wav")
    kind, channels, rate_hz, _, block, bits = _FORMAT.unpack_from(text)
    if kind == EXTENSIBLE and len(text) >= 26:
        # The kind that counts begins the GUID at the end.
        kind = int.from_bytes(text[24:26], "little")
    if kind != PCM or (bits // 8, channels) not in FORMATS or block * 8 != bits * channels:
        _refuse_kind(setting)
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        _refuse_kind(setting)
    return Form(rate_hz, channels, bits // 8)


def _refuse_kind(setting: str) -> NoReturn:
    raise ConfigError(setting, "error.wav_kind")


def _pieces(file: BinaryIO, form: Form, frames: int, setting: str) -> Iterator[bytes]:
    left = frames * form.frame_octets
    most = round(PIECE_S * form.rate_hz) * form.frame_octets
    while left:
        piece = file.read(min(left, most))
        if len(piece) % form.frame_octets or not piece:
            raise ConfigError(setting, "error.wav_truncated")
        left -= len(piece)
        yield piece


def _mono(piece: bytes, form: Form) -> bytes:
    """One channel of 32 bits in this machine's byte order."""
    width = form.sample_octets
    if width == 1:
        piece = audioop.bias(piece, 1, 128)  # 8 bits are without sign in WAV, and the others are not
    elif sys.byteorder == "big":
        piece = audioop.byteswap(piece, width)
    piece = audioop.lin2lin(piece, width, 4)
    return audioop.tomono(piece, 4, 0.5, 0.5) if form.channels == 2 else piece


def _limited(samples: bytes) -> bytes:
    octets = 2 * RATE_HZ  # a second at a time, for audioop's sake
    pieces = [samples[at : at + octets] for at in range(0, len(samples), octets)]
    power = sum(audioop.rms(piece, 2) ** 2 * len(piece) for piece in pieces) / len(samples)
    if power <= LOUDEST_RMS**2:
        return samples
    factor = LOUDEST_RMS / power**0.5
    return b"".join(audioop.mul(piece, 2, factor) for piece in pieces)
