"""Lines, trunks, routes and the dial plan in the console: seen, added, changed, removed, and asked about."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from appliance.lines.feature import FEATURES
from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl
from tests.webui.test_actions import last_asked

LINE = {
    "name": "second",
    "server": "sip.second.example",
    "account": "4711",
    "password": "s3cret words",
    "enabled": "on",
    "transport": "",
    "shows": "outside",
    "expiry": "3600",
    "caller_cut": "0",
    "max_calls": "0",
    "port": "0",
    "caller_from": "p-asserted-identity\r\nremote-party-id\r\nfrom",
}


def test_the_state_of_each_line_and_trunk_is_said_with_what_to_do(admin: Client) -> None:
    for path in ("/outside", "/outside/live"):
        text = admin.get(path).text
        for words in (
            "Registered",
            "udp 203.0.113.7:5060",
            "Known there as sip:+8657188881234@carrier.example, tel:+8657188881234",
            "Refused",
            "The carrier does not take the password. Enter it again",
            "In detail: 403 Forbidden",
            "Next try: ",
            "192.0.2.51:5070",
            "Down",
            "Not let in since the start: ",
            "Learned of the other side: without 100rel (PRACK)",
        ):
            assert words in text, words
    routes = admin.get("/outside").text
    assert routes.index(">mobile<") < routes.index(">world<")
    for words in ("line:carrier → line:reserve", "mon-fri 08:00-18:00", "level 5", "110, 119"):
        assert words in routes, words


def test_a_line_without_an_address_or_an_expiry_is_shown(admin: Client, control: FakeControl) -> None:
    control.lines["carrier"] = {**control.lines["reserve"], "name": "carrier", "state": "off", "cause": ""}
    del control.lines["carrier"]["next_try_at"]
    assert "Off" in admin.get("/outside/live").text


def test_a_line_is_added_with_what_was_chosen_alone(admin: Client, control: FakeControl) -> None:
    admin.get("/outside/lines/add")
    assert admin.post("/outside/lines/add", LINE).header("Location") == "/outside"
    given = {name: LINE[name] for name in ("name", "server", "account", "password")} | {"uri_parameter": ""}
    assert last_asked(control, "lines") == ("add", None, given)
    assert "second was added." in admin.get("/outside").text


def test_a_line_is_changed_and_keeps_its_password(admin: Client, control: FakeControl) -> None:
    page = admin.get("/outside/lines/carrier/edit").text
    assert "x1" not in re.findall(r'value="([^"]*)"', page)
    assert "Leave it empty to keep the password." in page
    assert 'name="name"' not in page
    changed = {**LINE, "password": "", "server": "new.example", "numbers": "88881234=101\r\n88881235=102"}
    del changed["enabled"]
    assert admin.post("/outside/lines/carrier/edit", changed).status == 303
    verb, key, values = last_asked(control, "lines")
    assert (verb, key) == ("set", "carrier")
    assert not {"password", "name"} & values.keys()
    assert values["enabled"] is False
    assert values["numbers"] == ["88881234=101", "88881235=102"]
    assert control.lines["carrier"]["password"] == "x1"
    again = admin.get("/outside/lines/carrier/edit").text
    assert "88881234=101\n88881235=102</textarea>" in again


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "carrier"}, "name"),
        ({"server": ""}, "server"),
        ({"expiry": "5"}, "expiry"),
        ({"expiry": "soon"}, "expiry"),
    ],
)
def test_a_refusal_stands_beside_its_field(admin: Client, change: dict[str, str], field: str) -> None:
    refused = admin.post("/outside/lines/add", {**LINE, **change})
    assert refused.status == 400
    assert f'aria-describedby="{field}-error"' in refused.text
    assert 'value="4711"' in refused.text
    assert "s3cret words" not in refused.text
    # Wherever the field is, it is to be seen.
    folded = re.findall(r"<details>.*?</details>", refused.text, re.DOTALL)
    assert not any("-error" in each for each in folded)


def test_a_choice_that_is_none_is_refused(admin: Client) -> None:
    refused = admin.post("/outside/lines/add", {**LINE, "transport": "smoke"})
    assert refused.status == 400
    assert 'id="transport-error"' in refused.text


def test_what_is_gone_has_a_page_of_ours(admin: Client) -> None:
    for action in ("edit", "remove"):
        assert admin.get(f"/outside/lines/gone/{action}").status == 404
        assert admin.post(f"/outside/lines/gone/{action}", LINE).status == 404


def test_what_was_learned_is_shown_pinned_and_forgotten(admin: Client, control: FakeControl) -> None:
    back = "/outside/lines/carrier/edit"
    page = admin.get(back).text
    for words in ("without 100rel (PRACK)", "405 Method Not Allowed to PRACK", "Keep it so", "Forget"):
        assert words in page, words
    assert admin.post("/outside/lines/carrier/pin", {"feature": "100rel"}).header("Location") == back
    assert last_asked(control, "lines") == ("pin", "carrier", {"feature": "100rel"})
    (lesson,) = control.lines["carrier"]["learned"]
    assert (lesson["use"], lesson["pinned"]) == ("without", True)
    page = admin.get(back).text
    assert "It stays so until you forget it." in page
    assert "stays until it is forgotten" in page
    assert 'id="pin-100rel"' not in page
    assert admin.post("/outside/lines/carrier/forget", {"feature": "100rel"}).header("Location") == back
    assert control.lines["carrier"]["learned"] == []
    assert "Forgotten: the next call tries it again." in admin.get(back).text
    # In another window it was forgotten already.
    assert admin.post("/outside/lines/carrier/forget", {"feature": "100rel"}).header("Location") == back
    assert 'class="notice bad"' in admin.get(back).text


def test_a_feature_is_left_out_by_hand(admin: Client, control: FakeControl) -> None:
    admin.post("/outside/trunks/workshop/pin", {"feature": "user-phone", "use": "with"})
    (lesson,) = control.trunks["workshop"]["learned"]
    assert (lesson["feature"], lesson["use"], lesson["pinned"]) == ("user-phone", "with", True)
    page = admin.get("/outside/trunks/workshop/edit").text
    assert "with user=phone" in page
    assert "Set by hand" in page
    assert "lessons" not in admin.get("/outside/routes/world/edit").text
    assert "lessons" not in admin.get("/outside/trunks/add").text


def test_every_feature_has_its_words(admin: Client) -> None:
    """And there are no words that no feature has."""
    page = admin.get("/outside/lines/carrier/edit").text
    (choice,) = re.findall(r'<select id="feature".*?</select>', page, re.DOTALL)
    options = dict(re.findall(r'<option value="([^"]+)">([^<]+)</option>', choice))
    assert options.keys() == set(FEATURES)
    assert not any("console." in text for text in options.values())
    file = Path(__file__).parents[2] / "appliance/locale/words/outside.json"
    keys = json.loads(file.read_text(encoding="utf-8"))
    named = {key.rpartition(".")[2] for key in keys if key.startswith("console.lessons.feature.")}
    assert named == {each.replace("-", "_") for each in FEATURES}


def test_a_trunk_and_a_route_are_added_changed_and_removed(admin: Client, control: FakeControl) -> None:
    trunk = {"name": "hq", "peers": "192.0.2.9, hq.example:5070", "enabled": "on", "transport": "tls"}
    trunk |= {"shows": "extension", "share": "in-turn", "number_format": "e164", "keep_alive": "0"}
    trunk |= {name: LINE[name] for name in ("port", "caller_cut", "max_calls", "caller_from")}
    assert admin.post("/outside/trunks/add", {**trunk, "peers": " "}).status == 400
    assert admin.post("/outside/trunks/add", trunk).status == 303
    assert control.trunks["hq"]["peers"] == ["192.0.2.9", "hq.example:5070"]
    assert control.trunks["hq"]["share"] == "in-turn"

    page = admin.get("/outside/routes/add").text
    assert "There is: line:carrier, line:reserve, trunk:workshop, trunk:hq." in page
    assert re.search(r'name="fail_over_on.failed" checked', page)
    route = {"name": "hq", "pattern": "7XX", "to": "trunk:hq", "level": "2", "strip": "0", "enabled": "on"}
    assert admin.post("/outside/routes/add", {**route, "fail_over_on.busy": "on"}).status == 303
    assert control.routes["hq"]["fail_over_on"] == ["busy"]
    assert admin.post("/outside/routes/hq/edit", {**route, "pattern": "?"}).status == 400
    assert admin.post("/outside/routes/hq/edit", {**route, "pattern": "8XX"}).status == 303
    assert control.routes["hq"]["pattern"] == "8XX"
    assert control.routes["hq"]["fail_over_on"] == []

    refused = admin.post("/outside/trunks/hq/remove")
    assert refused.status == 400
    assert "The route hq still names it." in refused.text
    admin.post("/outside/routes/hq/remove")
    assert admin.post("/outside/trunks/hq/remove").status == 303
    assert "hq" not in control.trunks


def test_the_dial_plan_is_changed(admin: Client, control: FakeControl) -> None:
    assert "110\n119</textarea>" in admin.get("/outside/dial-plan").text
    plan = {"out_prefix": "0", "emergency": "112 \r\n911\r\n"}
    assert admin.post("/outside/dial-plan", plan).header("Location") == "/outside"
    assert control.dial_plan == {"out_prefix": "0", "emergency": ["112", "911"]}
    refused = admin.post("/outside/dial-plan", {**plan, "out_prefix": "nine"})
    assert refused.status == 400
    assert 'aria-describedby="out_prefix-error"' in refused.text


def test_where_a_call_would_go_is_said_step_by_step(admin: Client, control: FakeControl) -> None:
    assert admin.get("/outside/test").status == 200
    told = admin.get("/outside/test?number=95&from=101&at=2026-05-04T08:30").text
    assert last_asked(control, "routes") == ("test", "95", {"from": "101", "at": "2026-05-04T08:30"})
    for words in ("The call goes through.", "Extension 101 (right 9) dials 95", "Out by line “carrier”"):
        assert words in told, words
    assert "After: An error in the exchange or in a phone; " in told
    assert '<option value="101" selected>' in told
    assert '<option value="line:carrier">' in told
    refused = admin.get("/outside/test?number=001&from=&at=").text
    assert last_asked(control, "routes") == ("test", "001", {})
    assert "The call is refused: " in refused
    assert "No extension and no route has the number 001" in refused


def test_a_new_line_has_what_carriers_want_where_the_readers_language_is_spoken(
    app: object, control: FakeControl
) -> None:
    """Of China's carriers: user=phone. It counts as it stands in the form."""
    for language, offered in (("zh", "user=phone"), ("en", "")):
        reader = Client(app, language)
        reader.log_in()
        page = reader.get("/outside/lines/add").text
        (field,) = re.findall(r'<input[^>]*name="uri_parameter"[^>]*>', page)
        assert f'value="{offered}"' in field
        reader.post("/outside/lines/add", {**LINE, "name": f"in-{language}", "uri_parameter": offered})
        asked = last_asked(control, "lines")
        assert asked[2]["uri_parameter"] == offered


def test_the_steps_are_in_the_readers_language(app: object) -> None:
    reader = Client(app, "zh")
    reader.log_in()
    assert "经外线“carrier”拨打 5" in reader.get("/outside/test?number=95").text


def test_a_question_that_cannot_be_asked_is_refused_beside_its_field(admin: Client) -> None:
    for query, field in (("number=", "number"), ("number=95&at=tomorrow", "at")):
        refused = admin.get(f"/outside/test?{query}")
        assert refused.status == 400
        assert f'aria-describedby="{field}-error"' in refused.text
