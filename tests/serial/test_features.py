"""Services in the menu: chosen by number, changed by a typed word, refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from appliance.control.areas import AREAS
from appliance.control.control import describe
from appliance.locale import Language
from appliance.serial.area import read_area
from appliance.serial.dialogue import Perform, Words
from appliance.serial.features import SETTINGS
from appliance.serial.items import title_of
from appliance.serial.line_editor import Key, width
from appliance.serial.menu import menu
from tests.control.services import SERVICES, Team
from tests.serial.exchange import FakeExchange
from tests.serial.person import Screen, converse

FEATURES, DND, TEAMS, CAR_PARK = "7", "1", "2", "3"


@pytest.fixture
def exchange() -> FakeExchange:
    exchange = FakeExchange(set_up=True)
    exchange.extensions = {"101": "secret", "102": "secret"}
    exchange.services.services = SERVICES
    return exchange


def choose(exchange: FakeExchange, answers: Sequence[str | Key], language: Language = "en") -> Screen:
    screen, result = converse(menu(Words(language)), exchange, [FEATURES, *answers, "0"])
    assert result is None, screen.text
    return screen


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_services_fit_a_terminal(exchange: FakeExchange, language: Language) -> None:
    screen = choose(exchange, [DND, "1", "101", "", "", ""], language)
    assert "*78, *79" in screen.text
    assert "Do not disturb: no" in screen.text or "免打扰: 否" in screen.text
    assert max(width(line) for line in screen.text.splitlines()) <= 80


def test_an_extensions_setting_changes_only_by_a_typed_word(exchange: FakeExchange) -> None:
    change = [DND, "1", "101", "1", "yes"]
    choose(exchange, [*change, "y", "", "", ""])
    assert exchange.services.kept == {}
    screen = choose(exchange, [*change, "yes", "", "", ""])
    assert "Do not disturb: yes" in screen.text
    assert exchange.services.kept["do-not-disturb"]["101"].enabled


def test_a_code_is_changed_and_refused(exchange: FakeExchange) -> None:
    screen = choose(
        exchange, [DND, "2", "1", "*79", "yes", "1", "*77", "yes", "", "3", "1", "-", "yes", "", "", ""]
    )
    assert "! codes.do_not_disturb_on.code: The code *79" in screen.text
    assert "Take no calls: *77" in screen.text
    assert "Take calls again: off" in screen.text
    assert {key: each.code for key, each in exchange.services.kept["codes"].items()} == {
        "do_not_disturb_on": "*77",
        "do_not_disturb_off": "",
    }


def test_an_item_and_what_the_box_has_one_of(exchange: FakeExchange) -> None:
    assert "nothing here yet" in choose(exchange, [TEAMS, "1", "", "", ""]).text
    exchange.services.kept = {"teams": {"600": Team(name="600")}}
    screen = choose(
        exchange,
        [
            *(TEAMS, "1", "600", "1", "101, 102", "", "yes", "", "", ""),
            *(CAR_PARK, "1", "3", "sat", "", "yes", "", "", ""),
        ],
    )
    assert "\n  600\n" in screen.text
    hidden = choose(exchange, [TEAMS, "1", "600", "4", "4711", "yes", "", "", "", ""])
    assert "4711" not in hidden.text
    assert exchange.services.kept["teams"]["600"].pin == "4711"
    assert exchange.services.kept["teams"]["600"].members == ("101", "102")
    assert exchange.services.kept["car-park"][""].days == ("sat",)


NEW_TEAM = [TEAMS, "1", "+", "600", "1", "101", "102", "", "2", "one-by-one"]


def test_an_item_is_added_by_a_typed_word(exchange: FakeExchange) -> None:
    choose(exchange, [*NEW_TEAM, "", "y", "", "", ""])
    assert "teams" not in exchange.services.kept
    screen = choose(exchange, [*NEW_TEAM, "", "yes", "", "", ""])
    assert exchange.services.kept["teams"] == {
        "600": Team(name="600", members=("101", "102"), strategy="one-by-one")
    }
    assert "ring_seconds: 20" in screen.text
    assert "all one-by-one" in screen.text


def test_a_refused_new_item_is_mended_not_typed_again(exchange: FakeExchange) -> None:
    wrong = [TEAMS, "1", "+", "600", "1", "999", "", "3", "7", "", "yes"]
    screen = choose(exchange, [*wrong, "1", "101", "", "", "yes", "", "", ""])
    assert "! teams.600.members: There is no such thing." in screen.text
    assert exchange.services.kept["teams"]["600"] == Team(name="600", members=("101",), ring_seconds=7)


def test_an_item_is_removed_by_a_typed_word(exchange: FakeExchange) -> None:
    exchange.services.kept = {"teams": {"600": Team(name="600"), "601": Team(name="601")}}
    choose(exchange, [TEAMS, "1", "600", "-", "y", "", "", "", ""])
    assert set(exchange.services.kept["teams"]) == {"600", "601"}
    choose(exchange, [TEAMS, "1", "600", "-", "yes", "", "", ""])
    assert set(exchange.services.kept["teams"]) == {"601"}


def test_a_list_is_emptied_and_left_alone(exchange: FakeExchange) -> None:
    exchange.services.kept = {"teams": {"600": Team(name="600", members=("101",))}}
    choose(exchange, [TEAMS, "1", "600", "1", "", "", "", "", ""])
    assert exchange.services.kept["teams"]["600"].members == ("101",)
    choose(exchange, [TEAMS, "1", "600", "1", "-", "yes", "", "", "", ""])
    assert exchange.services.kept["teams"]["600"].members == ()


def test_more_items_than_a_terminal_has_lines(exchange: FakeExchange) -> None:
    exchange.services.kept = {"teams": {str(n): Team(name=str(n)) for n in range(600, 650)}}
    screen = choose(exchange, [TEAMS, "1", "649", "", "", "", ""])
    assert "\n  ...\n" in screen.text
    assert "\n  649" not in screen.text
    assert "teams - 649" in screen.text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_other_area_is_listed_and_described(name: str, language: Language) -> None:
    """By the exchange's own account: an area without words or without settings would show here."""
    words = Words(language)

    def control(request: Perform) -> Any:
        assert (request.area, request.verb, request.key) == ("areas", "show", name)
        return describe(AREAS)[name]

    _, area = converse(read_area(words, name), control, [])
    assert area.settings
    assert title_of(words, name) != name
    assert area.makes == (name in ("extensions", "lines", "trunks", "routes", "servers"))


def test_what_a_service_has_going_on(exchange: FakeExchange) -> None:
    assert "701" not in choose(exchange, [CAR_PARK, "", ""]).text
    exchange.services.live["car-park"] = [{"place": "701", "caller": "102", "held": True}]
    assert "  place 701, caller 102, held yes\n" in choose(exchange, [CAR_PARK, "", ""]).text


def test_what_does_not_exist_and_keys(exchange: FakeExchange) -> None:
    screen = choose(exchange, [DND, "1", "999", "1", "", "9", "", Key.END])
    assert "! do-not-disturb.999: There is no such thing." in screen.text
    assert "0-3" in screen.text
    assert screen.text.count("\nMenu\n") == 2
