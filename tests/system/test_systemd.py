"""What systemd is told, on a socket of our own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from appliance.system.systemd import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_said(tmp_path: Path, abstract: bool) -> None:
    name = f"@branchbox-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": name})
        notifier.ready()
        notifier.status("2 calls\nREADY=1")
        notifier.alive()
        notifier.stopping()
        said = [systemd.recv(1024) for _ in range(4)]
    assert said == [b"READY=1", b"STATUS=2 calls READY=1", b"WATCHDOG=1", b"STOPPING=1"]


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/nowhere/at/all", "relative"])
def test_without_systemd_nothing_happens(address: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    assert notifier.watchdog_interval is None


def test_a_full_socket_does_not_hold_us_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(2000):
            notifier.alive()
        assert systemd.recv(1024) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("microseconds", "interval"), [("30000000", 15.0), ("", None), ("soon", None), ("0", None), ("-5", None)]
)
def test_watchdog(microseconds: str, interval: float | None) -> None:
    assert Notifier({"WATCHDOG_USEC": microseconds}).watchdog_interval == interval
