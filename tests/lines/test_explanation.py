"""appliance/lines/explanation.py: every status, every feature. docs/carriers.md has the same for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.lines.explanation import LIKELY, Known, explain
from appliance.lines.feature import FEATURES, Feature, Habit
from appliance.lines.refusal import Refusal

EVERYTHING = frozenset(FEATURES)
NEEDS_USER_PHONE = Habit("user-phone", on=True)


def off(*features: Feature) -> tuple[Habit, ...]:
    return tuple(Habit(each, on=False) for each in features)


def refusal(status: int, *used: Feature, method: str = "INVITE", **more: Any) -> Refusal:
    return Refusal(method=method, status=status, used=frozenset(used), **more)


# What explains a status where only this was used, or nothing at all was.
EXPLAINED_BY: dict[int, set[Feature]] = {
    400: set(FEATURES),
    404: {"user-phone", "plus", "tel"},
    415: {"early-offer", "codecs"},
    416: {"tel"},
    420: {"100rel", "timer"},
    484: {"plus", "user-phone", "tel"},
    488: {"codecs", "early-offer"},
    606: {"codecs", "early-offer"},
}
NOTHING_EXPLAINS = [300, 302, 401, 403, 405, 406, 407, 408, 410, 421, 422, 480, 481, 486, 487, 491, 500, 501]
NOTHING_EXPLAINS += [502, 503, 504, 600, 603, 604]


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("status", [*EXPLAINED_BY, *NOTHING_EXPLAINS])
def test_every_status_with_every_feature(status: int, feature: Feature) -> None:
    expected = off(feature) if feature in EXPLAINED_BY.get(status, ()) else ()
    assert explain(refusal(status, feature), Known()) == expected
    assert explain(refusal(status), Known()) == ()


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 481, 500, 501])
def test_a_refused_prack_is_never_but_100rel(status: int) -> None:
    assert explain(refusal(status, *FEATURES, method="PRACK"), Known()) == off("100rel")
    doubted = Known(worked=frozenset({Habit("100rel", on=True)}))
    assert explain(refusal(status, "100rel", method="PRACK"), doubted) == off("100rel")
    pinned = Known(pinned=frozenset({"100rel"}), settled=frozenset({"100rel"}))
    assert explain(refusal(status, "100rel", method="PRACK"), pinned) == ()


@pytest.mark.parametrize(
    ("status", "first"),
    [
        (400, "tel"),
        (404, "user-phone"),
        (415, "early-offer"),
        (416, "tel"),
        (420, "100rel"),
        (484, "plus"),
        (488, "codecs"),
        (606, "codecs"),
    ],
)
def test_the_most_probable_is_tried(status: int, first: Feature) -> None:
    assert explain(refusal(status, *FEATURES), Known()) == off(first)


@pytest.mark.parametrize("status", LIKELY)
def test_what_has_worked_is_beyond_suspicion(status: int) -> None:
    cured = []
    known = Known()
    while cure := explain(refusal(status, *FEATURES), known):
        (habit,) = cure
        cured.append(habit)
        known = replace(known, worked=known.worked | {Habit(habit.feature, not habit.on)})
    assert cured == [each for each in LIKELY[status] if not each.on], "one after the other, in this order"


def test_a_retry_in_vain_lets_the_others_go_first() -> None:
    tried = []
    failed: dict[Habit, int] = {}
    for _ in range(5):
        (habit,) = explain(refusal(404, "user-phone", "plus"), Known(failed=failed))
        tried.append(habit)
        failed[habit] = failed.get(habit, 0) + 1
    assert tuple(tried) == off("user-phone", "plus", "user-phone", "plus", "user-phone")


@pytest.mark.parametrize("status", [400, 404, 484])
def test_a_carrier_that_needs_user_phone(status: int) -> None:
    number = refusal(status, numeric=True)
    assert explain(number, Known()) == (NEEDS_USER_PHONE,)
    assert explain(number, Known(worked=frozenset(off("user-phone")))) == ()
    assert explain(number, Known(settled=frozenset({"user-phone"}))) == ()
    assert explain(refusal(status, "plus", numeric=True), Known()) == off("plus"), "what is there goes first"
    assert explain(refusal(status, "user-phone", numeric=True), Known()) == off("user-phone")
    assert explain(refusal(status, numeric=False), Known()) == (), "somebody with a name has no telephone"


@pytest.mark.parametrize("status", [416, 420, 421, 488, 606, 415])
def test_user_phone_explains_nothing_else(status: int) -> None:
    assert explain(refusal(status, "user-phone"), Known()) == ()
    assert explain(refusal(status, numeric=True), Known()) == ()


@pytest.mark.parametrize(
    ("unsupported", "cure"),
    [
        ({"100rel"}, off("100rel")),
        ({"timer"}, off("timer")),
        ({"timer", "100rel"}, off("100rel", "timer")),
        ({"timer", "replaces"}, off("timer")),
        ({"replaces"}, ()),
        (set(), off("100rel")),
    ],
)
def test_420_names_what_it_is(unsupported: set[str], cure: tuple[Habit, ...]) -> None:
    refused = refusal(420, *FEATURES, unsupported=frozenset(unsupported))
    assert explain(refused, Known()) == cure
    if unsupported:
        worked = Known(worked=frozenset(Habit(each, on=True) for each in FEATURES))
        assert explain(refused, worked) == cure, "named is named, whatever worked before"


def test_420_of_what_we_did_not_use() -> None:
    assert explain(refusal(420, "timer", unsupported=frozenset({"100rel"})), Known()) == ()


def test_421_gives_back_what_a_lesson_took() -> None:
    wants = refusal(421, "timer", required=frozenset({"100rel"}))
    learned = Known(off=frozenset({"100rel"}), settled=frozenset({"100rel"}))
    assert explain(wants, learned) == (Habit("100rel", on=True),)
    assert explain(wants, Known()) == (), "a person has switched it off"
    assert explain(wants, replace(learned, pinned=frozenset({"100rel"}))) == ()
    offered = refusal(421, "100rel", required=frozenset({"100rel"}))
    assert explain(offered, learned) == (), "it was there"


@pytest.mark.parametrize("status", [488, 606])
@pytest.mark.parametrize(
    ("warnings", "cure"),
    [
        ({305}, off("codecs")),
        ({304, 399}, off("codecs")),
        ({399}, off("codecs")),
        ({370}, ()),
        ({300, 301}, ()),
        ({302}, ()),
        ({330}, ()),
        ({331}, ()),
        ({370, 305}, off("codecs")),
    ],
)
def test_warnings(status: int, warnings: set[int], cure: tuple[Habit, ...]) -> None:
    assert explain(refusal(status, *FEATURES, warnings=frozenset(warnings)), Known()) == cure


@pytest.mark.parametrize(
    ("accepts", "cure"),
    [
        (set(), off("early-offer")),
        ({"text/plain"}, off("early-offer")),
        ({"application/sdp", "application/isup"}, off("codecs")),
    ],
)
def test_415_says_what_it_takes(accepts: set[str], cure: tuple[Habit, ...]) -> None:
    assert explain(refusal(415, *FEATURES, accepts=frozenset(accepts)), Known()) == cure


@pytest.mark.parametrize("status", LIKELY)
def test_what_is_settled_or_pinned_is_not_guessed_about(status: int) -> None:
    refused = refusal(status, *FEATURES, numeric=True)
    assert explain(refused, Known(settled=EVERYTHING)) == ()
    assert explain(refused, Known(settled=EVERYTHING, pinned=EVERYTHING)) == ()


def test_a_pinned_tel_stays() -> None:
    assert explain(refusal(416, "tel"), Known(pinned=frozenset({"tel"}), settled=frozenset({"tel"}))) == ()
