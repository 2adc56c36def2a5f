"""Finding a time zone by typing, or by walking the lists of a small screen."""

from __future__ import annotations

import pytest

from appliance.serial.dialogue import Words
from appliance.serial.line_editor import width
from appliance.serial.time_zones import ask_time_zone, find_time_zones
from tests.serial.exchange import FakeExchange
from tests.serial.person import converse


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("shanghai", "Asia/Shanghai"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        ("berli", "Europe/Berlin"),
    ],
)
def test_what_a_person_may_type(text: str, zone: str) -> None:
    assert find_time_zones(text) == [zone]


def test_what_is_no_time_zone() -> None:
    for text in ("", "Atlantis", "../etc/passwd", "\x00"):
        assert find_time_zones(text) == []


@pytest.mark.parametrize(
    ("answers", "zone"),
    [
        ([""], "Asia/Shanghai"),
        (["7", "Paris"], "Europe/Paris"),
        (["Europe", "", ""], None),  # pages through the towns and begins again
        (["8", "1"], "Indian/Antananarivo"),
        (["2", "", "Nome"], "America/Nome"),
        (["2", "x", "0", "9999", "1"], "America/Adak"),
    ],
)
def test_the_lists(answers: list[str], zone: str | None) -> None:
    screen, chosen = converse(ask_time_zone(Words(), "Asia/Shanghai"), FakeExchange(), answers)
    if zone is None:
        assert screen.text.count("Type the number of a region") == 2
    else:
        assert chosen == zone
    assert max(width(line) for line in screen.text.splitlines()) <= 80
