"""One connection that carries messages, over TCP or TLS: reading, writing, and when it ends.

RFC 3261 §18.3 (framing), §18.2.2; RFC 5626 §3.5.1 (CRLF keep-alive).
"""

from __future__ import annotations

import logging
import os
import ssl
from socket import SO_ERROR, SOL_SOCKET
from typing import TYPE_CHECKING, Protocol

import anyio

from appliance.sip.message import Keepalive, StreamFramer
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    import socket

    from anyio.abc import TaskGroup

    from appliance.clock import Timers
    from appliance.sip.transport.flow import Flow, Receiver
    from appliance.sip.transport.guard import Guard
    from appliance.sip.transport.tls import TlsLayer

__all__ = ["Connection"]

logger = logging.getLogger(__name__)

CONNECT_TIME = 10.0
"Seconds a connection may take to open: well below the 32 s after which its first request is given up."
HALF_MESSAGE_TIME = 32.0
"Seconds from a message's first octet to its last, and from a connection's opening by a peer to its first message."
IDLE_TIME = 3_900.0
"Seconds of silence after which a connection is closed: a bit more than the usual hour between two REGISTERs."
MAX_QUEUED = 262_144
"Octets that wait for a peer to read. One that is so far behind, some 200 messages, is gone."
READ_SIZE = 65_536
FAREWELL = 1.0
"Seconds for the last answer to leave before a connection is closed whose framing is lost."


class Owner(Protocol):
    """What a connection asks of the transport it belongs to."""

    timers: Timers
    guard: Guard
    receiver: Receiver | None

    def forget(self, connection: Connection) -> None: ...


class Connection:
    """A stream socket with its flow. `run` is its task; `send` may be called before that."""

    def __init__(self, owner: Owner, sock: socket.socket, flow: Flow, tls: TlsLayer | None = None) -> None:
        self.flow = flow
        self._owner = owner
        self._sock = sock
        self._tls = tls
        self._framer = StreamFramer()
        self._out = bytearray()
        self._open = False
        self._closed = False
        self._flushing = False
        self._tasks: TaskGroup | None = None
        self._scope = anyio.CancelScope()
        self._half_since: float | None = None
        self._too_many = False

    async def run(self, *, connecting: bool = False) -> None:
        """Live until the peer, an error or the time ends it."""
        try:
            async with anyio.create_task_group() as self._tasks:
                with self._scope:
                    if not connecting or await self._connect():
                        self._open = True
                        self._flush_later()
                        await self._read(silence=IDLE_TIME if connecting else HALF_MESSAGE_TIME)
                self._tasks.cancel_scope.cancel()
        except Exception:
            # A defect here must not take the other connections with it.
            logger.exception("%s from %s failed", self.flow.transport, self.flow.remote)
        finally:
            self._closed = True
            self._sock.close()
            self._owner.forget(self)
            if self._owner.receiver is not None:
                self._owner.receiver.flow_failed(self.flow)

    def close(self) -> None:
        """End it now. Its task tidies up."""
        self._closed = True
        self._scope.cancel()

    async def _connect(self) -> bool:
        with anyio.move_on_after(CONNECT_TIME):
            await anyio.wait_writable(self._sock)
            number = self._sock.getsockopt(SOL_SOCKET, SO_ERROR)
            if number:
                logger.info("cannot connect to %s: %s", self.flow.remote, os.strerror(number))
            return number == 0
        logger.info("cannot connect to %s: no answer", self.flow.remote)
        return False

    # Reading.

    async def _read(self, silence: float) -> None:
        self._scope.deadline = anyio.current_time() + silence
        while not self._closed:
            await anyio.wait_readable(self._sock)
            if not self._read_once():
                break
            self._set_deadline()
            if self._framer.lost:
                await self._say_farewell()
                break
            if self._too_many:
                # What is unread fills the peer's own buffers; it has to wait.
                self._too_many = False
                await anyio.sleep(self._owner.guard.wait(self._owner.timers.now()))

    def _read_once(self) -> bool:
        """Take what is there; False at the end of the stream."""
        try:
            data = self._sock.recv(READ_SIZE)
            if not data:
                return False
            if self._tls is not None:
                data = self._tls.receive(data)
                self._write(self._tls.take())
        except BlockingIOError:
            return True
        except (OSError, TransportError) as error:
            # ssl.SSLError is an OSError. A peer that goes in the middle of a sentence is nothing to log loudly.
            logger.info("%s from %s ended: %s", self.flow.transport, self.flow.remote, error)
            return False
        if data:
            self._take(data)
        return not (self._tls is not None and self._tls.ended)

    def _take(self, data: bytes) -> None:
        receiver, guard = self._owner.receiver, self._owner.guard
        host, now = self.flow.remote[0], self._owner.timers.now()
        for item in self._framer.feed(data):
            self._too_many |= not guard.admits(host, now)
            if isinstance(item, Keepalive):
                if item.answer and not self._closed:
                    self._answer_keepalive(item.answer)
            elif receiver is not None:
                receiver.receive_message(item, self.flow)

    def _answer_keepalive(self, answer: bytes) -> None:
        try:
            self.send(answer)
        except TransportError as error:
            logger.info("keep-alive: %s", error)

    def _set_deadline(self) -> None:
        if self._tls is not None and not self._tls.shaken:
            return
        now = anyio.current_time()
        if not self._framer.pending:
            self._half_since = None
            self._scope.deadline = now + IDLE_TIME
        elif self._half_since is None:
            # Counted from the first octet: more octets, one by one, do not put it off.
            self._half_since = now
            self._scope.deadline = now + HALF_MESSAGE_TIME

    async def _say_farewell(self) -> None:
        with anyio.move_on_after(FAREWELL):
            while self._out:
                await anyio.wait_writable(self._sock)
                self._flush()

    # Writing.

    def send(self, data: bytes) -> None:
        """Send now, or as soon as the peer reads. TransportError when the connection is gone or stuck."""
        if self._closed:
            raise TransportError("the connection is closed")
        if self._tls is None:
            self._write(data)
            return
        if self._tls.waiting + len(data) > MAX_QUEUED:
            self.close()
            raise TransportError("the peer does not finish its handshake")
        try:
            self._tls.send(data)
        except ssl.SSLError as error:
            self.close()
            raise TransportError(str(error)) from error
        self._write(self._tls.take())

    def _write(self, data: bytes) -> None:
        if len(self._out) + len(data) > MAX_QUEUED:
            self.close()
            raise TransportError("the peer does not read")
        self._out += data
        if self._open and not self._flushing:
            self._flush()
            self._flush_later()

    def _flush(self) -> None:
        try:
            while self._out:
                sent = self._sock.send(self._out)
                del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            self._out.clear()
            self.close()
            raise TransportError(f"the connection is gone: {error.strerror}") from error  # noqa: EM102

    def _flush_later(self) -> None:
        if self._out and not self._flushing and self._tasks is not None:
            self._flushing = True
            self._tasks.start_soon(self._flush_all, name=f"{self.flow.transport} {self.flow.remote} writer")

    async def _flush_all(self) -> None:
        try:
            while self._out:
                await anyio.wait_writable(self._sock)
                self._flush()
        except TransportError as error:
            logger.info("%s to %s: %s", self.flow.transport, self.flow.remote, error)
        finally:
            self._flushing = False
