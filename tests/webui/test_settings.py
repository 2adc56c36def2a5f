"""Forms that are drawn from control's own account: every setting has its words, its place and its way in and out."""

from __future__ import annotations

from typing import get_args

import pytest

from appliance import locale
from appliance.lines.outcome import Cause
from appliance.lines.registration import Status
from tests.webui.fake_outside import described, services
from webui import form
from webui.layouts import LAYOUTS, laid_out
from webui.settings import Setting, beginning, beyond_defaults, settings_of, shown

AREAS = {area: "add" if "add" in described()[area] else "set" for area in (*LAYOUTS, "servers", *services())}
SHARED = "console.outside."


def settings(area: str) -> tuple[Setting, ...]:
    """What a form shows: the key of what there is already is not to be changed."""
    taken = settings_of(described()[area][AREAS[area]])
    return taken if AREAS[area] == "add" else tuple(each for each in taken if each.name != "name")


def own(area: str) -> str:
    return f"console.{area.replace('-', '_')}."


def wanted(area: str) -> set[str]:
    """The words of an area's settings: a label and a hint each."""
    return {each.name + ending for each in settings(area) for ending in ("", "_hint")}


@pytest.mark.parametrize("area", AREAS)
def test_every_setting_has_its_words(area: str) -> None:
    known = locale.keys()
    without = {each for each in wanted(area) if not {own(area) + each, SHARED + each} & known}
    assert without == set()


@pytest.mark.parametrize("area", AREAS)
def test_every_choice_has_its_words(area: str) -> None:
    for each in settings(area):
        for option in each.options:
            keys = {f"console.choice.{each.name}.{option or 'none'}", f"cause.{option}"}
            assert keys & locale.keys(), (each.name, option)


def test_no_words_are_left_of_settings_that_are_gone() -> None:
    known = locale.keys()
    used = {own(area) + each for area in AREAS for each in wanted(area)}
    used |= {SHARED + each for area in ("lines", "trunks") for each in wanted(area)}
    used |= {
        f"console.choice.{each.name}.{option or 'none'}"
        for area in AREAS
        for each in settings(area)
        for option in each.options
    }
    prefixes = (SHARED, "console.choice.", *(own(area) for area in AREAS))
    assert {each for each in known if each.startswith(prefixes)} - used == set()


@pytest.mark.parametrize("area", AREAS)
def test_every_setting_is_in_the_form_once(area: str) -> None:
    names = {each.name for each in settings(area)}
    assert {name for group in LAYOUTS.get(area, {}).values() for name in group} <= names
    groups = laid_out(area, settings(area), form.Reading(typed=beginning(settings(area), "en")))
    assert sorted(each.name for group in groups for each in group.settings) == sorted(names)
    assert [group.name for group in groups if group.is_open] == ["first"]


def test_a_group_is_open_that_has_an_error_or_a_choice_of_somebodys() -> None:
    reading = form.Reading(typed={**beginning(settings("lines"), "en"), "hide_caller": "on"})
    reading.errors["realm"] = form.FieldError("console.form.required")
    groups = laid_out("lines", settings("lines"), reading)
    assert [group.name for group in groups if group.is_open] == ["first", "caller", "server"]


def test_every_state_and_cause_of_a_line_has_its_words() -> None:
    assert {f"line.cause.{each}" for each in get_args(Cause) if each} <= locale.keys()
    assert {f"console.state.{each}" for each in (*get_args(Status), "off")} <= locale.keys()
    assert {f"console.state.{each}" for each in ("up", "down", "unknown", "off")} <= locale.keys()


def test_each_kind_of_setting_is_read_as_control_takes_it() -> None:
    taken = settings("routes")
    typed = {
        "name": "city",
        "pattern": "NXXXXXXX",
        "to": "line:carrier\r\n trunk:hq , extension:101",
        "times": "mon-fri 08:00-18:00\nsat 09:00-12:00",
        "strip": "0",
        "level": "3",
        "enabled": "on",
        "fail_over_on.busy": "on",
        "fail_over_on.nonsense": "on",
    }
    reading = form.read([each.field for each in taken], typed)
    assert reading.errors == {}
    assert beyond_defaults(taken, reading.values) == {
        "name": "city",
        "pattern": "NXXXXXXX",
        "to": ["line:carrier", "trunk:hq", "extension:101"],
        "times": ["mon-fri 08:00-18:00", "sat 09:00-12:00"],
        "level": 3,
        "fail_over_on": ["busy"],
    }
    assert shown(taken, reading.values)["to"] == "line:carrier\ntrunk:hq\nextension:101"
    assert shown(taken, reading.values)["fail_over_on"] == "busy"


def test_a_default_that_depends_on_the_language() -> None:
    """What the reader sees is what counts, whatever the box speaks; also when he has emptied it."""
    taken = settings("lines")
    assert beginning(taken, "zh")["uri_parameter"] == "user=phone"
    assert beginning(taken, "en")["uri_parameter"] == ""
    for text in ("user=phone", ""):
        assert beyond_defaults(taken, {"uri_parameter": text, "hide_caller": False}) == {
            "uri_parameter": text
        }
    assert beginning(settings("trunks"), "zh")["uri_parameter"] == ""


def test_a_secret_is_never_put_into_a_form() -> None:
    assert shown(settings("lines"), {"password": "very-secret"})["password"] == ""
    reading = form.read([each.field for each in settings("lines")], {"password": "very-secret"})
    assert "very-secret" not in str(reading.typed)
