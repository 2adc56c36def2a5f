"""appliance/lines/learned.py."""

from __future__ import annotations

import pytest

from appliance.lines.feature import Feature, Habit
from appliance.lines.learned import LESSON_SECONDS, Learned, Lesson

WAY = "line:a"
NO_100REL, NO_TIMER = Habit("100rel", on=False), Habit("timer", on=False)
USER_PHONE = Habit("user-phone", on=True)


class House:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.saved: dict[str, tuple[Lesson, ...]] = {}
        self.learned = Learned(self.saved.__setitem__, lambda: self.now)
        self.learned.follow({WAY: "settings", "trunk:hq": 1})

    def habits(self) -> set[Habit]:
        return set(self.learned.habits(WAY))


@pytest.fixture
def house() -> House:
    return House()


def test_a_lesson(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    lesson = Lesson("100rel", on=False, said="405 to PRACK", at=house.now)
    assert house.learned.of(WAY) == (lesson,)
    assert house.saved == {WAY: (lesson,)}
    assert house.learned.of("trunk:hq") == ()
    house.now += 60
    house.learned.note(WAY, (NO_100REL,), "501 to PRACK")
    assert house.learned.of(WAY) == (lesson,), "the first one counts"
    known = house.learned.known(WAY)
    assert known.off == known.settled == {"100rel"}
    assert known.pinned == set()


def test_a_lesson_is_tried_again_after_a_month(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    house.now += 5
    house.learned.note(WAY, (NO_TIMER,), "420 to INVITE")
    house.learned.keep(WAY, house.learned.pinned(WAY, "timer", None))
    house.learned.worked(WAY, frozenset())
    house.now += LESSON_SECONDS - 6
    assert house.habits() == {NO_100REL, NO_TIMER}
    house.now += 1
    assert house.habits() == {NO_TIMER}
    house.now += 10 * LESSON_SECONDS
    assert house.habits() == {NO_TIMER}, "it is pinned"
    assert [each.feature for each in house.saved[WAY]] == ["timer"]
    assert NO_100REL not in house.learned.known(WAY).worked, "it is as if nobody had tried"


def test_a_clock_that_was_set_back_forgets_nothing(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    house.now = 0.0
    assert house.habits() == {NO_100REL}


def test_what_is_wanted_back_is_no_lesson_any_more(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    house.learned.note(WAY, (Habit("100rel", on=True),), "421 Extension Required to INVITE")
    assert house.habits() == set()
    assert house.saved == {WAY: ()}


def test_a_need_is_a_lesson(house: House) -> None:
    house.learned.note(WAY, (USER_PHONE,), "404 to INVITE")
    assert house.habits() == {USER_PHONE}
    assert house.learned.known(WAY).off == set()


def test_a_pinned_lesson_is_not_unlearned(house: House) -> None:
    house.learned.keep(WAY, house.learned.pinned(WAY, "100rel", on=False))
    house.learned.note(WAY, (Habit("100rel", on=True),), "421 to INVITE")
    assert house.habits() == {NO_100REL}


@pytest.mark.parametrize(("on", "now"), [(None, False), (False, False), (True, True)])
def test_pinning_by_hand(house: House, *, on: bool | None, now: bool) -> None:
    house.learned.keep(WAY, house.learned.pinned(WAY, "user-phone", on))
    (lesson,) = house.learned.of(WAY)
    assert lesson == Lesson("user-phone", now, "", house.now, pinned=True)


@pytest.mark.parametrize(("on", "said"), [(None, "404 to INVITE"), (True, "404 to INVITE"), (False, "")])
def test_pinning_what_was_learned(house: House, *, on: bool | None, said: str) -> None:
    house.learned.note(WAY, (USER_PHONE,), "404 to INVITE")
    house.learned.keep(WAY, house.learned.pinned(WAY, "user-phone", on))
    (lesson,) = house.learned.of(WAY)
    assert (lesson.on, lesson.said, lesson.pinned) == (on is not False, said, True)


@pytest.mark.parametrize(("feature", "left"), [("timer", {NO_100REL}), ("100rel", {NO_TIMER}), (None, set())])
def test_forgetting(house: House, feature: Feature | None, left: set[Habit]) -> None:
    house.learned.note(WAY, (NO_100REL, NO_TIMER), "420 to INVITE")
    house.learned.keep(WAY, house.learned.forgotten(WAY, feature))
    assert house.habits() == left


def test_a_line_that_is_gone_is_forgotten(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    house.learned.follow({"trunk:hq": 1})
    assert house.saved == {WAY: ()}
    house.learned.note(WAY, (NO_TIMER,), "a call that outlived it")
    house.learned.worked(WAY, frozenset())
    house.learned.follow({WAY: "settings", "trunk:hq": 1})
    assert house.habits() == set()
    assert house.saved == {WAY: ()}


def test_new_settings_begin_anew_but_for_what_is_pinned(house: House) -> None:
    house.learned.note(WAY, (NO_100REL, NO_TIMER), "420 to INVITE")
    house.learned.keep(WAY, house.learned.pinned(WAY, "timer", None))
    house.learned.follow({WAY: "settings", "trunk:hq": 2})
    assert house.habits() == {NO_100REL, NO_TIMER}, "those of another one"
    house.learned.worked(WAY, frozenset({"plus"}))
    house.learned.follow({WAY: "others", "trunk:hq": 2})
    assert house.habits() == {NO_TIMER}
    assert house.learned.known(WAY).worked == set()


def test_the_next_start(house: House) -> None:
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    again = House()
    again.learned.load({**house.saved, "line:gone": house.saved[WAY]})
    assert again.habits() == {NO_100REL}
    assert again.saved == {"line:gone": ()}


def test_a_suspicion_lasts_until_it_is_settled(house: House) -> None:
    house.learned.suspect(WAY, (NO_100REL,), "405 to PRACK")
    assert house.learned.suspicion(WAY) == ((NO_100REL,), "405 to PRACK")
    assert house.habits() == set()
    house.learned.failed(WAY, (NO_100REL,))
    assert house.learned.suspicion(WAY) == ((), "")
    assert house.learned.known(WAY).failed == {NO_100REL: 1}
    house.learned.suspect(WAY, (NO_100REL,), "405 to PRACK")
    house.learned.note(WAY, (NO_100REL,), "405 to PRACK")
    assert house.learned.suspicion(WAY) == ((), "")
    assert house.learned.suspicion("line:none") == ((), "")
