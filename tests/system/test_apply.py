"""`system-apply` on a root of our own: what it writes, what it leaves, and requests."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system import apply_command, box
from appliance.system.wanted import WANTED_FILE, StaticNetwork, Wanted, write_wanted

NETWORK = "run/systemd/network/10-branchbox.network"
STATIC = StaticNetwork("192.168.1.5", 24, "192.168.1.1", ("9.9.9.9",))


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

    def want(self, network: StaticNetwork | None = None, time_zone: str = "Europe/Berlin") -> None:
        write_wanted(self.data, Wanted("pbx", time_zone, network))

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
    assert "Address=192.168.1.5/24\nGateway=192.168.1.1\nDNS=9.9.9.9\n" in machine.network()
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
    machine.want(None)
    assert machine.apply() == 0
    assert not (machine.root / NETWORK).exists()


def test_the_box_is_never_without_a_network_file(machine: Machine) -> None:
    machine.dhcp.unlink()
    machine.want(None)
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
