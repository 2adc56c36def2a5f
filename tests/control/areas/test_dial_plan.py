"""Area `dial-plan`."""

from __future__ import annotations

import pytest

from appliance.config.config import Config
from appliance.config.dial_plan import DialPlan
from appliance.errors import ConfigError
from tests.control.fakes import Bench


async def test_shown_and_changed_each_by_itself(bench: Bench) -> None:
    usual = DialPlan()
    assert await bench("dial-plan", "show") == {"out_prefix": "9", "emergency": list(usual.emergency)}
    changed = await bench("dial-plan", "set", out_prefix="0")
    assert changed == {"out_prefix": "0", "emergency": list(usual.emergency)}
    changed = await bench("dial-plan", "set", emergency="110 999")
    assert changed == await bench("dial-plan", "show") == {"out_prefix": "0", "emergency": ["110", "999"]}
    assert (await bench("dial-plan", "set", out_prefix=""))["out_prefix"] == ""
    again = await Config.open(bench.store)
    assert again.current.dial_plan == DialPlan(out_prefix="", emergency=("110", "999"))


@pytest.mark.parametrize(
    ("values", "path", "key"),
    [
        ({"out_prefix": "x"}, "dial_plan.out_prefix", "error.not_dialable"),
        ({"out_prefix": "9" * 17}, "dial_plan.out_prefix", "error.too_long"),
        ({"emergency": "110 help"}, "dial_plan.emergency", "error.not_dialable"),
        ({"emergency": " ".join(map(str, range(100, 133)))}, "dial_plan.emergency", "error.too_many"),
    ],
)
async def test_refused(bench: Bench, values: dict[str, str], path: str, key: str) -> None:
    before = bench.config.current
    with pytest.raises(ConfigError) as refused:
        await bench("dial-plan", "set", **values)
    assert (refused.value.path, refused.value.key) == (path, key)
    assert bench.config.current == before
