"""`system-apply` on a root of our own: what it writes, what it leaves, and requests."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pytest

from appliance.config.network import NetworkSettings
from appliance.errors import ConfigError
from appliance.system import apply_command, box
from appliance.system.apply import Box
from appliance.system.probation import applied_id, boot_id
from appliance.system.wanted import WANTED_FILE, TrialNetwork, Wanted, write_wanted

NETWORK = "run/systemd/network/10-branchbox.network"
DHCP = NetworkSettings()
STATIC = NetworkSettings(network="static", address="192.168.1.5", gateway="192.168.1.1", dns=("9.9.9.9",))
WIFI = NetworkSettings(link="wifi", wifi_ssid="office", wifi_password="correct horse")


class Machine:
    """A root folder with what a Debian has, a data folder, and the command."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data = folder / "root", folder / "data"
        self.data.mkdir()
        for name in ("Europe/Berlin", "UTC"):
            (self.root / "usr/share/zoneinfo" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "usr/share/zoneinfo" / name).touch()
        (self.root / "etc").mkdir()
        networks = self.root / "usr/lib/systemd/network"
        networks.mkdir(parents=True)
        self.dhcp = networks / "80-wired.network"
        self.dhcp.write_text("[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n")
        # systemd's own, for containers: no wired card of ours.
        (networks / "80-container-host0.network").write_text("[Match]\nName=host0\n[Network]\nDHCP=yes\n")

    def card(self, name: str, index: int, *kinds: str) -> None:
        for kind in kinds:
            (self.root / "sys/class/net" / name / kind).mkdir(parents=True)
        (self.root / "sys/class/net" / name / "ifindex").write_text(f"{index}\n")

    def want(
        self, network: NetworkSettings = DHCP, time_zone: str = "Europe/Berlin", *, ntp: tuple[str, ...] = ()
    ) -> None:
        write_wanted(self.data, Wanted("pbx", time_zone, network, ntp))

    def try_out(self, network: NetworkSettings, seconds: float = 120.0, boot: str = "") -> None:
        until = time.monotonic() + seconds
        trial = TrialNetwork(network=network, id="0a1b", boot=boot or boot_id(), until=until)
        write_wanted(self.data, Wanted("pbx", "UTC", DHCP, trial=trial))

    def apply(self) -> int:
        return apply_command.run(argparse.Namespace(data=self.data, root=self.root))

    def network(self) -> str:
        return (self.root / NETWORK).read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_everything_once_and_nothing_twice(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.want(STATIC)
    assert machine.apply() == 0
    assert "networkctl reload" in capsys.readouterr().out
    assert (machine.root / "etc/hostname").read_text() == "pbx\n"
    assert (machine.root / "etc/localtime").readlink() == Path("../usr/share/zoneinfo/Europe/Berlin")
    assert "Address=192.168.1.5/24\nGateway=192.168.1.1\n" in machine.network()
    assert machine.apply() == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_one_wired_card_gets_the_address(machine: Machine) -> None:
    machine.card("lo", 1, "statistics")
    machine.card("wlan0", 2, "device", "wireless")
    machine.card("enu1", 10, "device")
    machine.card("end0", 3, "device")
    machine.want(STATIC)
    machine.apply()
    assert "Name=end0\n" in machine.network()


def test_back_to_dhcp_removes_the_file(machine: Machine) -> None:
    machine.want(STATIC)
    machine.apply()
    machine.want(DHCP)
    assert machine.apply() == 0
    assert not (machine.root / NETWORK).exists()


def test_the_box_is_never_without_a_network_file(machine: Machine) -> None:
    machine.dhcp.unlink()
    machine.want(DHCP)
    assert machine.apply() == 0
    assert "DHCP=yes" in machine.network()
    assert machine.apply() == 0
    assert "DHCP=yes" in machine.network()


def test_nonsense_changes_nothing(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.want(STATIC)
    machine.apply()
    before = machine.network()
    (machine.data / WANTED_FILE).write_text('{"host_name": "x;reboot"}')
    assert machine.apply() == 1
    assert "refused" in capsys.readouterr().out
    assert machine.network() == before
    assert (machine.root / "etc/hostname").read_text() == "pbx\n"


def test_an_unknown_time_zone_does_not_keep_the_network_back(machine: Machine) -> None:
    machine.want(STATIC, time_zone="Mars/Olympus")
    assert machine.apply() == 1
    assert "192.168.1.5" in machine.network()
    assert not (machine.root / "etc/localtime").exists()


def test_a_box_that_was_never_asked_for_anything(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine.apply() == 0
    assert capsys.readouterr().out == "nothing is wanted\n"


def test_a_vlan_goes_again(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.card("end0", 3, "device")
    machine.want(NetworkSettings(vlan=7))
    assert machine.apply() == 0
    assert "VLAN=vlan7" in machine.network()
    (machine.root / "sys/class/net/vlan7").mkdir()
    capsys.readouterr()
    machine.want(DHCP)
    assert machine.apply() == 0
    said = capsys.readouterr().out
    assert said.index("ip link delete vlan7") < said.index("networkctl reload")
    assert list((machine.root / "run/systemd/network").iterdir()) == []


def test_wifi_is_joined_and_left(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.card("wlan0", 3, "device", "wireless")
    machine.want(WIFI)
    assert machine.apply() == 0
    file = machine.root / "run/branchbox-system/wifi.conf"
    assert file.stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr().out
    assert "restart branchbox-wifi@wlan0.service" in said
    assert "correct" not in said
    machine.want(DHCP)
    assert machine.apply() == 0
    assert "stop branchbox-wifi@wlan0.service" in capsys.readouterr().out
    assert not file.exists()


def test_wifi_without_a_card_is_said(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.try_out(WIFI)
    assert machine.apply() == 1
    assert "there is no card for it" in capsys.readouterr().out
    assert applied_id(machine.root) == ""


def test_time_servers_of_ones_own(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.want(ntp=("ntp.example", "192.0.2.123"))
    assert machine.apply() == 0
    file = machine.root / "run/systemd/timesyncd.conf.d/10-branchbox.conf"
    assert "[Time]\nNTP=ntp.example 192.0.2.123\n" in file.read_text()
    assert "try-restart systemd-timesyncd" in capsys.readouterr().out
    machine.want()
    assert machine.apply() == 0
    assert not file.exists()


def test_a_trial_is_applied_reported_and_watched(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.try_out(STATIC)
    assert machine.apply() == 0
    assert "192.168.1.5" in machine.network()
    assert applied_id(machine.root) == "0a1b"
    assert "restart branchbox-probation.timer" in capsys.readouterr().out
    machine.want(DHCP)
    assert machine.apply() == 0
    assert not (machine.root / NETWORK).exists()
    assert applied_id(machine.root) == ""


@pytest.mark.parametrize(("seconds", "boot"), [(-1.0, ""), (120.0, "of another start")])
def test_a_trial_that_is_over_is_undone_by_root_alone(machine: Machine, seconds: float, boot: str) -> None:
    machine.try_out(STATIC)
    machine.apply()
    machine.try_out(STATIC, seconds, boot)
    assert machine.apply() == 0
    assert not (machine.root / NETWORK).exists()
    assert applied_id(machine.root) == ""


def test_what_changes_meanwhile_is_applied_too(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.want(STATIC)
    apply = Box.apply

    def slowly(box: Box, wanted: Wanted) -> None:
        apply(box, wanted)
        machine.want(DHCP)

    monkeypatch.setattr(Box, "apply", slowly)
    assert machine.apply() == 0
    assert not (machine.root / NETWORK).exists()


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("restart-service", "systemctl --no-block restart branchbox.service"),
        ("reboot", "systemctl --no-block reboot"),
        ("update", "systemctl --no-block start branchbox-update.service"),
    ],
)
def test_requests_are_done_once(
    machine: Machine, action: box.Action, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    box.request(machine.data, action, {"BRANCHBOX_APPLIANCE": "1"})
    assert machine.apply() == 0
    assert command in capsys.readouterr().out
    assert machine.apply() == 0
    assert "systemctl" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["text", "link", "folder"])
def test_what_is_no_request_goes_too_for_systemd_starts_us_while_it_is_there(
    machine: Machine, tmp_path: Path, kind: str
) -> None:
    file, foreign = machine.data / box.REQUEST_FILE, tmp_path / "foreign"
    foreign.write_text("kept")
    match kind:
        case "text":
            file.write_text('{"action": "rm -rf /"}')
        case "link":
            file.symlink_to(foreign)
        case _:
            file.mkdir()
            (file / "inside").touch()
    assert machine.apply() == 0
    assert list(machine.data.iterdir()) == []
    assert foreign.read_text() == "kept"


def test_factory_reset_wipes_the_data_and_nothing_behind_a_link(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    machine.want(STATIC)
    (machine.data / "certs").mkdir()
    (machine.data / "certs/key.pem").touch()
    (machine.data / "branchbox.db").touch()
    (machine.data / "link").symlink_to(outside)
    (machine.data / "lost+found").mkdir()
    box.request(machine.data, "factory-reset", {"BRANCHBOX_APPLIANCE": "1"})
    assert machine.apply() == 0
    assert [each.name for each in machine.data.iterdir()] == ["lost+found"]
    assert (outside / "kept").exists()
    said = capsys.readouterr().out
    assert said.index("stop branchbox.service") < said.index("reboot")


def test_a_reset_that_lost_its_power_goes_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    box.request(machine.data, "factory-reset", {"BRANCHBOX_APPLIANCE": "1"})
    (machine.data / "a").touch()
    (machine.data / "b").touch()

    def power_cut(_data: Path) -> list[str]:
        (machine.data / "a").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(box, "wipe", power_cut)
        with pytest.raises(KeyboardInterrupt):
            machine.apply()
    assert machine.apply() == 0
    assert list(machine.data.iterdir()) == []


def test_from_a_checkout_nothing_is_requested(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        box.request(tmp_path, "reboot", {})
    assert refused.value.key == "error.not_an_appliance"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"action": "rm -rf /"}', '{"action": []}', json.dumps({}), "[" * 9999]
)
def test_requests_we_do_not_know_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / box.REQUEST_FILE).write_text(text)
    assert box.read_request(tmp_path) is None
