"""What a box has promised at a moment. Requirements not tested: looking through a card (test_power_cuts)."""

from __future__ import annotations

from tests.image.examination import Promises
from tests.image.recording import Change, Story


class Log:
    """One with a request for each hundred octets."""

    def position(self, length: int) -> int:
        return length // 100


STORY = Story(
    answered=1000,
    saved=2000,
    kept=3000,
    ended=3500,
    changes=[
        Change("host_name", "cut-1", 1000, 1100),
        Change("extension", "301", 1100, 1300),
        Change("host_name", "cut-2", 1400, 1600),
        Change("extension", "302", 2000, None),
    ],
)


def promises(moment: int) -> Promises:
    return Promises.at(moment, STORY, Log())


def test_nothing_is_promised_before_the_first_answer() -> None:
    assert promises(9) == Promises(
        set_up=False, kept=False, numbers=frozenset(), perhaps=frozenset(), names=frozenset({"cut-0"})
    )
    assert promises(10).set_up


def test_what_was_asked_for_may_be_there_and_what_was_acknowledged_must() -> None:
    for moment, (numbers, perhaps) in {11: ([], ["301"]), 12: ([], ["301"]), 13: (["301"], [])}.items():
        assert sorted(promises(moment).numbers) == numbers
        assert sorted(promises(moment).perhaps) == perhaps


def test_a_name_is_the_last_acknowledged_or_a_later_one() -> None:
    assert [sorted(promises(moment).names) for moment in (10, 11, 14, 16)] == [
        ["cut-0", "cut-1"],
        ["cut-1"],
        ["cut-1", "cut-2"],
        ["cut-2"],
    ]


def test_what_never_had_an_answer_may_be_there_for_ever() -> None:
    assert promises(35).perhaps == {"302"}
    assert promises(35).kept
    assert not promises(29).kept
