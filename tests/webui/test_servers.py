"""Further virtual servers in the console: seen with what they say, added, changed, and removed after asking."""

from __future__ import annotations

from typing import Any

from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl

NEW = {"name": "second", "sip": "0", "tls": "0", "web": "0", "rtp": "", "enabled": "on"}


def servers(control: FakeControl) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in control("servers", "list", None, {}, "test")}


def test_each_is_shown_with_its_ports_and_what_it_says(admin: Client) -> None:
    page = admin.get("/system/servers").text
    for words in ("annex", "5070", "5071", "8443", "35000-36999", "code ABCD-EFGH"):
        assert words in page, words
    assert "/system/servers" in admin.get("/system").text


def test_one_is_added_with_free_ports(admin: Client, control: FakeControl) -> None:
    assert admin.post("/system/servers/add", NEW).header("Location") == "/system/servers"
    made = servers(control)["second"]
    assert (made["sip"], made["web"], made["rtp"]) == (5080, 8444, "37000-38999")
    assert "second was added." in admin.get("/system/servers").text


def test_a_taken_port_is_refused_at_its_field(admin: Client, control: FakeControl) -> None:
    refused = admin.post("/system/servers/add", {**NEW, "web": "443"})
    assert refused.status == 400
    assert 'id="web-error"' in refused.text
    assert set(servers(control)) == {"annex"}


def test_one_is_changed(admin: Client, control: FakeControl) -> None:
    now = servers(control)["annex"]
    typed = {name: str(now[name]) for name in ("sip", "tls", "web", "rtp")}
    assert admin.post("/system/servers/annex/edit", {**typed, "web": "9443"}).status == 303
    changed = servers(control)["annex"]
    assert (changed["web"], changed["enabled"]) == (9443, False)


def test_one_is_removed_after_asking(admin: Client, control: FakeControl) -> None:
    asked = admin.get("/system/servers/annex/remove").text
    assert "Its data stay on the box" in asked
    assert set(servers(control)) == {"annex"}
    assert admin.post("/system/servers/annex/remove", {}).header("Location") == "/system/servers"
    assert servers(control) == {}
    assert "No further servers" in admin.get("/system/servers").text
    assert admin.get("/system/servers/annex/edit").status == 404
