"""The wizard, answered by a list: both languages, wrong answers, going back, refusals, somebody faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ConfigError
from appliance.locale import Language
from appliance.serial.dialogue import Words
from appliance.serial.line_editor import LINE_LIMIT, Key, width
from appliance.serial.wizard import wizard
from tests.serial.exchange import FakeExchange
from tests.serial.person import UNFINISHED, converse

PASSWORD = "correct horse"
STATIC = ["2", "192.168.1.5/24", "192.168.1.1", "192.168.1.1, 9.9.9.9"]


def answers(*, language: str = "1", network: list[str] | None = None, last: str = "y") -> list[str | Key]:
    return [language, PASSWORD, PASSWORD, "pbx", *(network or ["1"]), "Berlin", "3", "201", last, "", "", ""]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_asked_is_set(language: Language) -> None:
    exchange = FakeExchange()
    screen, words = converse(
        wizard(Words()), exchange, answers(language={"en": "1", "zh": "2"}[language], network=STATIC)
    )
    assert words == Words(language)
    assert exchange.set_up
    assert exchange.password == PASSWORD
    assert exchange.system == {
        "language": language,
        "host_name": "pbx",
        "time_zone": "Europe/Berlin",
        "network": "static",
        "address": "192.168.1.5",
        "prefix": 24,
        "gateway": "192.168.1.1",
        "dns": ["192.168.1.1", "9.9.9.9"],
    }
    assert list(exchange.extensions) == ["201", "202", "203"]
    assert all(password in screen.text for password in exchange.extensions.values())
    # The address it will have, not the one it has.
    assert "https://192.168.1.5\n" in screen.text
    assert "█" in screen.text
    assert PASSWORD not in screen.text
    assert screen.secrets_asked == 2


@pytest.mark.parametrize("language", ["1", "2"])
def test_every_line_fits_a_terminal(language: str) -> None:
    screen, _ = converse(wizard(Words()), FakeExchange(), answers(language=language, network=STATIC))
    assert max(width(line) for line in screen.text.splitlines()) <= 80


def test_a_chinese_person_reads_chinese() -> None:
    screen, _ = converse(wizard(Words()), FakeExchange(), answers(language="2"))
    assert "请设置管理员密码" in screen.text
    assert "Choose the administrator" not in screen.text


def test_defaults_need_only_enter() -> None:
    exchange = FakeExchange()
    converse(wizard(Words()), exchange, ["", PASSWORD, PASSWORD, "", "", "", "", "y", ""])
    assert exchange.system == {
        "language": "en",
        "host_name": "branchbox",
        "time_zone": "UTC",
        "network": "dhcp",
    }
    assert exchange.set_up
    assert not exchange.extensions


def test_wrong_answers_are_asked_again() -> None:
    exchange = FakeExchange()
    given_answers = [
        *("3", "french", "1"),
        *("short", PASSWORD, "different one", PASSWORD, PASSWORD),
        *("-pbx", "p_b", "a" * 64, "a.b", "pbx"),
        *("7", "2", "192.168.1.5", "192.168.1.0/24", "127.0.0.1/8", "x", "192.168.1.5/24"),
        *("192.168.2.1", "192.168.1.5", "nonsense", ""),
        *("1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4", "one", ""),
        *("Atlantis", "10", "Europe", "999", "Berlin"),
        *("9999", "-1", "x", "2"),
        *("", "1x", "99", "100"),
        "y",
        *("", "", ""),
    ]
    _, words = converse(wizard(Words()), exchange, given_answers)
    assert words is not UNFINISHED
    assert exchange.system["address"] == "192.168.1.5"
    assert exchange.system["gateway"] == ""
    assert exchange.system["time_zone"] == "Europe/Berlin"


def test_ctrl_c_asks_again_and_never_leaves() -> None:
    exchange = FakeExchange()
    interrupted: list[str | Key] = []
    for answer in answers(network=STATIC)[:4]:
        interrupted += [Key.INTERRUPT, answer] if answer != PASSWORD else [answer]
    # In the middle of the network's questions: from the first of them.
    interrupted += [
        "2",
        "10.0.0.1/8",
        Key.INTERRUPT,
        *STATIC,
        "Berlin",
        "3",
        "201",
        Key.INTERRUPT,
        "y",
        "",
        "",
        "",
    ]
    _, words = converse(wizard(Words()), exchange, interrupted)
    assert words is not UNFINISHED
    assert exchange.system["address"] == "192.168.1.5"


def test_ctrl_d_goes_back_one_question() -> None:
    exchange = FakeExchange()
    script: list[str | Key] = [
        "1",
        Key.END,
        "2",
        PASSWORD,
        PASSWORD,
        "wrong",
        Key.END,
        "right",
        "1",
        "",
        "0",
        Key.END,
        "0",
        "y",
        "",
        "",
    ]
    _, words = converse(wizard(Words()), exchange, script)
    assert words == Words("zh")
    assert exchange.system["host_name"] == "right"


def test_the_summary_changes_one_answer() -> None:
    exchange = FakeExchange()
    script = ["1", PASSWORD, PASSWORD, "wrong", "1", "UTC", "0", "z", "9", "3", "right", "y", "", ""]
    screen, _ = converse(wizard(Words()), exchange, script)
    assert exchange.system["host_name"] == "right"
    assert screen.text.count("--- 3/6 ---") == 2


def test_nothing_is_asked_of_the_exchange_before_the_summary_is_confirmed() -> None:
    exchange = FakeExchange()
    _, result = converse(wizard(Words()), exchange, answers()[:-4])
    assert result is UNFINISHED
    assert exchange.asked == []


@pytest.mark.parametrize(
    ("request_", "error", "corrected"),
    [
        (("system", "set"), ConfigError("system.address", "error.x"), STATIC),
        (("system", "set"), ConfigError("system.time_zone", "error.x"), ["UTC"]),
        (("system", "set"), ConfigError("system.host_name", "error.x"), ["other"]),
        (("extensions", "add-many"), ConfigError("extensions.first", "error.x"), ["2", "301"]),
        (("admin", "set-up"), ConfigError("admin.password", "error.x"), [PASSWORD, PASSWORD]),
    ],
)
def test_a_refusal_asks_that_question_again(
    request_: tuple[str, str], error: ConfigError, corrected: list[str]
) -> None:
    exchange = FakeExchange()
    exchange.refuse[request_] = error
    script = [*answers()[:-3], *corrected, "y", "", "", ""]
    screen, words = converse(wizard(Words()), exchange, script)
    assert words is not UNFINISHED
    assert exchange.set_up
    assert "error.x" in screen.text
    # What was made before the refusal is not made twice.
    assert len([each for each in exchange.asked if each.verb == "add-many"]) <= 2
    assert exchange.extensions


def test_the_password_is_set_last() -> None:
    exchange = FakeExchange()
    converse(wizard(Words()), exchange, answers())
    verbs = [each.verb for each in exchange.asked]
    assert verbs.index("set-up") > verbs.index("add-many") > verbs.index("set")


def test_somebody_was_faster_elsewhere() -> None:
    exchange = FakeExchange(set_up=True, password="theirs")
    screen, words = converse(wizard(Words()), exchange, answers())
    assert words == Words("en")
    assert "elsewhere" in screen.text
    assert exchange.password == "theirs"
    assert not exchange.extensions


def test_it_waits_for_an_exchange_that_restarts() -> None:
    exchange = FakeExchange()
    exchange.down_for = 5
    screen, _ = converse(wizard(Words()), exchange, answers())
    assert exchange.set_up
    assert screen.text.count("Please wait") == 1


def test_letters_for_a_terminal_without_blocks() -> None:
    screen, _ = converse(wizard(Words(unicode=False)), FakeExchange(), answers())
    assert "##" in screen.text
    assert screen.text.isascii()
    screen, _ = converse(wizard(Words()), FakeExchange(), [*answers()[:-2], "", "A", ""])
    assert "█" in screen.text
    assert "##" in screen.text


@given(
    st.lists(
        st.one_of(st.text(max_size=LINE_LIMIT), st.sampled_from(["1", "2", "y", "101", PASSWORD, *Key])),
        max_size=60,
    )
)
def test_no_answers_break_it(given_answers: list[str | Key]) -> None:
    exchange = FakeExchange()
    screen, result = converse(wizard(Words()), exchange, given_answers)
    assert screen.text
    # It ends in no other way than by being set up.
    assert exchange.set_up or result is UNFINISHED


def test_on_a_board_the_network_is_kept_for_whoever_answers_here_is_not_cut_off() -> None:
    exchange = FakeExchange()
    exchange.tries_out = True
    converse(wizard(Words()), exchange, answers(network=STATIC))
    assert (exchange.system["address"], exchange.system["trial"]) == ("192.168.1.5", None)
