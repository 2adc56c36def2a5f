"""Area `system`."""

from __future__ import annotations

import pytest

from appliance.errors import ConfigError
from tests.control.fakes import Bench


async def test_what_is_left_out_stays(bench: Bench) -> None:
    before = await bench("system", "show")
    assert before["network"] == "dhcp"
    after = await bench("system", "set", host_name="pbx", language="zh")
    assert after == {**before, "host_name": "pbx", "language": "zh"}
    assert await bench("system", "show") == after


async def test_a_static_network_in_one_step(bench: Bench) -> None:
    after = await bench(
        "system", "set", network="static", address="10.0.0.2", prefix="16", gateway="10.0.0.1", dns="10.0.0.1"
    )
    assert (after["address"], after["prefix"], after["dns"]) == ("10.0.0.2", 16, ["10.0.0.1"])
    after = await bench("system", "set", network="dhcp")
    assert after["network"] == "dhcp"


async def test_the_references_of_the_dns_check(bench: Bench) -> None:
    assert (await bench("system", "show"))["dns_references"] == ["119.29.29.29", "223.5.5.5"]
    after = await bench("system", "set", dns_references="[::1]:53, 127.0.0.1:5353")
    assert after["dns_references"] == ["[::1]:53", "127.0.0.1:5353"]


@pytest.mark.parametrize(
    ("values", "path", "key"),
    [
        ({"network": "wifi"}, "system.network", "error.not_a_choice"),
        ({"network": "static"}, "system.address", "error.bad_address"),
        ({"language": "fr"}, "system.language", "error.not_a_choice"),
        ({"realm": "other"}, "system.realm", "error.read_only"),
        ({"time_zone": "Moon/Sea"}, "system.time_zone", "error.unknown_time_zone"),
    ],
)
async def test_refused(bench: Bench, values: dict[str, str], path: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("system", "set", **values)
    assert (refused.value.path, refused.value.key) == (path, key)
