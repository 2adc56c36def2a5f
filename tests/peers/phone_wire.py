"""The one connection that a telephone keeps to its exchange, over TCP or TLS, for sipp.

Debian's sipp registers in one process and is called in another, which have no connection in common; and it is built
without TLS.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Self

__all__ = ["PhoneWire"]

READ_SIZE = 65_536


class PhoneWire:
    """Carries what sipps say over one connection, which opens with the first of them, and what comes back to them.

    It goes to whoever is connected at the time, or else to the telephone at `phone`, which listens.
    """

    def __init__(
        self,
        server: tuple[str, int],
        phone: tuple[str, int],
        context: ssl.SSLContext | None = None,
        name: str = "localhost",
    ) -> None:
        self._server, self._phone = server, phone
        self._context, self._name = context, name
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._listener = socket.create_server((server[0], 0), family=family)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._outer: socket.socket | None = None
        self._inner: socket.socket | None = None
        self._sockets: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """End everything."""
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    @property
    def is_free(self) -> bool:
        """Whether no sipp is connected: what comes then goes to the telephone."""
        return self._inner is None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inner = self._listener.accept()[0]
                self._sockets.append(inner)
                if self._outer is None:
                    self._outer = self._open()
                    self._start(self._bring, self._outer)
                self._inner = inner
                self._carry(inner, self._outer)

    def _open(self) -> socket.socket:
        outer = socket.create_connection(self._server)
        self._sockets.append(outer)
        if self._context is not None:
            outer = self._context.wrap_socket(outer, server_hostname=self._name)
            self._sockets.append(outer)
        return outer

    def _bring(self, outer: socket.socket) -> None:
        with suppress(OSError):
            while data := outer.recv(READ_SIZE):
                inner = self._inner
                if inner is None:
                    inner = self._inner = socket.create_connection(self._phone)
                    self._sockets.append(inner)
                    self._start(self._carry, inner, outer)
                inner.sendall(data)

    def _carry(self, inner: socket.socket, outer: socket.socket) -> None:
        with suppress(OSError):
            while data := inner.recv(READ_SIZE):
                outer.sendall(data)
        self._inner = None

    def _start(self, target: object, *arguments: socket.socket) -> None:
        assert callable(target)
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()
