"""The sound that sipp sends: some seconds of a tone in PCMU."""

from __future__ import annotations

from pathlib import Path

from appliance.media.g711 import RATE_HZ, encode
from appliance.media.tone import sine

__all__ = ["write_tone"]


def write_tone(file: Path, hertz: float = 440.0, seconds: float = 5.0) -> None:
    """Headerless mu-law at 8 kHz, as sipp's rtp_stream takes it."""
    file.write_bytes(encode(sine(hertz, int(seconds * RATE_HZ)), "PCMU"))
