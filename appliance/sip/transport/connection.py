"""One connection that carries messages, over TCP, TLS or WebSocket: reading, writing, and when it ends.

RFC 3261 §18.3 (framing), §18.2.2; RFC 5626 §3.5.1 (CRLF keep-alive); RFC 7118 §5.
"""

from __future__ import annotations

import logging
import os
import ssl
from contextlib import suppress
from socket import SHUT_WR, SO_ERROR, SOL_SOCKET
from typing import TYPE_CHECKING, Protocol

import anyio

from appliance.errors import PeerError
from appliance.sip.message import Keepalive, Request, StreamFramer
from appliance.sip.transport.answer import DEFAULT_PORT
from appliance.sip.transport.certified_name import normal
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from anyio.abc import TaskGroup

    from appliance.clock import Timers
    from appliance.sip.message import BadMessage, Message
    from appliance.sip.transport.flow import Address, Flow, Receiver
    from appliance.sip.transport.guard import Guard
    from appliance.sip.transport.tls import TlsLayer

__all__ = ["Connection", "Framing", "Web"]

logger = logging.getLogger(__name__)

CONNECT_TIME = 4.0
"Seconds a connection may take to open: the kernel asks at 0, 1 and 3 s. No caller shall wait for who is not there."
HANDSHAKE_TIME = 10.0
"Seconds for the handshakes of TLS and WebSocket together: five round trips of the slowest line, and some loss."
HALF_MESSAGE_TIME = 32.0
"Seconds from a message's first octet to its last, and from a connection's opening by a peer to its first message."
IDLE_TIME = 3_900.0
"Seconds of silence after which a connection is closed: a bit more than the usual hour between two REGISTERs."
MAX_QUEUED = 262_144
"Octets that wait for a peer to read. One that is so far behind, some 200 messages, is gone."
READ_SIZE = 65_536
FAREWELL = 1.0
"Seconds for the last answer to arrive before a connection is closed whose framing is lost."


class Owner(Protocol):
    """What a connection asks of the transport it belongs to."""

    timers: Timers
    guard: Guard
    receiver: Receiver | None

    def introduce(self, connection: Connection) -> None: ...
    def alias(self, connection: Connection, remote: Address, name: str) -> None: ...
    def forget(self, connection: Connection) -> None: ...


class Framing(Protocol):
    """How messages are cut out of what a connection brings."""

    lost: bool

    @property
    def pending(self) -> bool: ...
    def feed(self, data: bytes) -> list[Message | Keepalive | BadMessage]: ...


class Web(Framing, Protocol):
    """A framing that has a handshake of its own, and puts messages into frames."""

    shaken: bool

    def wrap(self, data: bytes) -> bytes: ...


