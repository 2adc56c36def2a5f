"""The one-time code; what it opens is tested with area `admin`."""

from __future__ import annotations

import re

import pytest

from appliance.control.setup_code import SetupCode
from appliance.errors import ConfigError


def test_a_code_has_no_letters_that_look_alike() -> None:
    code = SetupCode()
    for _ in range(200):
        assert re.fullmatch(r"[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}", code.renew())


def test_a_new_code_makes_the_old_one_void_and_counts_from_five_again() -> None:
    code = SetupCode()
    old = code.renew()
    for _ in range(4):
        with pytest.raises(ConfigError):
            code.check("wrong")
    new = code.renew()
    with pytest.raises(ConfigError) as refused:
        code.check(old)
    assert refused.value.params == {"left": 4}
    code.check(new)
    code.spend()
    with pytest.raises(ConfigError) as refused:
        code.check(new)
    assert refused.value.key == "error.no_setup_code"


def test_there_is_none_to_begin_with() -> None:
    for guess in ("", "ABCD-EFGH", "\0", "码"):
        with pytest.raises(ConfigError) as refused:
            SetupCode().check(guess)
        assert refused.value.key == "error.no_setup_code"
