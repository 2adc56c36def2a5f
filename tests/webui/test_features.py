"""Services in the console: seen, their codes changed, and their settings by forms that nobody drew for them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.control.services import SERVICES
from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl, busy_office
from tests.webui.test_actions import last_asked
from webui.app import create_app

DND = "/features/do-not-disturb"


@pytest.fixture
def control() -> FakeControl:
    """Services, too, that the console has never heard of."""
    control = busy_office()
    control.services = SERVICES
    return control


@pytest.fixture
def app(control: FakeControl) -> Any:
    return create_app(control, describe=control.described)


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]


def test_each_service_is_there_with_its_codes_and_its_settings(admin: Client) -> None:
    page = admin.get("/features").text
    for words in ("Do not disturb", "is not rung", "*78", "Take no calls", "off", "teams"):
        assert words in page, words
    for path in (DND, "/features/teams", "/features/car-park", "/features/codes/do_not_disturb_on/edit"):
        assert f'href="{path}"' in page
    assert '<a href="/features" aria-current="page">' in page


def test_an_extensions_setting_is_chosen_changed_and_given_back(admin: Client, control: FakeControl) -> None:
    page = admin.get(DND).text
    assert "Every extension has the defaults" in page
    assert '<option value="101">101 Reception</option>' in page
    assert admin.get(f"{DND}/choose?name=101").header("Location") == f"{DND}/101/edit"
    form = admin.get(f"{DND}/101/edit").text
    assert "Do not disturb: 101" in form
    assert 'name="name"' not in form
    assert " checked" not in form
    assert admin.post(f"{DND}/101/edit", {"enabled": "on"}).header("Location") == DND
    assert last_asked(control, "do-not-disturb") == ("set", "101", {"enabled": True})
    page = admin.get(DND).text
    assert "101 was saved." in page
    [row] = rows(page)
    assert "Reception" in row
    assert "Yes" in row
    assert " checked" in admin.get(f"{DND}/101/edit").text
    assert "back to the defaults?" in admin.get(f"{DND}/101/remove").text
    assert admin.post(f"{DND}/101/remove").status == 303
    assert "101 has the defaults again." in admin.get(DND).text
    assert control.kept.keys() <= {"servers"}


def test_an_extensions_page_leads_to_its_services(admin: Client) -> None:
    page = admin.get("/extensions/101/edit").text
    assert f'href="{DND}/101/edit"' in page
    assert "car-park" not in page
    assert "teams" not in page
    assert "do-not-disturb" not in admin.get("/extensions/add").text


def test_a_code_is_changed_and_refused_beside_its_field(admin: Client, control: FakeControl) -> None:
    path = "/features/codes/do_not_disturb_on/edit"
    page = admin.get(path).text
    assert "Codes to dial: Take no calls" in page
    assert 'value="*78"' in page
    refused = admin.post(path, {"code": "*79"})
    assert refused.status == 400
    assert 'aria-describedby="code-error"' in refused.text
    assert "The code *79 of do_not_disturb_off would be meant as well." in refused.text
    assert admin.post(path, {"code": "*77"}).header("Location") == "/features"
    assert "*77" in admin.get("/features").text
    assert "*77" in admin.get("/features/codes").text
    assert admin.post(path, {"code": ""}).status == 303
    assert admin.get("/features").text.count('\n        <td class="figures">off</td>') == 2
    admin.post("/features/codes/do_not_disturb_on/remove")
    assert control.kept.keys() <= {"servers"}


def test_items_of_a_service_are_added_changed_and_removed(admin: Client, control: FakeControl) -> None:
    assert "Nothing here yet" in admin.get("/features/teams").text
    page = admin.get("/features/teams/add").text
    assert 'value="20"' in page
    team = {"name": "600", "members": "101\r\n102", "strategy": "all", "ring_seconds": "20", "pin": "4711"}
    assert admin.post("/features/teams/add", {**team, "members": "999"}).status == 400
    assert admin.post("/features/teams/add", team).header("Location") == "/features/teams"
    given = {"name": "600", "members": ["101", "102"], "pin": "4711"}
    assert last_asked(control, "teams") == ("add", None, given)
    [row] = rows(admin.get("/features/teams").text)
    assert "101, 102" in row
    assert "one-by-one" not in row, "the service says what its table shows"
    page = admin.get("/features/teams/600/edit").text
    assert "4711" not in page
    assert "Leave it empty to keep the password." in page
    changed = {**team, "strategy": "one-by-one", "pin": ""}
    assert admin.post("/features/teams/600/edit", changed).status == 303
    assert control.kept["teams"]["600"].strategy == "one-by-one"
    assert control.kept["teams"]["600"].pin == "4711"
    assert "Remove 600?" in admin.get("/features/teams/600/remove").text
    assert admin.post("/features/teams/600/remove").status == 303
    assert control.kept.keys() <= {"servers"}


def test_what_the_box_has_one_of_is_a_form_at_once(admin: Client, control: FakeControl) -> None:
    page = admin.get("/features/car-park").text
    assert 'action="/features/car-park"' in page
    assert "/remove" not in page
    lot = {"first": "701", "places": "5", "wait": "1.5", "days.sat": "on"}
    refused = admin.post("/features/car-park", {**lot, "places": "0"})
    assert refused.status == 400
    assert 'id="places-error"' in refused.text
    assert admin.post("/features/car-park", lot).header("Location") == "/features"
    kept = control.kept["car-park"][""]
    assert (kept.places, kept.wait, kept.days) == (5, 1.5, ("sat",))


def test_what_a_service_has_going_on_is_a_table(admin: Client, control: FakeControl) -> None:
    # With its tags: a form's token may have these digits, too.
    assert ">701<" not in admin.get("/features").text
    since = "2026-05-04T08:30:00Z"
    control.live["car-park"] = [{"place": "701", "caller": "<b>102", "since": since, "held": True}]
    for path in ("/features", "/features/car-park/live"):
        text = admin.get(path).text
        for words in ("live.car_park.place", ">701<", "&lt;b&gt;102", "2026-05-04 08:30", "Yes"):
            assert words in text, words
    assert admin.get("/features/nothing/live").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/features/lines",
        "/features/nothing",
        "/features/extensions/101/edit",
        "/features/do-not-disturb/999/edit",
        "/features/do-not-disturb/999/remove",
        "/features/do-not-disturb/add",
        "/features/car-park/add",
        "/features/teams/600/remove",
        "/features/codes/other/edit",
        "/features/car-park/x/edit",
    ],
)
def test_what_is_not_there_has_a_page_of_ours(admin: Client, path: str) -> None:
    for response in (admin.get(path), admin.post(path, {})):
        assert response.status == 404
        assert "There is no such thing." in response.text
