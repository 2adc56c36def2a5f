"""Areas `lines` and `trunks`, and with them every area that is made from its struct."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from appliance.config.config import Config
from appliance.errors import ConfigError
from tests.control.fakes import Bench

LINE: dict[str, Any] = {
    "name": "carrier",
    "server": "sip.example.net",
    "account": "100200",
    "password": "very-secret",
}


async def test_added_shown_listed_changed_removed(bench: Bench) -> None:
    added = await bench("lines", "add", **LINE, numbers="301=101 302=102", max_calls="4")
    assert (added["server"], added["numbers"], added["max_calls"]) == (
        "sip.example.net",
        ["301=101", "302=102"],
        4,
    )
    assert await bench("lines", "show", "carrier") == added
    changed = await bench("lines", "set", "carrier", no_100rel="yes", transport="tcp")
    assert changed == {**added, "no_100rel": True, "transport": "tcp"}
    assert await bench("lines", "list") == [changed]
    assert await bench("lines", "remove", "carrier") == {"done": True}
    assert await bench("lines", "list") == []


async def test_a_password_is_taken_and_never_shown(bench: Bench) -> None:
    shown = [
        await bench("lines", "add", **LINE),
        await bench("lines", "show", "carrier"),
        await bench("lines", "list"),
    ]
    shown.append(await bench("export", "show"))
    assert "very-secret" not in str(shown)
    assert bench.config.current.lines["carrier"].password == "very-secret"
    await bench("lines", "set", "carrier", server="sip2.example.net")
    assert bench.config.current.lines["carrier"].password == "very-secret"


async def test_they_are_there_after_a_restart(bench: Bench) -> None:
    await bench("lines", "add", **LINE)
    await bench("trunks", "add", name="hq", peers="192.0.2.9:5070 hq.example.net")
    again = await Config.open(bench.store)
    assert again.current.lines == bench.config.current.lines
    assert again.current.trunks["hq"].peers == ("192.0.2.9:5070", "hq.example.net")
    await bench("trunks", "remove", "hq")
    assert (await Config.open(bench.store)).current.trunks == {}


@pytest.mark.parametrize(("language", "parameter"), [("zh", "user=phone"), ("en", "")])
async def test_the_request_uri_parameter_of_a_new_line(bench: Bench, language: str, parameter: str) -> None:
    await bench("system", "set", language=language)
    assert (await bench("lines", "add", **LINE))["uri_parameter"] == parameter
    assert (await bench("lines", "set", "carrier", uri_parameter=""))["uri_parameter"] == ""
    # Server to server, nobody asks for it.
    assert (await bench("trunks", "add", name="hq", peers="192.0.2.9"))["uri_parameter"] == ""


@pytest.mark.parametrize(
    ("verb", "key", "values", "path", "reason"),
    [
        ("add", None, LINE, "lines.carrier.name", "error.name_taken"),
        ("add", None, {"name": "x", "account": "1"}, "lines.server", "error.value_missing"),
        ("add", None, {**LINE, "name": "x", "colour": "red"}, "lines.colour", "error.unknown_setting"),
        ("set", "carrier", {"name": "other"}, "lines.carrier.name", "error.read_only"),
        ("set", "carrier", {"transport": "smoke"}, "lines.carrier.transport", "error.not_a_choice"),
        ("set", "other", {"server": "x"}, "lines.other", "error.not_found"),
        ("show", "other", {}, "lines.other", "error.not_found"),
        ("remove", "other", {}, "lines.other", "error.not_found"),
    ],
)
async def test_refused(
    bench: Bench, verb: str, key: str | None, values: dict[str, Any], path: str, reason: str
) -> None:
    await bench("lines", "add", **LINE)
    before = bench.config.current
    with pytest.raises(ConfigError) as refused:
        await bench("lines", verb, key, **values)
    assert (refused.value.path, refused.value.key) == (path, reason)
    assert bench.config.current == before


async def test_an_export_is_an_import(bench: Bench) -> None:
    await bench("lines", "add", **LINE)
    await bench("trunks", "add", name="hq", peers="192.0.2.9", share="in-turn")
    text = (await bench("export", "show"))["text"]
    assert tomllib.loads(text)["trunks"]["hq"]["share"] == "in-turn"
    before = bench.config.current
    assert await bench("import", "apply", text=text) == {"added": 0, "changed": 0}
    assert bench.config.current == before
    more = '[[lines]]\nname = "second"\nserver = "h"\naccount = "1"\n[lines.carrier]\nexpiry = 600\n'
    with pytest.raises(ConfigError):
        await bench("import", "apply", text=more)  # TOML has one way or the other
    more = '[lines.second]\nserver = "h"\naccount = "1"\n[lines.carrier]\nexpiry = 600\n'
    assert await bench("import", "apply", text=more) == {"added": 1, "changed": 1}
    assert bench.config.current.lines["carrier"].password == "very-secret"
    twice = '[[lines]]\nname = "a"\nserver = "h"\naccount = "1"\n' * 2
    with pytest.raises(ConfigError) as refused:
        await bench("import", "apply", text=twice)
    assert refused.value.key == "error.name_taken"


async def test_routes_are_listed_in_the_order_in_which_they_decide(bench: Bench) -> None:
    await bench("lines", "add", **LINE)
    for name, pattern, more in (
        ("a-rest", "X.", {}),
        ("b-mobile", "1[3-9]XXXXXXXXX", {}),
        ("c-mobile", "1[3-9]XXXXXXXXX", {"callers": "101"}),
        ("d-world", "00X.", {}),
    ):
        await bench("routes", "add", name=name, pattern=pattern, to="line:carrier", **more)
    names = [each["name"] for each in await bench("routes", "list")]
    assert names == ["d-world", "c-mobile", "b-mobile", "a-rest"]


async def test_what_a_form_needs_is_in_the_schema(bench: Bench) -> None:
    described = bench.control.describe()
    line, change = (described["lines"][verb]["properties"] for verb in ("add", "set"))
    assert line["shows"] == {"enum": ["extension", "fixed", "outside"], "default": "outside"}
    assert line["password"] == {"type": "string", "default": "", "writeOnly": True}
    assert change["password"] == {"type": "string", "writeOnly": True}
    assert change["expiry"] == {"type": "integer"}
    causes = described["routes"]["add"]["properties"]["fail_over_on"]
    assert "busy" in causes["items"]["enum"]
    assert "failed" in causes["default"]
    assert line["numbers"]["default"] == []
