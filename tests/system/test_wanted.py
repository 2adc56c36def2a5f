"""What the exchange leaves for root, and what root refuses to believe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.network import NetworkSettings
from appliance.errors import ConfigError
from appliance.system.wanted import (
    WANTED_FILE,
    TrialNetwork,
    Wanted,
    is_host_name,
    read_wanted,
    write_wanted,
)

STATIC = {
    "network": "static",
    "address": "192.168.1.5",
    "prefix": 24,
    "gateway": "192.168.1.1",
    "dns": ["9.9.9.9"],
}
GOOD: dict[str, Any] = {"host_name": "pbx", "time_zone": "Europe/Berlin", "network": STATIC}


def put(folder: Path, value: object) -> None:
    (folder / WANTED_FILE).write_text(
        value if isinstance(value, str) else json.dumps(value), encoding="utf-8"
    )


NETWORK = NetworkSettings(
    network="static", address="192.168.1.5", gateway="192.168.1.1", dns=("9.9.9.9", "2001:db8::1")
)
TRIAL = TrialNetwork(network=NetworkSettings(vlan=7), id="0a", boot="this", until=1000.0)


@pytest.mark.parametrize("network", [NetworkSettings(), NETWORK])
@pytest.mark.parametrize("trial", [None, TRIAL])
def test_read_as_written(tmp_path: Path, network: NetworkSettings, trial: TrialNetwork | None) -> None:
    wanted = Wanted("pbx", "Asia/Shanghai", network, ("ntp.example", "2001:db8::123"), trial)
    assert read_wanted(tmp_path) is None
    assert write_wanted(tmp_path, wanted)
    assert read_wanted(tmp_path) == wanted


def test_nothing_is_written_without_a_change(tmp_path: Path) -> None:
    wanted = Wanted("pbx", "UTC")
    assert write_wanted(tmp_path, wanted)
    assert not write_wanted(tmp_path, wanted)
    assert write_wanted(tmp_path, Wanted("other", "UTC"))


def test_a_trial_is_of_one_boot_and_ends() -> None:
    wanted = Wanted("pbx", "UTC", trial=TRIAL)
    assert wanted.trial_at("this", 999.9) is TRIAL
    assert wanted.trial_at("this", 1000.0) is None
    assert wanted.trial_at("another", 1.0) is None
    assert Wanted("pbx", "UTC").trial_at("this", 1.0) is None


BAD: list[object] = [
    "",
    "[]",
    "null",
    "[" * 5000,
    {},
    GOOD | {"host_name": "-x"},
    GOOD | {"host_name": "a\nb"},
    GOOD | {"host_name": 5},
    GOOD | {"host_name": "x" * 64},
    GOOD | {"time_zone": "../../etc/shadow"},
    GOOD | {"time_zone": "/etc/shadow"},
    GOOD | {"time_zone": None},
    GOOD | {"network": "static"},
    GOOD | {"network": None},
    GOOD | {"network": STATIC | {"address": "192.168.1.5\n[Match]"}},
    GOOD | {"network": STATIC | {"address": 3232235781}},
    GOOD | {"network": STATIC | {"address": "127.0.0.1"}},
    GOOD | {"network": STATIC | {"address": "fe80::1%\n"}},
    GOOD | {"network": STATIC | {"prefix": 99}},
    GOOD | {"network": STATIC | {"prefix": "24"}},
    GOOD | {"network": STATIC | {"gateway": "10.0.0.1"}},
    GOOD | {"network": STATIC | {"gateway": "192.168.1.5"}},
    GOOD | {"network": STATIC | {"dns": ["a"]}},
    GOOD | {"network": STATIC | {"dns": ["1.1.1.1"] * 4}},
    GOOD | {"network": STATIC | {"ipv6": "static", "address6": "2001:db8::1%\n"}},
    GOOD | {"network": STATIC | {"vlan": 4095}},
    GOOD | {"network": {"wifi_ssid": "a\nb"}},
    GOOD | {"network": {"link": "wifi", "wifi_ssid": "a", "wifi_password": "12345678\n"}},
    GOOD | {"network": {"wifi_country": "a\n"}},
    GOOD | {"ntp": ["a\nFallbackNTP=b"]},
    GOOD | {"trial": {"network": {}, "id": "../../x", "boot": "b", "until": 5}},
    GOOD | {"trial": {"network": {"vlan": -1}, "id": "0a", "boot": "b", "until": 5}},
]


@pytest.mark.parametrize("value", BAD, ids=range(len(BAD)))
def test_nonsense_is_refused(tmp_path: Path, value: object) -> None:
    put(tmp_path, value)
    with pytest.raises(ConfigError):
        read_wanted(tmp_path)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from([*GOOD, *STATIC]), inner)
    ),
)


@given(json_values)
def test_any_json_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    folder = tmp_path_factory.mktemp("wanted")
    put(folder, value)
    try:
        wanted = read_wanted(folder)
    except ConfigError:
        return
    assert wanted is not None
    assert is_host_name(wanted.host_name)
