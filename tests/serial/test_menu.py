"""The menu, and the greeting before it."""

from __future__ import annotations

import pytest

from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.locale import Language
from appliance.serial.dialogue import Perform, Words
from appliance.serial.line_editor import Key, width
from appliance.serial.menu import conversation, menu
from appliance.serial.pages import console_urls
from tests.serial.exchange import FakeExchange
from tests.serial.person import UNFINISHED, Screen, converse


def choose(*answers: str | Key, exchange: FakeExchange | None = None, words: Words | None = None) -> Screen:
    """What the menu shows for some answers, the last of which leaves it."""
    screen, result = converse(menu(words or Words()), exchange or FakeExchange(set_up=True), [*answers, "0"])
    assert result is None, screen.text
    return screen


@pytest.mark.parametrize("language", ["en", "zh"])
def test_status_fits_a_terminal(language: Language) -> None:
    screen = choose("1", "", "", words=Words(language))
    assert "1 d 02:03" in screen.text
    assert "https://192.0.2.5" in screen.text
    assert max(width(line) for line in screen.text.splitlines()) <= 80


def test_the_network_changes_only_by_a_typed_word() -> None:
    exchange = FakeExchange(set_up=True)
    change = ["2", "2", "10.0.0.5/8", "10.0.0.1", "10.0.0.1"]
    choose(*change, "y", exchange=exchange)
    assert exchange.system["network"] == "dhcp"
    screen = choose(*change, "yes", "", "", exchange=exchange)
    assert exchange.system["address"] == "10.0.0.5"
    assert "https://10.0.0.5" in screen.text


def on_board() -> FakeExchange:
    exchange = FakeExchange(set_up=True)
    exchange.tries_out = True
    return exchange


CHANGE = ["2", "2", "10.0.0.5/8", "10.0.0.1", "10.0.0.1", "yes"]


def test_a_change_on_trial_is_kept_by_a_typed_word() -> None:
    exchange = on_board()
    screen = choose(*CHANGE, "", "keep", "", "", exchange=exchange)
    assert "120 s left" in screen.text
    assert "is kept" in screen.text
    assert (exchange.system["address"], exchange.system["trial"]) == ("10.0.0.5", None)


def test_a_change_on_trial_is_undone_or_left_alone() -> None:
    exchange = on_board()
    assert "as it was before" in choose(*CHANGE, "undo", "", "", exchange=exchange).text
    assert exchange.system["network"] == "dhcp"
    # Whoever leaves finds it in the menu, and again under Network.
    assert "on trial" in choose(*CHANGE, Key.END, exchange=exchange).text.rpartition("\nMenu\n")[2]
    choose("2", "keep", exchange=exchange)
    assert exchange.system["network"] == "static"


def test_a_trial_whose_time_is_over_while_one_types() -> None:
    exchange = on_board()
    exchange.refuse["system", "confirm"] = ConfigError("system", "error.nothing_on_trial")
    screen = choose(*CHANGE, "keep", "", "", exchange=exchange)
    assert "No change is on trial" in screen.text
    assert "as it was before" in screen.text


def test_a_wrong_vlan_or_wifi_is_got_rid_of() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.system |= {"vlan": 7, "link": "wifi", "wifi_ssid": "office", "ipv6": "off"}
    screen = choose("2", "1", "4095", "", "3", "", "no", exchange=exchange)
    assert "VLAN: 7" in screen.text
    assert "Wi-Fi: office" in screen.text
    assert "IPv6: off" in screen.text
    choose("2", "1", "0", "1", "yes", exchange=exchange)
    assert (exchange.system["vlan"], exchange.system["link"]) == (0, "cable")


def test_the_greeting_tells_of_a_trial() -> None:
    exchange = on_board()
    exchange.system["trial"] = {"seconds_left": 77}
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "77 s left" in screen.text


def test_the_greeting_tells_of_a_full_disk() -> None:
    exchange = on_board()
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "disk" not in screen.text
    exchange.findings = ["disk_full"]
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "The disk is full." in screen.text
    assert max(width(line) for line in screen.text.splitlines()) <= 80


def test_a_new_box_greets_with_its_address_and_the_code_until_it_is_set_up() -> None:
    exchange = FakeExchange()
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "https://192.0.2.5  One-time code: ABCD-EFGH" in screen.text
    assert max(width(line) for line in screen.text.splitlines()) <= 80
    exchange.console_url = "https://127.0.0.1/"
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "In a browser" not in screen.text
    exchange.set_up = True
    screen, _ = converse(conversation(Words()), exchange, [])
    assert "ABCD-EFGH" not in screen.text


def test_a_new_set_up_code() -> None:
    assert "ABCD-EFGH" not in choose("3", "no").text
    assert "ABCD-EFGH" in choose("3", "yes", "", "").text


@pytest.mark.parametrize(("answer", "verb"), [("1", "restart"), ("2", "reboot")])
def test_restart(answer: str, verb: str) -> None:
    exchange = FakeExchange(set_up=True)
    choose("4", answer, "", "4", "3", exchange=exchange)
    assert exchange.box == []
    choose("4", answer, "yes", exchange=exchange)
    assert exchange.box == [verb]