class Connection:
    """A stream socket with its flow. `run` is its task; `send` may be called before that."""

    def __init__(
        self,
        owner: Owner,
        sock: socket.socket,
        flow: Flow,
        tls: TlsLayer | None = None,
        web: Web | None = None,
    ) -> None:
        self.flow = flow
        self.stranger = True
        "Whether the peer opened it and has not said anything yet."
        self._owner = owner
        self._sock = sock
        self._tls = tls
        self._web = web
        self._stream = StreamFramer()
        self._framer: Framing = self._stream if web is None else web
        self._on_pong: Callable[[], None] | None = None
        self._out = bytearray()
        self._proved: frozenset[str] = frozenset()
        self._open = False
        self._closed = False
        self._flushing = False
        self._flushed = anyio.Event()
        self._tasks: TaskGroup | None = None
        self._scope = anyio.CancelScope()
        self._half_since: float | None = None
        self._too_many = False

    async def run(self, *, connecting: bool = False) -> None:
        """Live until the peer, an error or the time ends it."""
        self.stranger = not connecting
        try:
            async with anyio.create_task_group() as self._tasks:
                with self._scope:
                    if not connecting or await self._connect():
                        self._open = True
                        self._flush_later()
                        await self._read()
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

    async def _read(self) -> None:
        shaken = self._shaken
        self._scope.deadline = anyio.current_time() + (self._patience if shaken else HANDSHAKE_TIME)
        while not self._closed:
            await anyio.wait_readable(self._sock)
            if not self._read_once():
                break
            if shaken:
                self._set_deadline()
            elif self._shaken:
                shaken = True
                self._scope.deadline = anyio.current_time() + self._patience
            if self._framer.lost:
                await self._say_farewell()
                break
            if self._too_many:
                # What is unread fills the peer's own buffers; it has to wait.
                self._too_many = False
                await anyio.sleep(self._owner.guard.wait(self._owner.timers.now()))

    @property
    def _shaken(self) -> bool:
        """Whether all handshakes are done."""
        return (self._tls is None or self._tls.shaken) and (self._web is None or self._web.shaken)

    @property
    def _patience(self) -> float:
        """Seconds until the next message must be there."""
        return HALF_MESSAGE_TIME if self.stranger else IDLE_TIME

    def _read_once(self) -> bool:
        """Take what is there; False at the end of the stream."""
        try:
            data = self._sock.recv(READ_SIZE)
            if not data:
                return False
            if self._tls is not None:
                data = self._decrypt(self._tls, data)
        except BlockingIOError:
            return True
        except (OSError, TransportError) as error:
            # ssl.SSLError is an OSError. A peer that goes in the middle of a sentence is nothing to log loudly.
            logger.info("%s from %s ended: %s", self.flow.transport, self.flow.remote, error)
            return False
        if data:
            self._take(data)
        return not (self._tls is not None and self._tls.ended)

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        shaken = tls.shaken
        try:
            plain = tls.receive(data)
            if not shaken:
                self._proved = tls.peer_names
            return plain
        finally:
            self._write(tls.take())  # what goes wrong is told to the peer, too

    def _take(self, data: bytes) -> None:
        receiver, guard = self._owner.receiver, self._owner.guard
        host, now = self.flow.remote[0], self._owner.timers.now()
        items = self._framer.feed(data)
        if items:
            self._half_since = None  # what is half now began after these
        for item in items:
            self._too_many |= not guard.admits(host, now)
            if isinstance(item, Keepalive):
                if item.answer and not self._closed:
                    self._answer_keepalive(item.answer)
                if item.pong and self._on_pong is not None:
                    self._on_pong()
                continue
            if self.stranger:
                self.stranger = False
                self._owner.introduce(self)
            if self._proved and isinstance(item, Request):
                self._note_alias(item)
            if receiver is not None:
                receiver.receive_message(item, self.flow)

    def _note_alias(self, request: Request) -> None:
        """RFC 5923 §8.2: a server that called us wants to be called back over the same connection."""
        try:
            via = request.via
        except PeerError:
            return
        name = normal(via.host)
        # Only for what its certificate proves: else it could have the calls of another server come to it.
        if "alias" in via.params and name in self._proved:
            port = via.port or DEFAULT_PORT[self.flow.transport]
            self._owner.alias(self, (self.flow.remote[0], port), name)

    def _answer_keepalive(self, answer: bytes) -> None:
        try:
            self._put(answer)
        except TransportError as error:
            logger.info("keep-alive: %s", error)

    def _set_deadline(self) -> None:
        if self.stranger:
            return  # blank lines are no introduction
        now = anyio.current_time()
        if not self._framer.pending:
            self._half_since = None
            self._scope.deadline = now + IDLE_TIME
        elif self._half_since is None:
            # Counted from the first octet: more octets, one by one, do not put it off.
            self._half_since = now
            self._scope.deadline = now + HALF_MESSAGE_TIME

    async def _say_farewell(self) -> None:
        """Send what waits, then let the peer end.

        RFC 1122 §4.2.2.13: a socket closed with octets unread resets the connection, and the peer may never see
        the answer that says what was wrong with them.
        """
        with anyio.move_on_after(FAREWELL), suppress(OSError):
            if self._flushing:  # its task waits for the socket already, and only one may
                await self._flushed.wait()
            self._sock.shutdown(SHUT_WR)
            while not self._closed:
                await anyio.wait_readable(self._sock)
                if not self._discard():
                    break

    def _discard(self) -> bool:
        """Throw away what is there; False at the end of the stream."""
        try:
            return bool(self._sock.recv(READ_SIZE))
        except BlockingIOError:
            return True

    # Writing.

    def send(self, data: bytes) -> None:
        """Send now, or as soon as the peer reads. TransportError when the connection is gone or stuck."""
        if self._closed:
            raise TransportError("the connection is closed")
        self._put(data if self._web is None else self._web.wrap(data))

    def ping(self, on_pong: Callable[[], None]) -> None:
        """Send a keep-alive (RFC 5626 §4.4.1), which `on_pong` hears the answer to. TransportError."""
        if self._closed or self._web is not None:
            raise TransportError("the connection is closed, or a browser's, which pings itself")
        self._on_pong = on_pong
        self._stream.pinged()
        self._put(b"\r\n\r\n")

    def _put(self, data: bytes) -> None:
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
            self._flushed = anyio.Event()
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
            self._flushed.set()
