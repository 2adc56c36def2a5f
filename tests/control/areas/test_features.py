"""Settings that services bring: one for each extension, several, one of the box; their codes; and all of them in a file."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ConfigError
from tests.control.fakes import Bench
from tests.control.services import SERVICES, Parked

DND = "do-not-disturb"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = await Bench.open(tmp_path / "var", SERVICES)
    try:
        for number in ("101", "102", "1000"):
            await bench("extensions", "add", number=number, password="long enough")
        yield bench
    finally:
        await bench.store.close()


async def refused(
    bench: Bench, area: str, verb: str, key: str | None = None, **values: Any
) -> tuple[str, str]:
    before = bench.config.current
    with pytest.raises(ConfigError) as refusal:
        await bench(area, verb, key, **values)
    assert bench.config.current is before
    return refusal.value.path, refusal.value.key


async def test_each_extension_has_one_and_those_that_differ_are_listed(bench: Bench) -> None:
    assert await bench(DND, "list") == []
    assert await bench(DND, "show", "101") == {"name": "101", "enabled": False}
    for number in ("1000", "102"):
        assert await bench(DND, "set", number, enabled="yes") == {"name": number, "enabled": True}
    assert [each["name"] for each in await bench(DND, "list")] == ["102", "1000"]
    assert (await bench.again()).setting(DND, "102").enabled
    await bench(DND, "set", "102", enabled="no")
    assert await bench(DND, "remove", "1000") == {"done": True}
    assert await bench(DND, "remove", "101") == {"done": True}
    assert await bench(DND, "list") == []
    assert (await bench.again()).features == {}


async def test_who_does_not_exist_has_no_settings(bench: Bench) -> None:
    missing = (f"{DND}.999", "error.not_found")
    assert await refused(bench, DND, "show", "999") == missing
    assert await refused(bench, DND, "set", "999", enabled=True) == missing
    assert await refused(bench, DND, "remove", "999") == missing
    assert await refused(bench, DND, "set", "101", name="102") == (f"{DND}.101.name", "error.read_only")
    assert await refused(bench, DND, "add", name="101") == (DND, "error.unknown_verb")


async def test_settings_go_with_their_extension(bench: Bench) -> None:
    await bench(DND, "set", "101", enabled=True)
    revision = bench.config.current.revision
    await bench("extensions", "remove", "101")
    assert bench.config.current.revision == revision + 1
    await bench("extensions", "add", number="101", password="another one")
    assert await bench(DND, "show", "101") == {"name": "101", "enabled": False}
    assert (await bench.again()) == bench.config.current


async def test_several_under_a_key_of_their_own(bench: Bench) -> None:
    made = await bench("teams", "add", name="600", members="101 102", pin="4711")
    assert made == {"name": "600", "members": ["101", "102"], "strategy": "all", "ring_seconds": 20}
    assert await bench("teams", "set", "600", strategy="one-by-one") == {**made, "strategy": "one-by-one"}
    assert bench.config.current.setting("teams", "600").pin == "4711"
    assert [each["name"] for each in await bench("teams", "list")] == ["600"]
    assert await refused(bench, "teams", "add", name="600") == ("teams.600.name", "error.name_taken")
    assert await refused(bench, "teams", "set", "600", members="999") == (
        "teams.600.members",
        "error.not_found",
    )
    assert await refused(bench, "teams", "show", "601") == ("teams.601", "error.not_found")
    for name in ("601", "602"):
        await bench("teams", "add", name=name)
    assert await refused(bench, "teams", "add", name="603") == ("teams", "error.too_many")
    assert (await bench.again()) == bench.config.current
    await bench("teams", "remove", "600")
    assert list((await bench.again()).items("teams")) == ["601", "602"]


async def test_what_an_item_names_may_go_away(bench: Bench) -> None:
    await bench("teams", "add", name="600", members="101 102")
    await bench("extensions", "remove", "101")
    assert (await bench("teams", "show", "600"))["members"] == ["101", "102"]


async def test_one_of_the_box(bench: Bench) -> None:
    assert await bench("car-park", "show") == {"first": "701", "places": 10, "days": [], "wait": 2.5}
    await bench("car-park", "set", places="20", days="sat")
    assert (await bench.again()).setting("car-park").places == 20
    assert await refused(bench, "car-park", "set", places=0) == ("car-park.places", "error.out_of_range")
    assert await refused(bench, "car-park", "show", "x") == ("car-park", "error.key_unexpected")
    await bench("car-park", "set", places=10, days="")
    assert (await bench.again()).features == {}


async def test_codes_are_listed_with_what_they_do(bench: Bench) -> None:
    assert [(each["name"], each["code"], each["feature"]) for each in await bench("codes", "list")] == [
        ("do_not_disturb_on", "*78", DND),
        ("do_not_disturb_off", "*79", DND),
        ("car_park", "*6", "car-park"),
        ("car_park_off", "", "car-park"),
    ]
    assert (await bench("codes", "show", "do_not_disturb_on"))["about"] == "Take no calls"
    await bench("system", "set", language="zh")
    assert (await bench("codes", "show", "do_not_disturb_on"))["about"] == "不接听来电"


async def test_a_code_is_changed_turned_off_and_given_back(bench: Bench) -> None:
    assert (await bench("codes", "set", "do_not_disturb_on", code="#21*"))["code"] == "#21*"
    await bench("codes", "set", "do_not_disturb_off", code="")
    told = {each["name"]: each for each in await bench("features", "list")}
    assert told[DND]["codes"] == ["#21*"]
    assert told[DND]["title"] == "Do not disturb"
    assert told["teams"] == {"name": "teams", "title": "teams", "codes": [], "areas": ["teams"], "live": []}
    assert list((await bench.again()).items("codes")) == ["do_not_disturb_off", "do_not_disturb_on"]
    await bench("codes", "remove", "do_not_disturb_off")
    await bench("codes", "set", "do_not_disturb_on", code="*78")
    assert (await bench.again()).features == {}


async def test_what_a_service_has_going_on(bench: Bench) -> None:
    assert await bench("features", "live", "car-park") == []
    row = Parked(place="701", caller="102", since="2026-05-04T08:30:00Z")
    bench.parts.snapshots = {"car-park": lambda: [row]}
    told = {"place": "701", "caller": "102", "since": "2026-05-04T08:30:00Z", "held": True}
    assert await bench("features", "live", "car-park") == [told]
    assert await refused(bench, "features", "live", "x") == ("features.x", "error.not_found")


async def test_a_service_is_shown_with_what_belongs_to_it(bench: Bench) -> None:
    settings = ["first", "places", "days", "wait"]
    assert await bench("features", "show", "car-park") == {
        "name": "car-park",
        "title": "car-park",
        "codes": [{"name": "car_park", "code": "*6"}, {"name": "car_park_off", "code": ""}],
        "areas": [{"name": "car-park", "per": "box", "settings": settings, "secrets": []}],
        "live": ["place", "caller", "since", "held"],
    }
    [area] = (await bench("features", "show", DND))["areas"]
    assert area == {"name": DND, "per": "extension", "settings": ["enabled"], "secrets": []}
    assert await refused(bench, "features", "show", "x") == ("features.x", "error.not_found")


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("do_not_disturb_on", "*79", "error.code_taken"),
        ("do_not_disturb_on", "*61", "error.code_taken"),
        ("car_park", "*7", "error.code_taken"),
        ("do_not_disturb_on", "*", "error.bad_code"),
        ("do_not_disturb_on", "78", "error.bad_code"),
        ("do_not_disturb_on", "*7A", "error.bad_code"),
        ("do_not_disturb_on", "*12345678", "error.bad_code"),
    ],
)
async def test_a_code_that_cannot_be(bench: Bench, name: str, code: str, reason: str) -> None:
    assert await refused(bench, "codes", "set", name, code=code) == (f"codes.{name}.code", reason)


async def test_a_code_may_begin_as_another_that_nothing_follows(bench: Bench) -> None:
    await bench("codes", "set", "do_not_disturb_on", code="*791")
    await bench("codes", "set", "do_not_disturb_off", code="*7")


async def test_a_default_is_not_given_back_while_another_has_it(bench: Bench) -> None:
    await bench("codes", "set", "do_not_disturb_on", code="*11")
    await bench("codes", "set", "car_park_off", code="*78")
    taken = ("codes.do_not_disturb_on.code", "error.code_taken")
    assert await refused(bench, "codes", "remove", "do_not_disturb_on") == taken
    assert await refused(bench, "codes", "set", "do_not_disturb_on", code="*78") == taken


async def test_codes_are_those_there_are(bench: Bench) -> None:
    assert await refused(bench, "codes", "set", "other", code="*1") == ("codes.other", "error.not_found")
    assert await refused(bench, "codes", "add", name="other") == ("codes", "error.unknown_verb")


TEXT = """
[extensions.103]
password = "pw 103"