def test_an_update_wants_its_word() -> None:
    exchange = FakeExchange(set_up=True)
    choose("8", "", "8", "https://example.com/a", "no", exchange=exchange)
    assert exchange.box == []
    choose("8", "https://example.com/a", "yes", exchange=exchange)
    assert exchange.box == ["https://example.com/a"]


OFFER = {
    "offered": "0.2.0",
    "offered_made_on": "2026-11-30",
    "offered_notes": {"en": "Faster.\nSafer.", "zh": "更快。"},
    "offered_at": "https://example.com/newest",
}


def test_what_is_on_offer_is_told_and_installed() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.update = dict(OFFER)
    screen = choose("8", "1", "no", exchange=exchange)
    assert "1  Version 0.2.0 is there. Built on 2026-11-30.\n     Faster.\n     Safer.\n" in screen.text
    assert exchange.box == []
    choose("8", "1", "yes", exchange=exchange)
    assert exchange.box == ["https://example.com/newest"]
    assert "更快。" in choose("8", "", exchange=exchange, words=Words("zh")).text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "0.1.0"),
        ({"trial": "0.2.0"}, "0.2.0 is on trial"),
        ({"last": "0.2.0", "outcome": "kept"}, "0.2.0 has proved itself"),
        ({"last": "0.2.0", "outcome": "came_back"}, "the version before came back"),
        ({"refused": "update.not_a_bundle"}, "! This is no Branchbox update."),
    ],
)
def test_how_the_last_update_went(state: dict[str, str], said: str) -> None:
    exchange = FakeExchange(set_up=True)
    exchange.update = state
    assert said in choose("8", "", exchange=exchange).text


def test_factory_reset_wants_its_word() -> None:
    exchange = FakeExchange(set_up=True)
    choose("5", "yes", "5", "", exchange=exchange)
    assert exchange.box == []
    choose("5", "RESET", exchange=exchange)
    assert exchange.box == ["factory-reset"]


def test_a_refusal_is_said_and_the_menu_stays() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.refuse["box", "reboot"] = ConfigError("", "error.not_an_appliance")
    assert "only possible on the appliance" in choose("4", "2", "yes", exchange=exchange).text


def test_a_reason_without_words_is_said_by_its_key() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.refuse["status", "show"] = ConfigError("status", "error.of_tomorrow", low=1)
    assert "! status: error.of_tomorrow" in choose("1", exchange=exchange).text


def test_language_is_kept() -> None:
    exchange = FakeExchange(set_up=True)
    assert "菜单" in choose("6", "2", exchange=exchange).text
    assert exchange.system["language"] == "zh"


def test_keys_in_the_menu() -> None:
    screen = choose("2", Key.INTERRUPT, "2", "2", Key.END, "nonsense", "", Key.INTERRUPT)
    assert screen.text.count("\nMenu\n") == 6
    assert converse(menu(Words()), FakeExchange(set_up=True), [Key.END])[1] is None


def test_noise_does_not_start_a_conversation() -> None:
    exchange = FakeExchange()
    script: list[str | Key] = ["~~x", Key.INTERRUPT, Key.END, "1"]
    screen, result = converse(conversation(Words()), exchange, script)
    assert result is UNFINISHED
    assert "--- 1/6" not in screen.text
    screen, _ = converse(conversation(Words()), exchange, [*script, ""])
    assert "--- 1/6" in screen.text


def test_a_box_that_is_set_up_greets_in_its_language_with_its_address() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.system["language"] = "zh"
    screen, _ = converse(conversation(Words()), exchange, ["", "0"])
    assert "https://192.0.2.5" in screen.text
    assert "按回车键进入菜单" in screen.text


def test_a_box_set_up_while_the_greeting_stood_shows_the_menu() -> None:
    exchange = FakeExchange()

    def set_up_later(request: Perform) -> object:
        answer = exchange(request)
        exchange.set_up = True
        return answer

    screen, result = converse(conversation(Words()), set_up_later, ["", "0"])
    assert result is None
    assert "Menu" in screen.text


def test_without_an_exchange_it_says_so_once_and_waits() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.down_for = 30
    screen, _ = converse(conversation(Words()), exchange, ["", "0"])
    assert screen.text.count("Please wait") == 1
    with pytest.raises(NotRunningError):
        exchange.down_for = 1
        exchange(Perform("status", "show"))


def test_an_odd_port_is_in_the_address() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.console_url = "https://192.0.2.5:8443/"
    assert "https://192.0.2.5:8443\n" in choose("1", "", "", exchange=exchange).text
    exchange.console_url = ""
    assert "no network address yet" in choose("1", exchange=exchange).text


def test_further_addresses_are_told_and_a_name_of_its_own_stands_alone() -> None:
    status = {"console_url": "https://192.0.2.5:8443/", "addresses": ["192.0.2.5", "2001:db8::5"]}
    assert console_urls(status) == ["https://192.0.2.5:8443", "https://[2001:db8::5]:8443"]
    assert console_urls(status | {"console_url": "https://10.0.0.1/"}) == ["https://10.0.0.1"]
    assert console_urls({"console_url": "https://[nonsense"}) == ["https://[nonsense"]


def test_without_a_network_there_is_no_code_to_hold_a_camera_at() -> None:
    exchange = FakeExchange(set_up=True)
    exchange.console_url = "https://127.0.0.1/"
    screen = choose("1", exchange=exchange)
    assert "no network address yet" in screen.text
    assert "█" not in screen.text
