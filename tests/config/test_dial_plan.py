"""Settings of the dial plan."""

from __future__ import annotations

import pytest

from appliance.config.dial_plan import DialPlan, check_clashes, verify
from appliance.errors import ConfigError


@pytest.mark.parametrize(
    "plan",
    [DialPlan(), DialPlan(out_prefix=""), DialPlan(out_prefix="*0#+"), DialPlan(emergency=())],
)
def test_good_settings(plan: DialPlan) -> None:
    verify(plan)


@pytest.mark.parametrize(
    ("plan", "path", "key"),
    [
        (DialPlan(out_prefix="a"), "out_prefix", "error.not_dialable"),
        (DialPlan(out_prefix="9 "), "out_prefix", "error.not_dialable"),
        (DialPlan(out_prefix="1" * 17), "out_prefix", "error.too_long"),
        (DialPlan(emergency=("",)), "emergency", "error.not_dialable"),
        (DialPlan(emergency=("110", "police")), "emergency", "error.not_dialable"),
        (DialPlan(emergency=("110",) * 33), "emergency", "error.too_many"),
    ],
)
def test_bad_settings(plan: DialPlan, path: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        verify(plan)
    assert (refused.value.path, refused.value.key) == (f"dial_plan.{path}", key)


def test_an_extension_with_an_emergency_number_is_noticed() -> None:
    check_clashes(DialPlan(), {"101", "102"})
    with pytest.raises(ConfigError) as refused:
        check_clashes(DialPlan(), {"101", "119"})
    assert (refused.value.key, refused.value.params) == ("error.emergency_clash", {"number": "119"})
