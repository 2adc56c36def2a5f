"""Verbs `forget` and `pin` of the areas `lines` and `trunks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.config.snapshot import Snapshot
from appliance.errors import ConfigError
from appliance.lines.feature import FEATURES, Habit
from appliance.lines.learned import Learned
from appliance.store.database import StoreError
from tests.control.fakes import Bench

NOW = 1_700_000_000.0
NO_100REL = Habit("100rel", on=False)
SHOWN = {
    "feature": "100rel",
    "use": "without",
    "said": "405 to PRACK",
    "at": "2023-11-14T22:13:20Z",
    "pinned": False,
}


class World:
    """Lines and trunks that learn, as `appliance/service` has them, without a disk."""

    def __init__(self, bench: Bench) -> None:
        self.learned = Learned(wall=lambda: NOW)
        bench.config.on_change(_ways, self.learned.follow)
        self._config = bench.config
        self.reloaded: list[frozenset[str]] = []
        self.refuses = False

    def line_state(self, name: str) -> dict[str, Any]:
        return {"state": "off", "learned": self.learned.of(f"line:{name}")}

    def trunk_state(self, name: str) -> dict[str, Any]:
        return {"state": "off", "learned": self.learned.of(f"trunk:{name}")}

    async def forget(self, way: str, feature: Any) -> None:
        self.learned.keep(way, self.learned.forgotten(way, feature))

    async def pin(self, way: str, feature: Any, on: bool | None) -> None:
        self.learned.keep(way, self.learned.pinned(way, feature, on))

    async def reload(self) -> None:
        self.reloaded.append(frozenset(self._config.current.lines))
        if self.refuses:
            self.refuses = False
            raise StoreError("error.disk_full")


def _ways(now: Snapshot) -> dict[str, None]:
    return {f"line:{name}": None for name in now.lines} | {f"trunk:{name}": None for name in now.trunks}


@pytest.fixture
async def world(bench: Bench) -> World:
    bench.parts.outside = world = World(bench)
    await bench("lines", "add", name="a", server="sip.example.net", account="100")
    await bench("trunks", "add", name="hq", peers="192.0.2.9")
    return world


async def test_what_was_learned_is_shown(bench: Bench, world: World) -> None:
    assert (await bench("lines", "show", "a"))["learned"] == []
    world.learned.note("line:a", (NO_100REL,), "405 to PRACK")
    assert (await bench("lines", "show", "a"))["learned"] == [SHOWN]
    assert [each["learned"] for each in await bench("lines", "list")] == [[SHOWN]]
    assert (await bench("trunks", "show", "hq"))["learned"] == []


async def test_it_is_pinned_and_forgotten(bench: Bench, world: World) -> None:
    world.learned.note("line:a", (NO_100REL, Habit("timer", on=False)), "405 to PRACK")
    pinned = await bench("lines", "pin", "a", feature="100rel")
    assert {**SHOWN, "pinned": True} in pinned["learned"]
    left = await bench("lines", "forget", "a", feature="timer")
    assert left["learned"] == [{**SHOWN, "pinned": True}]
    assert (await bench("lines", "forget", "a"))["learned"] == []
    assert (await bench("lines", "forget", "a"))["learned"] == [], "to forget nothing is no trouble"


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(
    ("given", "use"), [({}, "without"), ({"use": "without"}, "without"), ({"use": "with"}, "with")]
)
async def test_by_hand(bench: Bench, world: World, feature: str, given: dict[str, str], use: str) -> None:
    shown = await bench("trunks", "pin", "hq", feature=feature, **given)
    assert shown["learned"] == [{**SHOWN, "feature": feature, "use": use, "said": "", "pinned": True}]
    assert world.learned.of("line:hq") == ()


@pytest.mark.parametrize(
    ("verb", "key", "values", "refusal"),
    [
        ("pin", "a", {}, ("lines.a.feature", "error.value_missing")),
        ("pin", "a", {"feature": "smoke"}, ("lines.a.feature", "error.not_a_choice")),
        ("pin", "a", {"feature": "tel", "use": "x"}, ("lines.a.use", "error.not_a_choice")),
        ("pin", "other", {"feature": "tel"}, ("lines.other", "error.not_found")),
        ("forget", "other", {}, ("lines.other", "error.not_found")),
        ("forget", "a", {"feature": "tel"}, ("lines.a.tel", "error.not_found")),
    ],
)
async def test_refused(
    bench: Bench, world: World, verb: str, key: str, values: dict[str, Any], refusal: tuple[str, str]
) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("lines", verb, key, **values)
    assert (refused.value.path, refused.value.key) == refusal


async def test_routes_have_nothing_to_learn(bench: Bench) -> None:
    described = bench.control.describe()
    assert {"forget", "pin"} <= described["lines"].keys() & described["trunks"].keys()
    assert not {"forget", "pin"} & described["routes"].keys()


async def test_a_restore_takes_over_what_the_backup_has_learned(
    bench: Bench, world: World, tmp_path: Path
) -> None:
    await bench("backup", "save", file=str(tmp_path / "b"))
    await bench("lines", "add", name="b", server="sip.example.net", account="101")
    await bench("backup", "restore", file=str(tmp_path / "b"))
    assert world.reloaded == [{"a"}], "once, when the settings of the backup are in force"


async def test_a_restore_that_fails_takes_over_what_was_there(
    bench: Bench, world: World, tmp_path: Path
) -> None:
    await bench("backup", "save", file=str(tmp_path / "b"))
    await bench("lines", "add", name="b", server="sip.example.net", account="101")
    world.refuses = True
    with pytest.raises(StoreError):
        await bench("backup", "restore", file=str(tmp_path / "b"))
    assert world.reloaded == [{"a"}, {"a", "b"}]
    assert sorted(bench.config.current.lines) == ["a", "b"]
