"""In which language a terminal is spoken to."""

from __future__ import annotations

import pytest

from appliance.errors import ConfigError
from appliance.locale.tongue import explain, language


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_decides(environment: dict[str, str], spoken: str) -> None:
    assert language(environment) == spoken


def test_a_refusal_says_where_and_why() -> None:
    error = ConfigError("extensions.101.number", "error.number_taken", number="101")
    assert explain(error, "en") == "extensions.101.number: The number 101 is taken."
    assert explain(error, "zh") == "extensions.101.number: 号码 101 已被使用。"
    assert explain(ConfigError("", "error.disk_full"), "en") == "The disk is full. Nothing was changed."


def test_a_refusal_of_a_newer_exchange_is_shown_raw() -> None:
    assert explain(ConfigError("a", "error.of_tomorrow", b=1), "en") == "a: error.of_tomorrow {'b': 1}"
    assert explain(ConfigError("a", "error.number_taken"), "en").startswith("a: ")
