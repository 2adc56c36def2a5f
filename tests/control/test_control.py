"""`perform`: what it refuses before an area is asked, and what it promises about every area."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from appliance import locale
from appliance.control.area import Key
from appliance.control.areas import AREAS
from appliance.errors import ConfigError
from tests.control.fakes import Bench, FakeCall, FakeContact

VERBS = {(area.name, verb.name): verb for area in AREAS for verb in area.verbs}


@pytest.mark.parametrize(
    ("area", "verb", "key", "path", "reason"),
    [
        ("nonsense", "list", None, "", "error.unknown_area"),
        ("extensions", "nonsense", None, "extensions", "error.unknown_verb"),
        ("extensions", "show", None, "extensions", "error.key_missing"),
        ("extensions", "show", "", "extensions", "error.key_missing"),
        ("extensions", "list", "101", "extensions", "error.key_unexpected"),
        ("extensions", "show", "999", "extensions.999", "error.not_found"),
    ],
)
async def test_what_is_no_request(
    bench: Bench, area: str, verb: str, key: str | None, path: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench(area, verb, key)
    assert (refused.value.path, refused.value.key) == (path, reason)


@pytest.mark.parametrize("verb", [name for name, verb in VERBS.items() if verb.local])
async def test_what_only_the_box_itself_may(bench: Bench, verb: tuple[str, str]) -> None:
    key = "some" if VERBS[verb].key is Key.NEEDED else None
    for actor in ("web:admin", "api:1234", "web:192.0.2.7"):
        with pytest.raises(ConfigError) as refused:
            await bench(*verb, key, actor=actor)
        assert refused.value.key == "error.only_on_the_box"


async def test_changes_wake_the_feed_and_questions_do_not(bench: Bench) -> None:
    feed = bench.control.feed
    await bench("extensions", "list")
    assert feed.changes == 0
    await bench("extensions", "add", number="101", password="pw101")
    assert feed.changes == 1


async def test_no_secret_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await bench("extensions", "add", number="101", password="do-not-log-me")
        code = (await bench("admin", "new-code"))["code"]
        await bench("admin", "set-up", code=code, password="do-not-log-me")
        with pytest.raises(ConfigError):
            await bench("extensions", "add", number="101", password="do-not-log-me")
    assert "extensions add" in caplog.text
    assert "do-not-log-me" not in caplog.text
    assert code not in caplog.text


async def test_results_are_what_each_verb_says_it_gives(bench: Bench) -> None:
    bench.directory.contacts.append(FakeContact())
    bench.exchange.live.append(FakeCall())
    asked: list[tuple[str, str, str | None, dict[str, Any]]] = [
        ("extensions", "add", None, {"number": "101", "password": "pw101"}),
        ("extensions", "add-many", None, {"first": "200", "count": 2}),
        ("extensions", "list", None, {}),
        ("extensions", "show", "101", {}),
        ("extensions", "set", "101", {"name": "A"}),
        ("extensions", "remove", "200", {}),
        ("status", "show", None, {}),
        ("system", "show", None, {}),
        ("system", "set", None, {"host_name": "pbx"}),
        ("registrations", "list", None, {}),
        ("calls", "list", None, {}),
        ("calls", "show", "call-1", {}),
        ("calls", "hang-up", "call-1", {}),
        ("records", "list", None, {}),
        ("admin", "new-code", None, {}),
        ("admin", "add-token", None, {"name": "script"}),
        ("admin", "tokens", None, {}),
        ("export", "show", None, {}),
        ("import", "apply", None, {"text": ""}),
    ]
    for area, verb, key, values in asked:
        result = await bench(area, verb, key, **values)
        # JSON and back: plain values only, and just those that the verb names.
        again = msgspec.json.decode(msgspec.json.encode(result), type=VERBS[area, verb].gives)
        assert msgspec.json.decode(msgspec.json.encode(again)) == result


async def test_every_verb_is_described_for_machines(bench: Bench) -> None:
    described = bench.control.describe()
    assert described.keys() == {area.name for area in AREAS} | {"areas"}
    assert await bench.control.perform("areas", "list", None, {}, "local:0") == [*described]
    assert await bench.control.perform("areas", "show", "groups", {}, "local:0") == described["groups"]
    with pytest.raises(ConfigError) as refused:
        await bench.control.perform("areas", "show", "nothing", {}, "local:0")
    assert refused.value.key == "error.not_found"
    add = described["extensions"]["add"]
    assert add["required"] == ["number", "password"]
    assert add["properties"]["ring_seconds"] == {
        "type": "integer",
        "default": 60,
    }
    assert described["extensions"]["list"]["properties"] == {}
    assert msgspec.json.encode(described)


def test_verbs_are_spelt_for_a_command_line() -> None:
    for (area, verb), each in VERBS.items():
        for name in (area, verb):
            assert name == name.lower().replace("_", "-")
        assert each.summary
        assert isinstance(each.key, Key)


def test_every_refusal_has_its_words() -> None:
    """All `error.` keys that this program names, wherever."""
    root = Path(__file__).parents[2]
    named = {
        key
        for folder in ("config", "control", "store", "cli")
        for file in (root / "appliance" / folder).rglob("*.py")
        for key in re.findall(r'"((?:error|cli)\.[a-z0-9_]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(named) > 40
    assert named <= locale.keys()


async def test_a_new_box_has_a_first_code_and_a_set_up_one_has_none(bench: Bench) -> None:
    code = await bench.control.first_code()
    assert code is not None
    await bench("admin", "set-up", code=code, password="correct horse", actor="web:192.0.2.7")
    assert await bench.control.first_code() is None


async def test_the_log_says_who_did_what_to_whom(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await bench("extensions", "add", number="101", password="pw101")
    await bench("extensions", "set", "101", password="another")
    told = [each.getMessage() for each in caplog.records if each.name == "appliance.control.control"]
    assert told == ["local:0: extensions add 101", "local:0: extensions set 101"]


async def test_uptime_is_told_by_the_clock_that_nobody_sets(bench: Bench) -> None:
    await anyio.sleep(90)
    assert 90 <= (await bench("status", "show"))["uptime"] < 91
