"""Areas that show what is going on: status, registrations, calls, records, trace; and box, which asks root."""

from __future__ import annotations

import json
import os
import shutil
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from appliance.diagnosis.trace import TracedMessage
from appliance.errors import ConfigError
from appliance.store import records
from tests.control.fakes import Bench, FakeCall, FakeContact, FakeFlow
from tests.store.test_records import record


async def test_status(bench: Bench) -> None:
    await bench("extensions", "add-many", first="100", count=3)
    bench.directory.contacts = [FakeContact("100"), FakeContact("100"), FakeContact("101")]
    bench.exchange.live = [FakeCall()]
    bench.exchange.refusals.note_stranger("no_credentials")
    shown = await bench("status", "show")
    assert shown["refused"] == [{"by": "stranger", "cause": "no_credentials", "calls": 1}]
    assert (shown["extensions"], shown["registrations"], shown["calls"]) == (3, 3, 1)
    assert shown["addresses"] == ["192.0.2.1"]
    assert shown["console_url"] == "https://192.0.2.1:8443/"
    assert shown["openssl"].startswith("OpenSSL")
    assert shown["free_space"] > 0
    assert shown["uptime"] >= 0
    assert (shown["subscriptions"], shown["texts"], shown["texts_refused"]) == (0, 0, 0)
    bench.parts.figures = lambda: {"subscriptions": 4, "texts": 2, "texts_refused": 1}
    shown = await bench("status", "show")
    assert (shown["subscriptions"], shown["texts"], shown["texts_refused"]) == (4, 2, 1)


async def test_a_disk_without_room_is_a_finding(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await bench("status", "show"))["findings"] == []
    full = SimpleNamespace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    shown = await bench("status", "show")
    assert (shown["findings"], shown["free_space"]) == (["disk_full"], 4096)


async def test_an_image_that_has_grown_old_says_so(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await bench("status", "show")
    assert (shown["system_days"], shown["outdated"]) == (0, False)
    (tmp_path / "base").write_text("0.1.0\n")
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    monkeypatch.setenv("BRANCHBOX_BASE", str(tmp_path))
    for days, outdated in ((179, False), (181, True)):
        then = time.time() - days * 86_400 - 60
        os.utime(tmp_path / "base", (then, then))
        shown = await bench("status", "show")
        assert (shown["system_days"], shown["outdated"]) == (days, outdated)


async def test_registrations(bench: Bench) -> None:
    now = anyio.current_time()
    bench.directory.contacts = [
        FakeContact(expires_at=now + 90),
        FakeContact("102", flow=FakeFlow("tcp", ("2001:db8::9", 5060)), expires_at=now - 1),
    ]
    first, second = await bench("registrations", "list")
    assert first == {
        "number": "101",
        "contact": "sip:101@192.0.2.9:5062",
        "source": "192.0.2.9:5062",
        "transport": "udp",
        "user_agent": "A Phone 1.0",
        "expires_in": 90.0,
        "registered_at": "2023-11-14T22:13:20.250000Z",
    }
    assert (second["source"], second["transport"], second["expires_in"]) == ("[2001:db8::9]:5060", "tcp", 0.0)


async def test_what_a_phone_sends_that_is_no_text_is_shown_all_the_same(bench: Bench) -> None:
    bench.directory.contacts = [FakeContact(user_agent=b"Phone \xff".decode("utf-8", "surrogateescape"))]
    (shown,) = await bench("registrations", "list")
    assert shown["user_agent"] == "Phone \N{REPLACEMENT CHARACTER}"


async def test_calls(bench: Bench) -> None:
    bench.exchange.live = [FakeCall("a"), FakeCall("b", answered_at=None, state="ringing")]
    assert [each["id"] for each in await bench("calls", "list")] == ["a", "b"]
    shown = await bench("calls", "show", "b")
    assert (shown["state"], shown["answered_at"]) == ("ringing", None)
    assert shown["started_at"] == "2023-11-14T22:13:20Z"
    assert shown["legs"][1] == {
        "side": "callee",
        "number": "102",
        "address": "192.0.2.9:5062",
        "transport": "udp",
    }
    await bench("calls", "hang-up", "b")
    assert bench.exchange.hung_up == ["b"]
    for verb in ("show", "hang-up"):
        with pytest.raises(ConfigError) as refused:
            await bench("calls", verb, "c")
        assert refused.value.key == "error.not_found"


async def test_records(bench: Bench) -> None:
    for name in "abc":
        await bench.store.run(partial(records.add, record=record(name, by="102")))
    listed = await bench("records", "list", limit="2")
    assert [each["id"] for each in listed] == ["c", "b"]
    assert [each["id"] for each in await bench("records", "list", before="b")] == ["a"]
    assert await bench("records", "list", number="999") == []
    shown = await bench("records", "show", "a")
    assert shown["answered_at"] == "1970-01-01T00:16:42Z"
    assert (shown["duration"], shown["status"], shown["from_name"]) == (8.0, 200, "甲")
    for limit in (0, 1001):
        with pytest.raises(ConfigError) as refused:
            await bench("records", "list", limit=limit)
        assert refused.value.path == "records.limit"
    with pytest.raises(ConfigError) as refused:
        await bench("records", "show", "z")
    assert refused.value.key == "error.not_found"


async def test_trace(bench: Bench) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("trace", "show", "call-1")
    assert (refused.value.path, refused.value.key) == ("trace.call-1", "error.not_found")
    bench.traced.append(TracedMessage(1_700_000_000.5, "in", "udp", "192.0.2.9:5062", "INVITE ..."))
    (shown,) = await bench("trace", "show", "call-1")
    assert shown["at"] == "2023-11-14T22:13:20.500000Z"
    assert shown["text"] == "INVITE ..."


@pytest.mark.parametrize(
    ("verb", "action"),
    [("restart", "restart-service"), ("reboot", "reboot"), ("factory-reset", "factory-reset")],
)
async def test_box(bench: Bench, monkeypatch: pytest.MonkeyPatch, verb: str, action: str) -> None:
    request = bench.store.folder / "request.json"
    monkeypatch.delenv("BRANCHBOX_APPLIANCE", raising=False)
    with pytest.raises(ConfigError) as refused:
        await bench("box", verb)
    assert refused.value.key == "error.not_an_appliance"
    assert not request.exists()
    monkeypatch.setenv("BRANCHBOX_APPLIANCE", "1")
    await bench("box", verb)
    assert json.loads(request.read_text()) == {"action": action}


async def test_dialling(bench: Bench) -> None:
    assert await bench("calls", "dial", "101", to="9055512345") == {"id": "dialled"}
    assert bench.exchange.dialled == [("101", "9055512345")]
    for key, to, error in (
        ("109", "102", "cause.not_registered"),
        ("101", "sip:102@x", "error.bad_target_number"),
    ):
        with pytest.raises(ConfigError) as refused:
            await bench("calls", "dial", key, to=to)
        assert refused.value.key == error
