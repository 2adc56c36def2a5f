"""What was learned about the other side of each line and trunk: which optional features it cannot stand, or needs.

What calls have come about with is kept in memory alone, and so is a suspicion; lessons outlive a restart.
"""

from __future__ import annotations

__all__ = ["LESSON_SECONDS", "Learned", "Lesson"]

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from appliance.lines.explanation import Known
from appliance.lines.feature import FEATURES, Feature, Habit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

logger = logging.getLogger(__name__)

LESSON_SECONDS = 30 * 86_400.0
"""After this long a lesson is forgotten unless it is pinned, so that a carrier that has mended itself gets everything again.
One that has not costs one retry a month."""


class Lesson(msgspec.Struct, frozen=True):
    """One thing that was learned of one line or trunk."""

    feature: Feature
    on: bool
    "Whether calls have to have it; most do without."
    said: str
    "The answer that it comes from, such as `405 Method Not Allowed to PRACK`; empty: a person's word."
    at: float
    "Seconds since 1970."
    pinned: bool = False
    "Whether it stays until a person forgets it."

    @property
    def habit(self) -> Habit:
        """What calls do."""
        return Habit(self.feature, self.on)


class _Experience:
    """With one line or trunk. Nothing here grows beyond two entries a feature."""

    def __init__(self, settings: object) -> None:
        self.settings = settings
        self.lessons: dict[Feature, Lesson] = {}
        self.worked: frozenset[Habit] = frozenset()
        self.failed: dict[Habit, int] = {}
        self.suspicion: tuple[tuple[Habit, ...], str] = (), ""


def _save_nothing(_way: str, _lessons: Iterable[Lesson]) -> None:
    """Where nothing is kept."""


class Learned:
    """By line or trunk, named as in routes; there are no more of these than are set up."""

    def __init__(
        self,
        save: Callable[[str, tuple[Lesson, ...]], None] = _save_nothing,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`save` is told all lessons of a line or trunk whenever they change. `wall`: seconds since 1970."""
        self._save = save
        self._wall = wall
        self._of: dict[str, _Experience] = {}

    # --- what there is

    def follow(self, ways: Mapping[str, object]) -> None:
        """These lines and trunks are set up, each with what its calls depend on: where that changes, all begins anew."""
        for way in self._of.keys() - ways.keys():
            del self._of[way]
            self._save(way, ())
        for way, settings in ways.items():
            before = self._of.get(way)
            if before is None:
                self._of[way] = _Experience(settings)
            elif before.settings != settings:
                pinned = tuple(each for each in before.lessons.values() if each.pinned)
                self._of[way] = _Experience(settings)
                self.keep(way, pinned)

    def load(self, stored: Mapping[str, Iterable[Lesson]]) -> None:
        """Take up what was kept; lines and trunks that are gone are forgotten."""
        for way, experience in self._of.items():
            experience.lessons = {each.feature: each for each in stored.get(way, ())}
        for way in stored.keys() - self._of.keys():
            self._save(way, ())

    @property
    def ways(self) -> tuple[str, ...]:
        """The lines and trunks that are set up."""
        return tuple(self._of)

    # --- what calls ask

    def of(self, way: str) -> tuple[Lesson, ...]:
        """What is learned there."""
        experience = self._of.get(way)
        if experience is None:
            return ()
        lessons = tuple(experience.lessons.values())
        fresh = tuple(each for each in lessons if each.pinned or self._wall() - each.at < LESSON_SECONDS)
        if fresh != lessons:
            logger.info("%s: what was learned long ago is tried again", way)
            self.keep(way, fresh)
        return fresh

    def known(self, way: str) -> Known:
        """What explains a refusal there, and what does not."""
        lessons, experience = self.of(way), self._with(way)
        return Known(
            worked=experience.worked,
            off=frozenset(each.feature for each in lessons if not (each.on or each.pinned)),
            settled=frozenset(each.feature for each in lessons),
            pinned=frozenset(each.feature for each in lessons if each.pinned),
            failed=experience.failed,
        )

    def habits(self, way: str) -> frozenset[Habit]:
        """What calls by it do and do without, beside its settings."""
        return frozenset(each.habit for each in self.of(way))

    def suspicion(self, way: str) -> tuple[tuple[Habit, ...], str]:
        """What the next call by it shall try, and the answer that made us think so; mostly nothing."""
        experience = self._of.get(way)
        return ((), "") if experience is None else experience.suspicion

    # --- what calls tell

    def worked(self, way: str, used: frozenset[Feature]) -> None:
        """A call with these features rang or was taken."""
        experience = self._with(way)
        experience.worked |= {Habit(each, each in used) for each in FEATURES}

    def note(self, way: str, habits: tuple[Habit, ...], said: str) -> None:
        """A call came about in another way, right after it had failed with this answer."""
        experience = self._with(way)
        experience.suspicion = (), ""
        lessons = dict(experience.lessons)
        for habit in habits:
            known = lessons.get(habit.feature)
            if known is not None and (known.pinned or known.habit == habit):
                continue
            if habit.on and habit.feature != "user-phone":
                lessons.pop(habit.feature, None)  # as everything is that nobody has learned anything of
            else:
                lessons[habit.feature] = Lesson(habit.feature, habit.on, said, self._wall())
        if lessons != experience.lessons:
            logger.info("%s: calls go %s from now on, for it said %s", way, _words(habits), said)
            self.keep(way, tuple(lessons.values()))

    def suspect(self, way: str, habits: tuple[Habit, ...], said: str) -> None:
        """A call failed with this answer, and could not be tried again: the next one shall begin in the other way."""
        self._with(way).suspicion = habits, said

    def failed(self, way: str, habits: tuple[Habit, ...]) -> None:
        """To try it in that way did not help."""
        experience = self._with(way)
        experience.suspicion = (), ""
        for each in habits:
            experience.failed[each] = experience.failed.get(each, 0) + 1

    # --- what people say

    def forgotten(self, way: str, feature: Feature | None) -> tuple[Lesson, ...]:
        """Its lessons but for one, or (None) for all, for `keep`."""
        return tuple(each for each in self.of(way) if feature is not None and each.feature != feature)

    def pinned(self, way: str, feature: Feature, on: bool | None) -> tuple[Lesson, ...]:
        """Its lessons with one pinned, for `keep`. `on`: as in `Lesson`; None: as was learned, or else without."""
        known = next((each for each in self.of(way) if each.feature == feature), None)
        if known is None or on not in (None, known.on):
            known = Lesson(feature, bool(on), "", self._wall())
        rest = tuple(each for each in self.of(way) if each.feature != feature)
        return (*rest, msgspec.structs.replace(known, pinned=True))

    def keep(self, way: str, lessons: tuple[Lesson, ...]) -> None:
        """These are its lessons from now on. What is forgotten is tried like anything new."""
        experience = self._of.get(way)
        if experience is None:
            return
        experience.suspicion = (), ""
        gone = experience.lessons.keys() - {each.feature for each in lessons}
        experience.worked = frozenset(each for each in experience.worked if each.feature not in gone)
        experience.lessons = {each.feature: each for each in lessons}
        self._save(way, lessons)

    def _with(self, way: str) -> _Experience:
        # A call may outlive its line: what it has to tell then concerns nobody.
        return self._of.get(way) or _Experience(None)


def _words(habits: Iterable[Habit]) -> str:
    return ", ".join(f"{'with' if each.on else 'without'} {each.feature}" for each in habits)
