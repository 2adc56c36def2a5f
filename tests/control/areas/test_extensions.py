"""Area `extensions`."""

from __future__ import annotations

import hashlib

import pytest

from appliance.errors import ConfigError
from tests.control.fakes import Bench, FakeCall, FakeContact


async def test_added_shown_listed_changed_removed(bench: Bench) -> None:
    added = await bench("extensions", "add", number="101", password="pw101", name="前台")
    assert added == {
        "number": "101",
        "name": "前台",
        "enabled": True,
        "ring_seconds": 60,
        "level": 0,
        "state": "offline",
        "contacts": [],
    }
    assert await bench("extensions", "show", "101") == added
    changed = await bench("extensions", "set", "101", name="Desk", ring_seconds="20", enabled="no")
    assert changed == {**added, "name": "Desk", "ring_seconds": 20, "enabled": False}
    assert await bench("extensions", "list") == [changed]
    assert await bench("extensions", "remove", "101") == {"done": True}
    assert await bench("extensions", "list") == []


async def test_the_password_is_kept_as_digests_alone(bench: Bench) -> None:
    await bench("extensions", "add", number="101", password="pw101-secret")
    kept = bench.config.current.extensions["101"]
    assert kept.ha1_md5 == hashlib.md5(b"101:branchbox:pw101-secret").hexdigest()
    assert kept.ha1_sha256 == hashlib.sha256(b"101:branchbox:pw101-secret").hexdigest()
    await bench("extensions", "set", "101", name="A")
    assert bench.config.current.extensions["101"].ha1_md5 == kept.ha1_md5
    await bench("extensions", "set", "101", password="another")
    assert bench.config.current.extensions["101"].ha1_md5 != kept.ha1_md5
    held = b"".join(each.read_bytes() for each in bench.store.folder.iterdir() if each.is_file())
    assert b"pw101-secret" not in held


async def test_a_taken_number_is_refused(bench: Bench) -> None:
    await bench("extensions", "add", number="101", password="pw101", name="first")
    with pytest.raises(ConfigError) as refused:
        await bench("extensions", "add", number="101", password="other", name="second")
    assert (refused.value.path, refused.value.key) == ("extensions.101.number", "error.number_taken")
    assert (await bench("extensions", "show", "101"))["name"] == "first"


@pytest.mark.parametrize("verb", ["show", "set", "remove"])
async def test_one_that_is_not_there(bench: Bench, verb: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("extensions", verb, "999")
    assert (refused.value.path, refused.value.key) == ("extensions.999", "error.not_found")


async def test_a_number_cannot_be_changed(bench: Bench) -> None:
    await bench("extensions", "add", number="101", password="pw101")
    await bench("extensions", "set", "101", number="101")
    with pytest.raises(ConfigError) as refused:
        await bench("extensions", "set", "101", number="102")
    assert refused.value.key == "error.read_only"


async def test_its_state_is_live(bench: Bench) -> None:
    await bench("extensions", "add", number="101", password="pw101")
    bench.directory.contacts.append(FakeContact())
    shown = await bench("extensions", "show", "101")
    assert (shown["state"], shown["contacts"]) == ("idle", ["sip:101@192.0.2.9:5062"])
    bench.exchange.live.append(FakeCall())
    assert (await bench("extensions", "show", "101"))["state"] == "busy"


async def test_many_in_a_row(bench: Bench) -> None:
    made = await bench("extensions", "add-many", first="098", count="4", name="Desk")
    assert [(each["number"], each["name"]) for each in made] == [
        ("098", "Desk 098"),
        ("099", "Desk 099"),
        ("100", "Desk 100"),
        ("101", "Desk 101"),
    ]
    assert len({each["password"] for each in made}) == 4
    one = made[0]
    right = hashlib.md5(f"098:branchbox:{one['password']}".encode()).hexdigest()
    assert bench.config.current.extensions["098"].ha1_md5 == right


async def test_many_are_added_all_or_none(bench: Bench) -> None:
    await bench("extensions", "add", number="102", password="pw102")
    with pytest.raises(ConfigError) as refused:
        await bench("extensions", "add-many", first="100", count=5)
    assert refused.value.path == "extensions.102.number"
    assert list(bench.config.current.extensions) == ["102"]


@pytest.mark.parametrize(
    ("first", "count", "path"),
    [("1", 1, "first"), ("x1", 1, "first"), ("100", 0, "count"), ("100", 501, "count")],
)
async def test_many_that_cannot_be(bench: Bench, first: str, count: int, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("extensions", "add-many", first=first, count=count)
    assert refused.value.path == f"extensions.{path}"
