"""The control socket: who is heard, and what bad clients do to the others. Real sockets."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.control.client import Client, NotRunningError, socket_in
from appliance.control.server import MAX_CLIENTS, MAX_LINE_OCTETS
from appliance.errors import ConfigError, PeerError
from tests.control.fakes import Bench, FakeCall, served

NOBODY = 65534


def talk(path: Path, data: bytes) -> bytes:
    """Send octets and read until the server closes."""
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(20)
        plug.connect(str(path))
        try:
            plug.sendall(data)
            plug.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, OSError):
            pass  # the server has closed already; what it said is still to be read
        answer = b""
        try:
            while chunk := plug.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer


def error_of(answer: bytes) -> str:
    return str(json.loads(answer)["error"]["key"])


def test_the_socket_is_private_and_goes_with_the_server(tmp_path: Path) -> None:
    with served(tmp_path) as (_, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_many_requests_on_one_connection(socket_path: Path) -> None:
    with Client(socket_path) as client:
        client.perform("extensions", "add", None, {"number": "101", "password": "pw101"})
        with pytest.raises(ConfigError) as refused:
            client.perform("extensions", "show", "102")
        assert (refused.value.path, refused.value.key) == ("extensions.102", "error.not_found")
        assert client.perform("extensions", "show", "101")["number"] == "101"


def test_answers_bear_the_number_of_their_request(socket_path: Path) -> None:
    lines = b'{"id": 7, "area": "extensions", "verb": "list"}\n{"id": "x", "area": "no", "verb": "list"}\n'
    first, second = talk(socket_path, lines).splitlines()
    told = json.loads(first)
    assert (told["id"], told["result"], told["columns"][0]) == (7, [], "number")
    assert json.loads(second)["id"] == "x"
    assert error_of(second) == "error.unknown_area"


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"\n",
        b"[]\n",
        b'{"area": 5, "verb": "list"}\n',
        b'{"area": "extensions"}\n',
        b"\xff\xfe\n",
        b'{"area": "a", "verb": "b", "values": [1]}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_request_is_answered_and_the_next_one_served(socket_path: Path, line: bytes) -> None:
    first, second = talk(socket_path, line + b'{"area": "extensions", "verb": "list"}\n').splitlines()
    assert error_of(first) == "error.not_a_request"
    assert json.loads(second)["result"] == []


def test_a_line_without_an_end_is_cut_off(socket_path: Path) -> None:
    assert error_of(talk(socket_path, b"x" * (MAX_LINE_OCTETS + 100_000))) == "error.line_too_long"
    with Client(socket_path) as client:
        assert client.perform("extensions", "list") == []


def test_half_a_request_is_none(socket_path: Path) -> None:
    assert talk(socket_path, b'{"area": "extensions", "verb": "add", "values": {"number": "101"}') == b""
    with Client(socket_path) as client:
        assert client.perform("extensions", "list") == []


def test_a_client_that_never_reads_holds_nobody_up(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(socket_path))
        deaf.setblocking(False)
        request = b'{"area": "export", "verb": "show"}\n' * 1000
        try:
            while True:
                deaf.send(request)
        except BlockingIOError:
            pass  # both directions are full now
        with Client(socket_path) as client:
            assert client.perform("extensions", "list") == []


def test_one_client_too_many_is_told_so(socket_path: Path) -> None:
    clients = [Client(socket_path) for _ in range(MAX_CLIENTS)]
    try:
        for client in clients:
            client.perform("extensions", "list")
        with Client(socket_path) as late, pytest.raises(ConfigError) as refused:
            late.perform("extensions", "list")
        assert refused.value.key == "error.busy"
    finally:
        for client in clients:
            client.close()
    with Client(socket_path) as client:
        assert client.perform("extensions", "list") == []


def test_our_own_defect_is_told_without_its_details(tmp_path: Path) -> None:
    with served(tmp_path) as (bench, path), Client(path) as client:
        bench.parts.box = None  # type: ignore[assignment] # the defect
        with pytest.raises(ConfigError) as refused:
            client.perform("status", "show")
        assert (refused.value.key, refused.value.params) == ("error.internal", {})
        assert client.perform("extensions", "list") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_turned_away(tmp_path: Path) -> None:
    with served(tmp_path) as (_, path):
        # Let the stranger as far as the socket, so that its own check is what refuses.
        path.chmod(0o666)
        opened = [folder for folder in path.parents if folder != Path("/") and not _passable(folder)]
        modes = [(folder, stat.S_IMODE(folder.stat().st_mode)) for folder in opened]
        try:
            for folder, mode in modes:
                folder.chmod(mode | 0o001)
            answer = _ask_as(NOBODY, path)
        finally:
            for folder, mode in modes:
                folder.chmod(mode)
        assert error_of(answer) == "error.not_your_box"


def _passable(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def _ask_as(user: int, path: Path) -> bytes:
    child = "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); print(s.recv(65536).decode())"
    return subprocess.run(
        # Not by its name in .venv: that may be in a home that strangers cannot enter.
        [Path(sys.executable).resolve(), "-I", "-S", "-c", child, str(path)],
        user=user,
        group=user,
        extra_groups=[],
        cwd="/",
        check=True,
        capture_output=True,
    ).stdout


def test_a_dead_servers_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_in(tmp_path)))
    with pytest.raises(NotRunningError):
        Client(socket_in(tmp_path))
    with served(tmp_path) as (_, path), Client(path) as client:
        assert client.perform("extensions", "list") == []


def test_a_living_servers_socket_is_left_to_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(socket_in(tmp_path)))
        living.listen()
        with pytest.raises(BaseExceptionGroup) as refused, served(tmp_path):
            pass  # never reached
        errors = refused.value
        while isinstance(errors, BaseExceptionGroup):
            errors = errors.exceptions[0]
        assert isinstance(errors, ConfigError)
        assert errors.key == "error.control_in_use"
        assert socket_in(tmp_path).exists()


def test_a_request_by_socket_is_local(tmp_path: Path) -> None:
    actors: list[str] = []
    with served(tmp_path) as (bench, path), Client(path) as client:
        perform = bench.control.perform

        async def listen(area: str, verb: str, key: str | None, values: dict[str, str], actor: str) -> object:
            actors.append(actor)
            return await perform(area, verb, key, values, actor)

        bench.control.perform = listen  # type: ignore[method-assign, assignment] # to overhear
        client.perform("extensions", "list")
    assert actors == [f"local:{os.geteuid()}"]
    assert isinstance(bench, Bench)


def test_what_another_machine_refuses_is_told_with_its_status(tmp_path: Path) -> None:
    def refuse(_: str) -> None:
        raise PeerError(481, "Call/Transaction Does Not Exist")

    with served(tmp_path) as (bench, path), Client(path) as client:
        bench.exchange.live.append(FakeCall())
        bench.exchange.hang_up = refuse  # type: ignore[method-assign, assignment] # the peer's answer
        with pytest.raises(ConfigError) as refused:
            client.perform("calls", "hang-up", "call-1")
        assert refused.value.key == "error.peer"
        assert refused.value.params == {"status": 481, "reason": "Call/Transaction Does Not Exist"}