[do-not-disturb.103]
enabled = true

[teams.600]
members = ["103", "101"]
pin = "4711"

[car-park]
places = 5

[codes.do_not_disturb_on]
code = "*77"
"""


async def test_they_are_imported_and_exported(bench: Bench) -> None:
    await bench(DND, "set", "101", enabled=True)
    revision = bench.config.current.revision
    await bench("import", "apply", text=TEXT)
    now = bench.config.current
    assert now.revision == revision + 1
    assert list(now.items(DND)) == ["101", "103"]
    assert now.setting("teams", "600").members == ("103", "101")
    assert (now.setting("car-park").places, now.setting("codes", "do_not_disturb_on").code) == (5, "*77")
    text = (await bench("export", "show"))["text"]
    told = tomllib.loads(text)
    assert told["car-park"]["places"] == 5
    assert told["codes"] == {"do_not_disturb_on": {"name": "do_not_disturb_on", "code": "*77"}}
    assert "4711" not in text
    assert await bench("import", "apply", text=text) == {"added": 0, "changed": 0}
    assert bench.config.current is now
    assert await bench(
        "import", "apply", text="[car-park]\nplaces = 6\n[do-not-disturb.102]\nenabled = true"
    ) == {
        "added": 0,
        "changed": 2,
    }


@pytest.mark.parametrize(
    ("text", "path", "key"),
    [
        ("[do-not-disturb.999]\nenabled = true", f"{DND}.999", "error.not_found"),
        ("[do-not-disturb.101]\ncolour = 1", f"{DND}.101.colour", "error.unknown_setting"),
        ("[codes.other]\ncode = '*1'", "codes.other", "error.not_found"),
        ("car-park = 5", "car-park", "error.not_a_table"),
        ("[car-park]\nplaces = 0", "car-park.places", "error.out_of_range"),
        ("[teams.600]\nmembers = ['999']", "teams.600.members", "error.not_found"),
    ],
)
async def test_what_cannot_be_imported(bench: Bench, text: str, path: str, key: str) -> None:
    assert await refused(bench, "import", "apply", text=text) == (path, key)


async def test_what_a_form_needs_is_in_the_description(bench: Bench) -> None:
    described = bench.control.describe()
    assert set(described[DND]) == {"list", "show", "set", "remove"}
    assert set(described["car-park"]) == {"show", "set"}
    assert described["teams"]["list"]["columns"] == ["name", "members"]
    assert described["teams"]["add"]["properties"]["pin"]["writeOnly"]
    assert described["car-park"]["set"]["key"] == "none"
    assert described["car-park"]["set"]["properties"]["days"]["items"]["enum"] == ["sat", "sun"]
