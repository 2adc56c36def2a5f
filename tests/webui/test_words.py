"""Which language a reader gets, and what happens to a key without words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.locale import LANGUAGES
from webui import words


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de-DE,de;q=0.9,zh;q=0.5,en;q=0.4", "zh"),
        ("en;q=0.2, zh-Hant-TW;q=0.7", "zh"),
        ("zh;q=0, de", "en"),
        ("ZH", "zh"),
        ("zh;q=much", "en"),
    ],
)
def test_the_browser_says_what_its_reader_reads(header: str, language: str) -> None:
    assert words.preferred_language(header) == language


@given(st.text())
def test_any_header_gives_a_language(header: str) -> None:
    assert words.preferred_language(header) in LANGUAGES


def test_a_key_without_words_is_shown_as_it_is() -> None:
    assert words.say("error.of_tomorrow", "en", number="1") == "error.of_tomorrow"
    assert words.say_or_none("error.of_tomorrow", "zh") is None
