"""config/music.py: a file's name that leads nowhere else."""

from __future__ import annotations

from typing import get_args

import pytest

from appliance.config.music import MAX_TITLE, Music, ToneRegion, verify
from appliance.errors import ConfigError
from appliance.media.tones import REGIONS


def test_a_new_box_s_settings_and_a_file_of_ours_are_good() -> None:
    verify(Music())
    verify(Music(file="hold-0123456789abcdef.wav", title="x" * MAX_TITLE))


@pytest.mark.parametrize(
    "music",
    [
        Music(file="../branchbox.db"),
        Music(file="hold-0123456789abcdef.wav\n"),
        Music(file="/etc/passwd"),
        Music(title="x" * (MAX_TITLE + 1)),
    ],
)
def test_anything_else_is_refused(music: Music) -> None:
    with pytest.raises(ConfigError):
        verify(music)


def test_the_regions_are_those_that_there_are_tones_for() -> None:
    assert get_args(ToneRegion) == REGIONS
