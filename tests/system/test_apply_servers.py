"""Starting and ending further servers as root: their files, their units, their ports in the firewall."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config.server import Server
from appliance.errors import ConfigError
from appliance.system.apply import Box
from appliance.system.apply_servers import FIREWALL, apply_servers
from appliance.system.wanted import Wanted, read_wanted, write_wanted

RULES = Path(__file__).parents[2] / "image/overlay/etc/nftables.conf"
SECOND = Server(name="second", sip=5070, tls=5071, web=8443, rtp="35000-36999")


def wanted(*servers: Server) -> Wanted:
    return Wanted("box", "Europe/Berlin", servers=servers)


def applied(root: Path, *servers: Server) -> list[str]:
    box = Box(root)
    apply_servers(box, wanted(*servers))
    assert not box.failed
    return box.said


def test_a_new_one_is_started_with_its_ports(tmp_path: Path) -> None:
    said = applied(tmp_path, SECOND)
    assert "would run: systemctl --no-block restart branchbox@second.service" in said
    assert (tmp_path / "data/servers/second.conf").read_text().splitlines() == [
        "BRANCHBOX_SIP=0.0.0.0:5070",
        "BRANCHBOX_TLS=0.0.0.0:5071",
        "BRANCHBOX_WEB=0.0.0.0:8443",
        "BRANCHBOX_RTP=35000-36999",
    ]


def test_at_the_next_start_of_the_box_it_is_started_again(tmp_path: Path) -> None:
    applied(tmp_path, SECOND)
    # The calls of one that runs go on: no restart.
    assert "would run: systemctl --no-block start branchbox@second.service" in applied(tmp_path, SECOND)


def test_the_firewall_is_opened_for_those_that_run_alone(tmp_path: Path) -> None:
    off = Server(name="off", sip=5090, tls=5091, web=8450, rtp="40000-41999", enabled=False)
    said = applied(tmp_path, SECOND, off)
    assert f"would run: nft --file /{FIREWALL}" in said
    rules = (tmp_path / FIREWALL).read_text()
    assert "udp . 5070, tcp . 5070, tcp . 5071, udp . 35000-36999" in rules
    assert "consoles { 8443 }" in rules
    assert "5090" not in rules
    applied(tmp_path)
    assert "add element" not in (tmp_path / FIREWALL).read_text()


def test_without_further_servers_nothing_is_done(tmp_path: Path) -> None:
    assert applied(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("gone", [(), (msgspec.structs.replace(SECOND, enabled=False),)])
def test_one_that_goes_is_ended_and_its_data_kept(tmp_path: Path, gone: tuple[Server, ...]) -> None:
    applied(tmp_path, SECOND)
    data = tmp_path / "data/servers/second/branchbox.db"
    data.parent.mkdir()
    data.touch()
    assert "would run: systemctl --no-block stop branchbox@second.service" in applied(tmp_path, *gone)
    assert not (tmp_path / "data/servers/second.conf").exists()
    assert data.exists()


def test_root_believes_nothing_of_what_is_wanted(tmp_path: Path) -> None:
    write_wanted(tmp_path, wanted(SECOND))
    assert read_wanted(tmp_path) == wanted(SECOND)
    file = tmp_path / "system.json"
    for good, bad in (("second", "../../etc/x"), ("5070", "5060"), ("35000-36999", "1-9\\nX=1")):
        file.write_text(file.read_text().replace(good, bad))
        with pytest.raises(ConfigError):
            read_wanted(tmp_path)
        file.write_text(file.read_text().replace(bad, good))


def test_the_kernel_takes_the_rules(tmp_path: Path) -> None:
    """In a network namespace of its own: the image's rules, then the ports of two servers, then of none."""
    if any(shutil.which(tool) is None for tool in ("nft", "unshare")):
        pytest.skip("nftables is not installed")
    third = Server(name="third", sip=5080, tls=5081, web=8444, rtp="37000-38999")
    scripts = [RULES.read_text()]
    for servers in ((SECOND, third), (SECOND,), ()):
        applied(tmp_path, *servers)
        scripts.append((tmp_path / FIREWALL).read_text())
    files = []
    for number, text in enumerate(scripts):
        files.append(tmp_path / f"{number}.nft")
        files[-1].write_text(text)
    commands = " && ".join(f"nft --file {file}" for file in files)
    done = _in_a_network_of_its_own(commands)
    assert done.returncode == 0, done.stderr


def _in_a_network_of_its_own(commands: str) -> Any:
    command = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*command, "nft", "list", "ruleset"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine gives no network of one's own")
    return subprocess.run([*command, "sh", "-c", commands], capture_output=True, text=True, check=False)
