"""A network on trial, as `ctl system show` tells of it."""

from __future__ import annotations

from appliance.cli.system_report import system_report

SYSTEM = {"network": "dhcp", "dns": [], "vlan": 0, "host_name": "pbx", "trial": None}


def test_without_a_trial_there_is_nothing_to_tell() -> None:
    assert system_report(SYSTEM, "en").splitlines()[-1].split() == ["trial", "-"]


def test_what_differs_and_what_to_do() -> None:
    trial = {"seconds_left": 77, "network": "static", "dns": ["192.0.2.1", "192.0.2.2"], "vlan": 0}
    line = system_report({**SYSTEM, "trial": trial}, "en").splitlines()[-1]
    assert "network=static dns=192.0.2.1,192.0.2.2:" in line
    assert "77 s" in line
    assert "ctl system confirm" in line
    assert "vlan" not in line
    assert "确认" in system_report({**SYSTEM, "trial": trial}, "zh")


def test_a_passphrase_is_named_not_shown() -> None:
    assert "wifi_password" in system_report({**SYSTEM, "trial": {"seconds_left": 5, "vlan": 0}}, "en")
