"""Which algorithms a phone is offered. RFC 8760 §2.4, and what phones make of it."""

from __future__ import annotations

import pytest

from appliance.directory import offers
from appliance.directory.offers import ALL, MD5_ALONE, Offers


def test_a_phone_that_answers_is_offered_both_each_time() -> None:
    offered = Offers()
    for request in ("1", "2", "3"):
        assert offered.choose("a", "101", "Phone", request) == ALL
        offered.answered("a", "101")


def test_a_phone_that_only_asks_again_is_offered_md5_alone_from_then_on() -> None:
    offered = Offers()
    assert offered.choose("a", "101", "Phone", "1") == ALL
    for request in ("2", "3"):
        assert offered.choose("a", "101", "Phone", request) == MD5_ALONE
        offered.answered("a", "101")
    assert offered.choose("a", "102", "Phone", "4") == ALL, "its neighbour"


def test_a_request_whose_answer_was_lost_is_offered_the_same_again() -> None:
    offered = Offers()
    assert offered.choose("a", "101", "Phone", "1") == ALL
    assert offered.choose("a", "101", "Phone", "1") == ALL
    assert offered.choose("a", "101", "Phone", "2") == MD5_ALONE


@pytest.mark.parametrize("agent", ["baresip v1.0.0 (x86_64/linux)", "baresip v0.6.5"])
def test_a_phone_known_to_give_up_is_spared(agent: str) -> None:
    assert Offers().choose("a", "101", agent, "1") == MD5_ALONE


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "MAX_PHONES", 2)
    offered = Offers()
    for number in ("1", "2", "3"):
        offered.choose("a", number, "Phone", "1")
    assert offered.choose("a", "1", "Phone", "2") == ALL, "forgotten"
    assert offered.choose("a", "3", "Phone", "2") == MD5_ALONE
