"""Services' settings in the snapshot and in the database: defaults, what differs, and what this version cannot read."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from appliance.config.codes import Code, codes_area, codes_of
from appliance.config.config import OWN_AREAS, Config
from appliance.config.settings_area import SettingsArea
from appliance.config.snapshot import Snapshot, verify
from appliance.config.system import System
from appliance.errors import ConfigError
from appliance.features import FEATURES, settings_areas
from appliance.store import items
from appliance.store.store import Store
from tests.config.test_extension import extension
from tests.control.services import SERVICES, Lot, Team

AREAS = {each.name: each for each in (*OWN_AREAS, *settings_areas(SERVICES))}
EMPTY = Snapshot(0, System(), {}, areas=AREAS)
HOUSE = EMPTY.with_extensions([extension("101"), extension("102")])
DND = "do-not-disturb"
QUIET = AREAS[DND].kind(name="101", enabled=True)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    try:
        yield store
    finally:
        await store.close()


def test_a_setting_is_what_is_stored_or_the_default() -> None:
    quiet = HOUSE.with_item(DND, QUIET)
    assert quiet.setting(DND, "101") is QUIET
    assert quiet.setting(DND, "102") == AREAS[DND].kind(name="102")
    assert quiet.setting("car-park") == Lot()
    assert codes_of(quiet)["do_not_disturb_on"] == "*78"
    assert codes_of(Snapshot(0, System(), {})) == {}
    for area, key in (("teams", "600"), ("car-park", "x"), ("codes", "other"), ("nothing", "")):
        with pytest.raises(KeyError):
            quiet.setting(area, key)


def test_there_are_settings_for_those_that_exist() -> None:
    team = HOUSE.with_item("teams", Team(name="600"))
    there = ((DND, "101"), ("car-park", ""), ("codes", "car_park"), ("teams", "600"))
    assert all(team.has_setting(area, key) for area, key in there)
    missing = ((DND, "999"), ("car-park", "x"), ("codes", "x"), ("teams", "601"), ("lines", "x"))
    assert not any(team.has_setting(area, key) for area, key in missing)


def test_what_equals_the_default_is_not_kept() -> None:
    quiet = HOUSE.with_item(DND, QUIET).with_item("car-park", Lot(places=5))
    assert quiet.features == {DND: {"101": QUIET}, "car-park": {"": Lot(places=5)}}
    assert quiet.with_item(DND, AREAS[DND].kind(name="101")).without_item("car-park", "") == HOUSE
    assert HOUSE.with_item("teams", Team(name="600")).items("teams") == {"600": Team(name="600")}


def test_an_extension_takes_its_settings_along_and_no_others() -> None:
    full = HOUSE.with_item(DND, QUIET).with_item("teams", Team(name="101"))
    assert full.without_extension("102").features == full.features
    assert full.without_extension("101").features == {"teams": {"101": Team(name="101")}}


def test_what_belongs_to_nobody_is_refused() -> None:
    stray = HOUSE.with_item(DND, AREAS[DND].kind(name="999", enabled=True))
    with pytest.raises(ConfigError) as refused:
        verify(HOUSE, stray)
    assert (refused.value.path, refused.value.key) == (f"{DND}.999", "error.not_found")
    renamed = msgspec.structs.replace(HOUSE, features={DND: {"102": QUIET}})
    with pytest.raises(ConfigError) as refused:
        verify(HOUSE, renamed)
    assert (refused.value.path, refused.value.key) == (f"{DND}.102.name", "error.read_only")


def test_the_names_are_once_in_the_exchange() -> None:
    names = [each.name for each in settings_areas(FEATURES)]
    assert len(set(names)) == len(names)
    codes = [code.name for feature in FEATURES for code in feature.codes]
    assert len(set(codes)) == len(codes)
    empty = Snapshot(0, System(), {}, areas={each.name: each for each in settings_areas(FEATURES)})
    for name in codes:
        empty.area("codes").verify(empty.setting("codes", name), empty)


def test_defaults_that_clash_are_found() -> None:
    area = codes_area([Code("park", "*8", argument=True), Code("group", "*81")])
    snapshot = Snapshot(0, System(), {}, areas={"codes": area})
    for name in ("park", "group"):
        with pytest.raises(ConfigError) as refused:
            area.verify(snapshot.setting("codes", name), snapshot)
        assert refused.value.key == "error.code_taken"


async def stored(store: Store) -> dict[tuple[str, str], str]:
    def rows(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
        return {(area, key): value for area, key, value in db.execute("SELECT area, key, value FROM items")}

    return await store.run(rows)


async def test_only_what_differs_is_in_the_database(store: Store) -> None:
    config = await Config.open(store, AREAS.values())
    await config.change(lambda _: HOUSE.with_item(DND, QUIET).with_item("car-park", Lot(places=5)))
    assert (await stored(store)).keys() == {(DND, "101"), ("car-park", "")}
    again = await Config.open(store, AREAS.values())
    assert again.current == config.current
    await config.change(lambda now: now.without_extension("101").with_item("car-park", Lot()))
    assert await stored(store) == {}


async def test_what_this_version_does_not_know_or_cannot_read_stays_and_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    config = await Config.open(store, AREAS.values())
    await config.change(lambda _: HOUSE)
    newer = {
        ("of-tomorrow", "1"): '{"a":1}',
        (DND, "101"): '{"name":"101","enabled":"secret-mode"}',
        (DND, "102"): '{"name":"102","enabled":true,"until":"noon"}',
        ("teams", "600"): "[]",
        ("lines", "x"): '{"name":"x"}',
        ("codes", "of_tomorrow"): '{"name":"of_tomorrow","code":"*99"}',
    }

    def put(db: sqlite3.Connection) -> None:
        for (area, key), value in newer.items():
            items.put(db, area, key, value.encode())

    await store.run(put)
    with caplog.at_level(logging.WARNING):
        again = await Config.open(store, AREAS.values())
    for name in ("do-not-disturb 101", "teams 600", "lines x"):
        assert name in caplog.text
    assert "secret-mode" not in caplog.text
    assert again.current.features == {DND: {"102": AREAS[DND].kind(name="102", enabled=True)}}
    assert again.current.lines == {}
    await again.change(lambda now: now.with_extension(extension("103")))
    assert await stored(store) == newer
    # What is set anew takes the place of what could not be read.
    await again.change(lambda now: now.with_item(DND, QUIET))
    assert json.loads((await stored(store))[DND, "101"]) == {"name": "101", "enabled": True}


async def test_a_new_extension_finds_nothing_of_the_one_before_it(store: Store) -> None:
    config = await Config.open(store, AREAS.values())
    await config.change(lambda _: HOUSE)
    await store.run(lambda db: items.put(db, DND, "103", b'{"name":"103","enabled":true}'))
    again = await Config.open(store, AREAS.values())
    assert again.current.features == {}
    await again.change(lambda now: now.with_extension(extension("103")))
    assert await stored(store) == {}


async def test_a_change_that_is_taken_back_takes_settings_back(store: Store) -> None:
    config = await Config.open(store, AREAS.values())
    before = await config.change(lambda _: HOUSE.with_item(DND, QUIET))

    def fails(numbers: list[str]) -> None:
        if "101" not in numbers:
            raise OSError("no")

    config.on_change(lambda now: list(now.extensions), fails)
    with pytest.raises(ConfigError):
        await config.change(lambda now: now.without_extension("101"))
    again = await Config.open(store, AREAS.values())
    assert again.current.features == before.features
    assert again.current == config.current


def test_each_kind_of_area_has_its_keys() -> None:
    area = SettingsArea("teams", Team, "item")
    assert area.differing({"600": Team(name="600")}) == {"600": Team(name="600")}
    with pytest.raises(KeyError):
        area.default("600")
