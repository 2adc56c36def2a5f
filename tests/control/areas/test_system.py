"""Area `system`."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system.probation import PROBATION_S, Probation, Trial
from tests.call.bench import HandTimers
from tests.control.fakes import Bench

WEB = "web:admin"


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
        ({"vlan": "5000"}, "system.vlan", "error.out_of_range"),
        ({"link": "wifi"}, "system.wifi_ssid", "error.bad_ssid"),
        ({"realm": "other"}, "system.realm", "error.read_only"),
        ({"time_zone": "Moon/Sea"}, "system.time_zone", "error.unknown_time_zone"),
    ],
)
async def test_refused(bench: Bench, values: dict[str, str], path: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("system", "set", **values)
    assert (refused.value.path, refused.value.key) == (path, key)


async def test_the_passphrase_of_the_wifi_is_never_shown(bench: Bench) -> None:
    assert (await bench("system", "show"))["wifi_password_set"] is False
    after = await bench("system", "set", wifi_ssid="office", wifi_password="correct horse")
    assert after["wifi_password_set"] is True
    assert bench.config.current.system.wifi_password == "correct horse"
    exported = (await bench("export", "show"))["text"]
    assert "office" in exported
    assert "correct horse" not in f"{after} {await bench('system', 'show')} {exported}"
    await bench("import", "apply", text=exported)
    assert bench.config.current.system.wifi_password == "correct horse"


class OnBoard:
    """A box whose root carries out what is wanted."""

    def __init__(self, bench: Bench) -> None:
        self.timers = HandTimers()
        self.told: list[Trial | None] = []
        self.in_force = ""
        self.probation = Probation(self.timers, self.told.append, lambda: self.in_force)
        bench.parts.probation = self.probation

    def applied(self) -> None:
        trial = self.probation.trial
        assert trial is not None
        self.in_force = trial.id


@pytest.fixture
def board(bench: Bench) -> OnBoard:
    return OnBoard(bench)


async def test_a_network_is_on_trial_and_goes_back(bench: Bench, board: OnBoard) -> None:
    before = await bench("system", "show")
    shown = await bench("system", "set", actor=WEB, vlan=7, host_name="pbx")
    # What cannot cut anybody off is kept at once.
    assert (shown["vlan"], shown["host_name"]) == (0, "pbx")
    assert (shown["trial"]["vlan"], shown["trial"]["seconds_left"]) == (7, 120)
    assert (await bench.again()).system.vlan == 0
    board.timers.advance(PROBATION_S)
    assert await bench("system", "show") == {**before, "host_name": "pbx"}
    assert board.told[-1] is None


async def test_confirmed_from_where_it_leads(bench: Bench, board: OnBoard) -> None:
    await bench("system", "set", actor=WEB, vlan=7)
    with pytest.raises(ConfigError) as refused:
        await bench("system", "confirm", actor=WEB)
    assert refused.value.key == "error.trial_not_applied"
    assert board.probation.trial is not None
    board.applied()
    shown = await bench("system", "confirm", actor=WEB)
    assert (shown["vlan"], shown["trial"]) == (7, None)
    assert (await bench.again()).system.vlan == 7
    board.timers.advance(2 * PROBATION_S)
    assert (await bench("system", "show"))["vlan"] == 7


async def test_who_is_on_the_box_need_not_wait(bench: Bench, board: OnBoard) -> None:
    await bench("system", "set", vlan=7)
    assert (await bench("system", "confirm"))["vlan"] == 7


async def test_a_restore_ends_the_trial(bench: Bench, board: OnBoard, tmp_path: Path) -> None:
    """What was tried out belonged to other settings."""
    await bench("backup", "save", file=str(tmp_path / "b.tar.gz"))
    await bench("system", "set", vlan=7)
    await bench("backup", "restore", file=str(tmp_path / "b.tar.gz"))
    assert board.probation.trial is None
    assert board.told[-1] is None


async def test_given_up_early(bench: Bench, board: OnBoard) -> None:
    await bench("system", "set", vlan=7)
    assert (await bench("system", "undo"))["trial"] is None
    assert (await bench("system", "show"))["vlan"] == 0
    for verb in ("undo", "confirm"):
        with pytest.raises(ConfigError) as refused:
            await bench("system", verb)
        assert refused.value.key == "error.nothing_on_trial"


async def test_changes_during_a_trial(bench: Bench, board: OnBoard) -> None:
    await bench("system", "set", vlan=7)
    board.timers.advance(100.0)
    # Another setting does not touch the trial.
    assert (await bench("system", "set", language="zh"))["trial"]["seconds_left"] == 20
    # A further change of the network adds to it, and has the whole time.
    shown = await bench("system", "set", ipv6="off")
    assert (shown["trial"]["vlan"], shown["trial"]["ipv6"], shown["trial"]["seconds_left"]) == (7, "off", 120)
    # What was confirmed, wanted again, ends it.
    assert (await bench("system", "set", vlan=0, ipv6="automatic"))["trial"] is None


async def test_what_cannot_be_is_not_tried_out(bench: Bench, board: OnBoard) -> None:
    with pytest.raises(ConfigError):
        await bench("system", "set", network="static", address="10.0.0.255", host_name="pbx")
    assert board.told == []
    assert (await bench("system", "show"))["host_name"] == "branchbox"


async def test_an_import_is_on_trial_too(bench: Bench, board: OnBoard) -> None:
    text = '[system]\nvlan = 7\nhost_name = "pbx"\n[extensions.101]\npassword = "a long one"\n'
    assert (await bench("import", "apply", text=text))["added"] == 1
    shown = await bench("system", "show")
    assert (shown["vlan"], shown["host_name"], shown["trial"]["vlan"]) == (0, "pbx", 7)
    # A text that says nothing of the box leaves the trial alone.
    await bench("import", "apply", text="[extensions.102]\npassword = 'a long one'\n")
    assert (await bench("system", "show"))["trial"] is not None
