"""The control socket, `DIR/control.sock`: one request a line, one answer a line, both JSON.

Only root and the service's own user are heard (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import logging
import os
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from appliance.control.area import LOCAL
from appliance.control.socket_path import reachable
from appliance.errors import ConfigError, PeerError

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.control.control import Control

__all__ = ["MAX_LINE_OCTETS", "SOCKET_NAME", "ControlServer"]

logger = logging.getLogger(__name__)

SOCKET_NAME = "control.sock"
# An import of as many extensions as there may be, 10,000, is the longest request there is.
MAX_LINE_OCTETS = 4 * 1024 * 1024
# A serial console, a few shells and scripts; more would only be a script that forgets to close.
MAX_CLIENTS = 32
# struct ucred: pid, uid, gid.
UCRED = struct.Struct("3i")


class _Line(msgspec.Struct, frozen=True):
    """One request as it comes."""

    area: str
    verb: str
    key: str | None = None
    values: dict[str, Any] = {}
    id: int | str | None = None


class ControlServer:
    """Serves `control` on a socket in `folder`, which the caller holds the lock of."""

    def __init__(self, control: Control, folder: Path) -> None:
        self._control = control
        self.path = folder / SOCKET_NAME
        self._clients = 0

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; `started` once somebody may connect.

        Raises ConfigError `error.control_in_use` when another process answers there, OSError when the socket
        cannot be made.
        """
        with reachable(self.path) as path:
            await self._clear_stale(path)
            listener = await anyio.create_unix_listener(path, mode=0o600)
            try:
                async with listener:
                    task_status.started()
                    await listener.serve(self._serve)
            finally:
                with suppress(OSError):
                    path.unlink()

    async def _clear_stale(self, path: Path) -> None:
        """Remove the socket of a process that died. A living one keeps its own."""
        try:
            async with await anyio.connect_unix(path):
                pass
        except FileNotFoundError:
            return
        except OSError:
            await anyio.Path(path).unlink(missing_ok=True)
            return
        raise ConfigError("control", "error.control_in_use", socket=str(self.path))

    async def _serve(self, stream: SocketStream) -> None:
        self._clients += 1
        try:
            async with stream:
                await self._converse(stream)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # the client went away
        except Exception:
            logger.exception("a client of the control socket was given up")
        finally:
            self._clients -= 1

    async def _converse(self, stream: SocketStream) -> None:
        uid = _uid(stream)
        if uid not in (0, os.geteuid()):
            logger.warning("user %d was turned away from the control socket", uid)
            await _send(stream, None, error=ConfigError("", "error.not_your_box"))
            return
        if self._clients > MAX_CLIENTS:
            await _send(stream, None, error=ConfigError("", "error.busy"))
            return
        lines = BufferedByteReceiveStream(stream)
        while True:
            try:
                line = await lines.receive_until(b"\n", MAX_LINE_OCTETS)
            except (anyio.EndOfStream, anyio.IncompleteRead):
                return
            except anyio.DelimiterNotFound:
                # Where the next line starts is not worth searching for.
                await _send(stream, None, error=ConfigError("", "error.line_too_long", limit=MAX_LINE_OCTETS))
                return
            await self._answer(stream, line, f"{LOCAL}{uid}")

    async def _answer(self, stream: SocketStream, line: bytes, actor: str) -> None:
        number = None
        try:
            request = msgspec.json.decode(line, type=_Line)
            number = request.id
            result = await self._control.perform(
                request.area, request.verb, request.key, request.values, actor
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await _send(stream, number, error=ConfigError("", "error.not_a_request"))
        except (ConfigError, PeerError) as error:
            await _send(stream, number, error=error)
        except Exception:
            logger.exception("a request on the control socket failed")
            await _send(stream, number, error=ConfigError("", "error.internal"))
        else:
            answer = {"id": number, "result": result}
            columns = self._control.columns(request.area, request.verb)
            if columns:
                answer["columns"] = columns
            await stream.send(msgspec.json.encode(answer) + b"\n")


async def _send(stream: SocketStream, number: int | str | None, error: ConfigError | PeerError) -> None:
    if isinstance(error, PeerError):
        error = ConfigError("", "error.peer", status=error.status, reason=error.reason)
    told = {"path": error.path, "key": error.key, "params": error.params}
    # What a parameter is, nobody has promised; as text it can always be said.
    await stream.send(msgspec.json.encode({"id": number, "error": told}, enc_hook=str) + b"\n")


def _uid(stream: SocketStream) -> int:
    raw = stream.extra(SocketAttribute.raw_socket)
    credentials = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    uid: int = UCRED.unpack(credentials)[1]
    return uid
