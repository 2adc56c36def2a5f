"""What goes wrong around a running exchange: junk on the wire, a full disk, a second start.

Each gets a clear answer or message, nothing is lost, nothing hangs. Wrong passwords and unknown numbers: test_sipp.py.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from appliance.errors import ConfigError
from tests.interop.exchange import CHECKOUT, Exchange, free_ports, running_exchange
from tests.peers.probe import first_answer

pytestmark = pytest.mark.interop

SEED = 20_261
OPTIONS = (
    b"OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:a@box>;tag=1\r\nTo: <sip:box>\r\nCall-ID: half@test\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def test_garbage_datagrams_are_not_answered_and_disturb_nobody(exchange: Exchange) -> None:
    chance = Random(SEED)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as noise:
        noise.bind(("127.0.0.1", 0))
        for _ in range(500):
            noise.sendto(chance.randbytes(chance.randrange(1400)), exchange.sip)
            noise.sendto(OPTIONS[: chance.randrange(40)], exchange.sip)
        first_answer(exchange.sip)
        noise.setblocking(False)
        with pytest.raises(BlockingIOError):
            noise.recv(2048)


def test_half_a_tcp_message_holds_nobody_up(exchange: Exchange) -> None:
    with socket.create_connection(exchange.sip) as half, socket.create_connection(exchange.sip, 5) as whole:
        half.sendall(OPTIONS[:100])
        whole.sendall(OPTIONS)
        assert whole.recv(4096).startswith(b"SIP/2.0 200")
        half.sendall(OPTIONS[100:])
        half.settimeout(5)
        assert half.recv(4096).startswith(b"SIP/2.0 200")


def test_garbage_on_tcp_closes_that_connection_alone(exchange: Exchange) -> None:
    with socket.create_connection(exchange.sip, 5) as junk, socket.create_connection(exchange.sip, 5) as good:
        junk.sendall(b"\x00\xffGET / HTTP/1.1\r\nnonsense" * 50 + b"\r\n\r\n")
        while junk.recv(4096):
            pass  # an answer may come; the end must
        good.sendall(OPTIONS)
        assert good.recv(4096).startswith(b"SIP/2.0 200")


def test_plain_text_on_the_tls_port_disturbs_nobody(exchange: Exchange) -> None:
    with socket.create_connection(exchange.tls, 5) as plain:
        plain.sendall(OPTIONS)
        while plain.recv(4096):
            pass
    first_answer(exchange.sip)


def start_again(data: Path, *addresses: tuple[str, int]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance", "run", "--data", str(data)]
    for option, (host, port) in zip(("--sip", "--tls", "--web"), addresses, strict=True):
        command += [option, f"{host}:{port}"]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_second_start_on_the_same_folder_says_who_has_it(exchange: Exchange) -> None:
    ports = [("127.0.0.1", port) for port in free_ports("127.0.0.1", 3)]
    second = start_again(exchange.folder, *ports)
    assert second.returncode == 1
    assert str(exchange.folder) in second.stderr
    assert str(exchange.process.pid) in second.stderr
    assert "Traceback" not in second.stderr
    first_answer(exchange.sip)


@pytest.mark.parametrize("taken", ["sip", "tls", "web"])
def test_a_second_start_on_a_taken_port_says_which(exchange: Exchange, tmp_path: Path, taken: str) -> None:
    ports = [("127.0.0.1", port) for port in free_ports("127.0.0.1", 3)]
    ports[("sip", "tls", "web").index(taken)] = getattr(exchange, taken)
    second = start_again(tmp_path / "other", *ports)
    assert second.returncode == 1
    assert f"127.0.0.1:{getattr(exchange, taken)[1]}" in second.stderr
    assert "Traceback" not in second.stderr
    first_answer(exchange.sip)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "branchbox-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_changes_and_loses_nothing(small_disk: Path) -> None:
    with running_exchange(small_disk) as exchange:
        exchange.add_extensions(2)
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(4096))
        with pytest.raises(ConfigError) as refused:
            exchange.perform("extensions", "add-many", None, {"first": "200", "count": 500})
        assert refused.value.key == "error.disk_full"
        assert [each["number"] for each in exchange.perform("extensions", "list")] == ["101", "102"]
        first_answer(exchange.sip)
        ballast.unlink()
        exchange.perform("extensions", "add-many", None, {"first": "200", "count": 5})
        assert exchange.stop() == 0
    with running_exchange(small_disk) as exchange:
        assert len(exchange.perform("extensions", "list")) == 7
