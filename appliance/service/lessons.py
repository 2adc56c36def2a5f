"""What calls have learned about lines and trunks, written down for the next start, and changed by people."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.lines.learned import Learned, Lesson
from appliance.store import lessons as lessons_table
from appliance.store.lessons import LessonRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.config.config import Config
    from appliance.config.snapshot import Snapshot
    from appliance.lines.feature import Feature
    from appliance.store.store import Store

__all__ = ["Lessons"]

logger = logging.getLogger(__name__)


class Lessons:
    """Keeps the memory and the disk in step."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        """`changed` is told when there is something new to show."""
        self._store = store
        self._changed = changed
        self.learned = Learned(self._save)

    def follow(self, config: Config) -> None:
        """Lines and trunks that are gone are forgotten, and those whose calls go differently begin anew."""
        config.on_change(_ways, self.learned.follow)

    async def restore(self) -> None:
        """Take up what was known before the last end. Raises StoreError."""
        stored: dict[str, list[Lesson]] = {}
        for row in await self._store.run(lessons_table.load):
            try:
                stored.setdefault(row.way, []).append(_lesson_of(row))
            except msgspec.ValidationError as error:
                # Of another version, perhaps: it is learned again.
                logger.warning("%s: a lesson is no good: %s", row.way, error)
        self.learned.load(stored)

    async def reload(self) -> None:
        """Take up what a backup knows, the settings in which are in force by now. Raises StoreError."""
        await self.restore()
        # What was forgotten for those settings' sake waits to be written, and is none of the backup's.
        for way in self.learned.ways:
            self._save(way, self.learned.of(way))

    async def forget(self, way: str, feature: Feature | None) -> None:
        """Try it, or (None) everything, again there. Raises StoreError."""
        await self._keep(way, self.learned.forgotten(way, feature))

    async def pin(self, way: str, feature: Feature, on: bool | None) -> None:
        """So it stays. `on`: with it, without it, or (None) as it was learned. Raises StoreError."""
        await self._keep(way, self.learned.pinned(way, feature, on))

    async def _keep(self, way: str, lessons: tuple[Lesson, ...]) -> None:
        # On the disk before anybody hears that it is done; and behind what may still wait to be written.
        await self._store.run(partial(lessons_table.replace, way=way, rows=_rows(way, lessons)))
        self.learned.keep(way, lessons)

    def _save(self, way: str, lessons: tuple[Lesson, ...]) -> None:
        self._store.save_lessons(way, _rows(way, lessons))
        self._changed()


def _ways(snapshot: Snapshot) -> Mapping[str, object]:
    """What lessons depend on: by whom calls go, and how."""
    lines = {
        f"line:{each.name}": (
            each.server,
            each.port,
            each.proxy,
            each.domain,
            each.uri_parameter,
            each.no_100rel,
        )
        for each in snapshot.lines.values()
    }
    trunks = {
        f"trunk:{each.name}": (
            *(each.peers, each.port, each.domain, each.number_format),
            *(each.uri_parameter, each.no_100rel),
        )
        for each in snapshot.trunks.values()
    }
    return {**lines, **trunks}


def _rows(way: str, lessons: tuple[Lesson, ...]) -> tuple[LessonRow, ...]:
    return tuple(LessonRow(way, each.feature, each.on, each.said, each.at, each.pinned) for each in lessons)


def _lesson_of(row: LessonRow) -> Lesson:
    values: dict[str, Any] = {
        "feature": row.feature,
        "on": row.with_it,
        "said": row.said,
        "at": row.learned_at,
        "pinned": row.pinned,
    }
    return msgspec.convert(values, Lesson)
