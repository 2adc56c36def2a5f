"""The fake that the console is tested on gives what control gives: each result has the shape control promises."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.control.areas import AREAS
from tests.webui.fake_control import busy_office

VERBS = {(area.name, verb.name): verb for area in AREAS for verb in area.verbs}

ASKED: tuple[tuple[str, str, str | None, dict[str, Any]], ...] = (
    ("status", "show", None, {}),
    ("system", "show", None, {}),
    ("system", "set", None, {"network": "static", "address": "192.0.2.5", "dns": ["192.0.2.1"]}),
    ("system", "set", None, {"ipv6": "off", "vlan": 7, "link": "wifi", "wifi_password": "correct horse"}),
    ("extensions", "list", None, {}),
    ("extensions", "show", "101", {}),
    ("extensions", "add", None, {"number": "120", "password": "words", "ring_seconds": 20, "enabled": True}),
    ("extensions", "set", "101", {"name": "Front", "enabled": False}),
    ("extensions", "remove", "101", {}),
    ("extensions", "add-many", None, {"first": "201", "count": 3, "name": "Room"}),
    ("lines", "list", None, {}),
    ("lines", "add", None, {"name": "new", "server": "sip.example", "account": "1", "numbers": ["5=101"]}),
    ("lines", "set", "carrier", {"password": "new"}),
    ("trunks", "show", "workshop", {}),
    ("trunks", "add", None, {"name": "new", "peers": ["192.0.2.9"]}),
    ("routes", "list", None, {}),
    ("routes", "set", "world", {"fail_over_on": ["busy"]}),
    ("routes", "remove", "world", {}),
    ("routes", "test", "0013800001234", {}),
    ("routes", "test", "913800001234", {"from": "101", "at": "2026-05-04T08:30"}),
    ("dial-plan", "show", None, {}),
    ("dial-plan", "set", None, {"out_prefix": "0", "emergency": ["112"]}),
    ("features", "list", None, {}),
    ("features", "show", "do-not-disturb", {}),
    ("features", "live", "do-not-disturb", {}),
    ("codes", "list", None, {}),
    ("codes", "set", "do_not_disturb_on", {"code": "*70"}),
    ("do-not-disturb", "list", None, {}),
    ("do-not-disturb", "set", "101", {"enabled": True}),
    ("do-not-disturb", "remove", "101", {}),
    ("music", "show", None, {}),
    ("music", "set", None, {"tones": "china"}),
    ("music", "remove", None, {}),
    ("registrations", "list", None, {}),
    ("calls", "list", None, {}),
    ("calls", "show", "c-7f3a", {}),
    ("calls", "hang-up", "c-7f3a", {}),
    ("records", "list", None, {"number": "101", "before": "7", "limit": 5}),
    ("records", "show", "3", {}),
    ("admin", "set-up", None, {"code": "1234-5678", "password": "correct horse battery"}),
    ("admin", "log-in", None, {"password": "correct horse battery"}),
    ("admin", "set-password", None, {"current": "correct horse battery", "password": "another one"}),
    ("admin", "tokens", None, {}),
    ("admin", "add-token", None, {"name": "test"}),
    ("admin", "check-token", None, {"token": "the token"}),
    ("trace", "show", "8", {}),
    ("dns-check", "show", "sip.example", {}),
    ("dns-check", "list", None, {}),
    ("update", "show", None, {}),
    ("update", "install", None, {"source": "https://example.com/update"}),
    ("export", "show", None, {}),
)


@pytest.mark.parametrize(("area", "verb", "key", "values"), ASKED)
def test_a_result_has_the_shape_that_control_promises(
    area: str, verb: str, key: str | None, values: dict[str, Any]
) -> None:
    control = busy_office()
    control.tokens["1"] = {"id": "1", "name": "test", "created_at": None, "token": "the token"}
    promised = VERBS[area, verb]
    msgspec.convert(values, promised.takes)
    unknown = values.keys() - {field.encode_name for field in msgspec.structs.fields(promised.takes)}
    assert unknown == set()
    result = control(area, verb, key, values, "web:admin")
    again = msgspec.to_builtins(msgspec.convert(result, promised.gives))
    shown = again[0] if isinstance(again, list) and again else again
    given = result[0] if isinstance(result, list) and result else result
    if isinstance(shown, dict):
        assert given.keys() == shown.keys()
