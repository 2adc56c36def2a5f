"""appliance/service/lessons.py: the memory and the disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec
import pytest

from appliance.config.config import Config
from appliance.config.line import Line
from appliance.config.trunk import Trunk
from appliance.lines.feature import Habit
from appliance.service.lessons import Lessons
from appliance.store import lessons as table
from appliance.store.database import StoreError
from appliance.store.lessons import LessonRow
from appliance.store.store import Store

LINE = Line(name="a", server="198.51.100.7", account="100")
TRUNK = Trunk(name="hq", peers=("198.51.100.9",))
NO_100REL = Habit("100rel", on=False)


class House:
    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config, self.told = store, config, 0
        self.lessons = Lessons(store, self._changed)
        self.lessons.follow(config)

    def _changed(self) -> None:
        self.told += 1

    @classmethod
    async def open(cls, folder: Path) -> House:
        """As at a start."""
        store = await Store.open(folder)
        house = cls(store, await Config.open(store))
        await house.lessons.restore()
        return house

    async def put(self, area: str, item: Line | Trunk) -> None:
        await self.config.change(lambda now: now.with_item(area, item))

    async def remove(self, area: str, name: str) -> None:
        await self.config.change(lambda now: now.without_item(area, name))

    def habits(self, way: str = "line:a") -> set[Habit]:
        return set(self.lessons.learned.habits(way))

    async def stored(self) -> list[tuple[str, str, bool]]:
        await self.store.backlog.settle()
        return [(row.way, row.feature, row.pinned) for row in await self.store.run(table.load)]


async def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    await house.put("trunks", TRUNK)
    house.lessons.learned.note("line:a", (NO_100REL,), "405 Method Not Allowed to PRACK")
    house.lessons.learned.note("trunk:hq", (Habit("user-phone", on=True),), "404 to INVITE")
    assert house.told == 2
    before = house.lessons.learned.of("line:a"), house.lessons.learned.of("trunk:hq")
    await house.store.close()
    again = await House.open(tmp_path)
    assert (again.lessons.learned.of("line:a"), again.lessons.learned.of("trunk:hq")) == before
    await again.store.close()


async def test_a_person_forgets_and_pins(tmp_path: Path) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    house.lessons.learned.note("line:a", (NO_100REL, Habit("timer", on=False)), "420 to INVITE")
    await house.lessons.pin("line:a", "timer", None)
    # On the disk when it returns, whatever waits to be written.
    rows = await house.store.run(table.load)
    assert {(row.feature, row.pinned) for row in rows} == {("100rel", False), ("timer", True)}
    await house.lessons.forget("line:a", "100rel")
    assert [row.feature for row in await house.store.run(table.load)] == ["timer"]
    assert await house.stored() == [("line:a", "timer", True)], "and what waited is not written over it"
    await house.lessons.forget("line:a", None)
    assert await house.stored() == []
    assert house.habits() == set()
    await house.store.close()


async def test_a_disk_that_takes_nothing_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    house.lessons.learned.note("line:a", (NO_100REL,), "405 to PRACK")

    async def full(_: object) -> None:
        raise StoreError("error.disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "run", full)
        with pytest.raises(StoreError):
            await house.lessons.forget("line:a", None)
    assert house.habits() == {NO_100REL}
    await house.store.close()


async def test_a_removed_line_takes_its_lessons_along(tmp_path: Path) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    await house.lessons.pin("line:a", "100rel", on=False)
    await house.remove("lines", "a")
    assert await house.stored() == []
    await house.put("lines", LINE)
    assert house.habits() == set()
    await house.store.close()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"server": "198.51.100.8"}, False),
        ({"proxy": "198.51.100.8"}, False),
        ({"uri_parameter": "user=phone"}, False),
        ({"no_100rel": True}, False),
        ({"password": "new"}, True),
        ({"enabled": False}, True),
        ({"max_calls": 3}, True),
    ],
)
async def test_another_carrier_is_met_without_prejudice(
    tmp_path: Path, change: dict[str, object], *, kept: bool
) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    house.lessons.learned.note("line:a", (NO_100REL,), "405 to PRACK")
    await house.put("lines", msgspec.structs.replace(LINE, **change))
    assert house.habits() == ({NO_100REL} if kept else set())
    await house.store.close()


async def test_a_backup_brings_its_own(tmp_path: Path) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    await house.lessons.pin("line:a", "timer", on=False)
    backup = tmp_path / "backup.db"
    await house.store.database.copy_to(backup)
    await house.lessons.forget("line:a", None)
    await house.put("lines", msgspec.structs.replace(LINE, server="198.51.100.8"))
    house.lessons.learned.note("line:a", (NO_100REL,), "405 to PRACK")
    await house.store.database.replace_from(backup)
    await house.config.reload()
    await house.lessons.reload()
    assert house.habits() == {Habit("timer", on=False)}
    assert await house.stored() == [("line:a", "timer", True)]
    await house.store.close()


async def test_a_lesson_of_another_version_is_left_out(tmp_path: Path) -> None:
    house = await House.open(tmp_path)
    await house.put("lines", LINE)
    rows = [
        LessonRow("line:a", each, with_it=False, said="", learned_at=9e9, pinned=False)
        for each in ("x", "tel")
    ]
    await house.store.run(partial(table.replace, way="line:a", rows=rows))
    await house.lessons.restore()
    assert house.habits() == {Habit("tel", on=False)}
    await house.store.close()
