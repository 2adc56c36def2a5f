"""Which optional feature explains a refusal, so that the same call without it may come about. Pure.

RFC 3261 §21.4.1 (400), §21.4.4 (404), §21.4.13 (415), §21.4.14 (416), §21.4.15 (420), §21.4.16 (421), §21.4.22 (484),
§21.4.26 (488), §21.6.4 (606); RFC 3262 §4 (PRACK). docs/carriers.md tells people what stands here.
"""

from __future__ import annotations

__all__ = ["Known", "explain"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.lines.feature import FEATURES, OPTION_TAGS, Feature, Habit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from appliance.lines.refusal import Refusal

Cure = tuple[Habit, ...]

_NO_CURE = frozenset({300, 301, 302, 330, 331, 370})
"RFC 3261 §20.43: warnings of networks, addresses and bandwidth. No other offer of ours changes these."


def _without(*features: Feature) -> Cure:
    return tuple(Habit(each, on=False) for each in features)


_WITH_USER_PHONE = Habit("user-phone", on=True)

LIKELY: Mapping[int, Cure] = {
    400: (
        *_without("tel", "user-phone", "plus", "timer", "100rel", "codecs", "early-offer"),
        _WITH_USER_PHONE,
    ),
    404: (*_without("user-phone", "plus", "tel"), _WITH_USER_PHONE),
    415: _without("early-offer", "codecs"),
    420: _without(*OPTION_TAGS),
    484: (*_without("plus", "user-phone", "tel"), _WITH_USER_PHONE),
    488: _without("codecs", "early-offer"),
    606: _without("codecs", "early-offer"),
}
"""What a status may mean, the most probable first. It may mean something else, too, such as a wrong number: whatever a call by
that way has come about with is beyond suspicion."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a line or trunk already."""

    worked: frozenset[Habit] = frozenset()
    "With what, and without what, calls have come about."
    off: frozenset[Feature] = frozenset()
    "What calls do without because that was learned, and nobody has pinned it."
    settled: frozenset[Feature] = frozenset()
    "What was learned, or pinned by a person: no guess touches it."
    pinned: frozenset[Feature] = frozenset()
    failed: Mapping[Habit, int] = field(default_factory=dict)
    "How often a retry in that way did not help."


def explain(refusal: Refusal, known: Known) -> Cure:
    """What to do otherwise, all of it in one retry; nothing where the refusal does not come of what is optional."""
    told = [each for each in _told(refusal, known) if each.feature not in known.pinned]
    return tuple(told) or _guessed(refusal, known)


def _told(refusal: Refusal, known: Known) -> Iterable[Habit]:
    """What the refusal itself names."""
    match refusal.method, refusal.status:
        case "PRACK", _:
            return _without("100rel")
        case _, 416 if "tel" in refusal.used:
            return _without("tel")
        case _, 420:
            return _without(*(tag for tag in OPTION_TAGS if tag in refusal.unsupported & refusal.used))
        case _, 421:
            # What we offered is not what it misses, and what a person has switched off stays so.
            missing = refusal.required - refusal.used
            return [Habit(each, on=True) for each in FEATURES if each in missing & known.off]
        case _:
            return ()


def _guessed(refusal: Refusal, known: Known) -> Cure:
    """The most probable of what the status may mean. What was tried in vain waits until the others were."""
    if refusal.method != "INVITE" or (refusal.warnings and refusal.warnings <= _NO_CURE):
        return ()
    likely = LIKELY.get(refusal.status, ())
    if refusal.status == 420 and refusal.unsupported:
        likely = ()  # it is something else
    if refusal.status == 415 and "application/sdp" in refusal.accepts:
        likely = likely[::-1]  # not that there is a description, but what it says
    possible = [each for each in likely if _may_be(each, refusal, known)]
    best = min(possible, key=lambda each: known.failed.get(each, 0), default=None)
    return () if best is None else (best,)


def _may_be(habit: Habit, refusal: Refusal, known: Known) -> bool:
    feature, on = habit
    if feature in known.settled or Habit(feature, not on) in known.worked:
        return False
    # Whoever is called by a name has no use for user=phone.
    return feature not in refusal.used and refusal.numeric if on else feature in refusal.used
