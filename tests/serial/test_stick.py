"""USB sticks in the menu: an update from one, a backup onto one and back."""

from __future__ import annotations

import pytest

from appliance.errors import ConfigError
from appliance.locale import Language
from appliance.serial.dialogue import Words
from appliance.serial.line_editor import width
from appliance.serial.menu import menu
from tests.serial.exchange import FakeExchange
from tests.serial.person import Screen, converse

UPDATE, BACKUP = "8", "10"
STICK = "/run/branchbox-usb/sda1"
FILES = [
    {"file": f"{STICK}/branchbox-0.2.0-arm64.bundle", "kind": "update", "octets": 149_000_000},
    {"file": f"{STICK}/branchbox-backup/old.sealed", "kind": "backup", "octets": 90_000},
    {"file": f"{STICK}/branchbox-backup/older.tar.gz", "kind": "backup", "octets": 80_000},
]


@pytest.fixture
def exchange() -> FakeExchange:
    exchange = FakeExchange(set_up=True)
    exchange.stick = FILES
    return exchange


def choose(exchange: FakeExchange, *answers: str, language: Language = "en") -> Screen:
    screen, result = converse(menu(Words(language)), exchange, [*answers, "0"])
    assert result is None, screen.text
    return screen


def test_an_update_on_a_stick_is_installed_by_a_typed_word(exchange: FakeExchange) -> None:
    screen = choose(exchange, UPDATE, "1", "no")
    assert f"1  {STICK}/branchbox-0.2.0-arm64.bundle (149.0 MB)" in screen.text
    assert exchange.box == []
    exchange.update = {"offered": "0.3.0", "offered_at": "https://example.com/newest"}
    choose(exchange, UPDATE, "2", "yes")
    assert exchange.box == [FILES[0]["file"]]


def test_without_a_stick_only_an_address_is_asked_for(exchange: FakeExchange) -> None:
    exchange.stick = []
    assert "Address of the update" in choose(exchange, UPDATE, "").text
    assert "Restore" not in choose(exchange, BACKUP, "").text


def test_a_backup_onto_the_stick(exchange: FakeExchange) -> None:
    choose(exchange, BACKUP, "1", "", "no")
    choose(exchange, BACKUP, "1", "a passphrase", "another one")
    assert exchange.box == []
    screen = choose(exchange, BACKUP, "1", "a passphrase", "a passphrase", "yes")
    assert exchange.box == ["save [('passphrase', 'a passphrase'), ('to_stick', True)]"]
    assert "a passphrase" not in screen.text
    assert f"Written and proved (1.2 MB):\n  {STICK}/branchbox-backup/new.sealed" in screen.text


def test_a_backup_is_looked_at_before_it_is_put_in_force(exchange: FakeExchange) -> None:
    screen = choose(exchange, BACKUP, "2", "a passphrase", "yes")
    assert "Extensions: 2 more, 1 fewer" in screen.text
    assert exchange.box == [f"look [('file', '{FILES[1]['file']}'), ('passphrase', 'a passphrase')]"]
    screen = choose(exchange, BACKUP, "3", "restore")
    assert exchange.box[1:] == [
        f"look [('file', '{FILES[2]['file']}'), ('passphrase', '')]",
        "restore [('token', 'word')]",
    ]
    assert "restart the exchange" in screen.text


def test_a_stick_that_was_pulled_out(exchange: FakeExchange) -> None:
    exchange.refuse["backup", "save"] = ConfigError("backup", "error.no_stick", name="branchbox-backup")
    assert "! backup: No USB stick" in choose(exchange, BACKUP, "1", "", "yes").text
    assert "0-3" in choose(exchange, BACKUP, "9", "").text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_a_terminal(exchange: FakeExchange, language: Language) -> None:
    screen = choose(exchange, BACKUP, "1", "", "yes", BACKUP, "3", "no", UPDATE, "", language=language)
    assert max(width(line) for line in screen.text.splitlines()) <= 80
