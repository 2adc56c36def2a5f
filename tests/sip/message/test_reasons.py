"""Reason phrases. RFC 3261 §21."""

from __future__ import annotations

import pytest

from appliance.sip.message import reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (180, "Ringing"),
        (486, "Busy Here"),
        (499, "Bad Request"),
        (299, "OK"),
        (699, "Busy Everywhere"),
        (799, "Unknown"),
    ],
)
def test_phrases(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase
