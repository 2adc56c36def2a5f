"""The blocking client, against servers that misbehave. Real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.control.client import Client, NotRunningError, socket_in
from appliance.control.server import MAX_LINE_OCTETS
from appliance.errors import ConfigError
from tests.control.fakes import served


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """A server that reads one request, says `answer` and closes."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join(20)
            assert not thread.is_alive()


def test_nobody_there(tmp_path: Path) -> None:
    for path in (tmp_path / "control.sock", tmp_path / "none" / "control.sock"):
        with pytest.raises(NotRunningError):
            Client(path)


@pytest.mark.parametrize("answer", [b"", b"half a line", b"{}\n", b"nonsense\n"])
def test_an_answer_that_is_none(tmp_path: Path, answer: bytes) -> None:
    path = socket_in(tmp_path)
    with answering(path, answer), Client(path) as client, pytest.raises(NotRunningError):
        client.perform("status", "show")


def test_a_path_longer_than_a_socket_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with served(folder) as (_, path), Client(path) as client:
        assert len(str(path)) > 108
        assert client.perform("extensions", "list") == []


def test_a_socket_of_somebody_elses_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(ConfigError) as refused:
        Client(tmp_path / "control.sock")
    assert refused.value.key == "error.not_your_box"


def test_a_request_that_is_too_long_is_told_so(tmp_path: Path) -> None:
    with served(tmp_path) as (_, path), Client(path) as client, pytest.raises(ConfigError) as refused:
        client.perform("import", "apply", values={"text": "#" * (2 * MAX_LINE_OCTETS)})
    assert refused.value.key == "error.line_too_long"
