"""Settings of looking for updates."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.config.update_check import UpdateCheck, verify
from appliance.errors import ConfigError

NOTHING: Any = None  # the rest of the settings, which it does not look at
ADDRESS = "https://updates.example.com/branchbox.bundle"


@pytest.mark.parametrize(
    "values", [{}, {"address": ADDRESS}, {"address": "http://[2001:db8::1]:8080/x", "automatic": True}]
)
def test_what_can_be(values: dict[str, Any]) -> None:
    verify(UpdateCheck(**values), NOTHING)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"address": "updates.example.com"}, "update.no_address"),
        ({"address": "file:///etc/shadow"}, "update.no_address"),
        ({"address": "https://"}, "update.no_address"),
        ({"address": "https://me:secret@example.com/"}, "update.no_address"),
        ({"address": "https://[::1"}, "update.no_address"),
        ({"address": "https://example.com/\n"}, "update.no_address"),
        ({"address": "https://example.com/" + "x" * 500}, "error.too_long"),
        ({"address": ADDRESS, "at": "24:00"}, "error.bad_time_of_day"),
        ({"automatic": True}, "update.no_address"),
    ],
)
def test_what_cannot_be(values: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        verify(UpdateCheck(**values), NOTHING)
