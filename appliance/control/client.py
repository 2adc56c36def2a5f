"""The other end of the control socket, as plain blocking calls: for the command line, the serial console and tests."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from appliance.control.socket_path import reachable
from appliance.errors import BranchboxError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Client", "NotRunningError", "socket_in"]

# A backup of a large box to a slow card; nothing else takes a second.
TIMEOUT_S = 120.0


class NotRunningError(BranchboxError):
    """Nobody answers on the control socket, or stopped answering."""


class Answer(NamedTuple):
    """What came of a request."""

    result: Any
    columns: tuple[str, ...]
    "Of a list: what a table for people has of each thing; empty: all there is."


def socket_in(folder: Path | str) -> Path:
    """The control socket of the exchange that works on a data folder."""
    return Path(folder) / "control.sock"


class Client:
    """One connection. Use it as a context manager, from one thread at a time."""

    def __init__(self, path: Path | str, timeout_s: float = TIMEOUT_S) -> None:
        """Connect. Raises NotRunningError; ConfigError when the socket is somebody else's."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            with reachable(Path(path)) as short:
                self._socket.connect(str(short))
        except PermissionError as error:
            self._socket.close()
            raise ConfigError("", "error.not_your_box") from error
        except OSError as error:
            self._socket.close()
            raise NotRunningError(str(error)) from error
        self._lines = self._socket.makefile("rb")
        self._serial = 0

    def perform(
        self, area: str, verb: str, key: str | None = None, values: Mapping[str, Any] | None = None
    ) -> Any:
        """Do one thing; the result is a JSON value. Raises ConfigError (refused) or NotRunningError."""
        return self.ask(area, verb, key, values).result

    def ask(
        self, area: str, verb: str, key: str | None = None, values: Mapping[str, Any] | None = None
    ) -> Answer:
        """The same, with what is said beside the result."""
        self._serial += 1
        request = {"id": self._serial, "area": area, "verb": verb, "key": key, "values": values or {}}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have told us why before it closed
        except OSError as error:
            raise NotRunningError(str(error)) from error
        answer = self._receive()
        if "error" in answer:
            refusal = answer["error"]
            raise ConfigError(refusal["path"], refusal["key"], **refusal["params"])
        return Answer(answer["result"], tuple(answer.get("columns", ())))

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
            answer: dict[str, Any] = json.loads(line) if line else {}
        except (OSError, ValueError) as error:
            raise NotRunningError(str(error)) from error
        if not answer:
            raise NotRunningError("the exchange closed the connection")
        return answer

    def close(self) -> None:
        """End the connection."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
