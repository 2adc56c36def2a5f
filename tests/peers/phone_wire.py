"""The one connection that a telephone keeps to its exchange, over TCP or TLS, for sipp.

Debian's sipp registers in one process and is called in another, which have no connection in common; and it is built
without TLS.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from select import select
from typing import Self

__all__ = ["PhoneWire"]

READ_SIZE = 65_536


class PhoneWire:
    """Carries what sipps say over one connection, which opens with the first of them, and what comes back to them.

    It goes to whoever is connected at the time, or else to the telephone at `phone`, which listens. All of it is done
    by one thread: OpenSSL bears no second one that writes while the first reads.
    """

    def __init__(
        self,
        server: tuple[str, int],
        context: ssl.SSLContext | None = None,
        phone: tuple[str, int] | None = None,
        name: str = "localhost",
    ) -> None:
        self._server, self._phone = server, phone
        self._context, self._name = context, name
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._listener = socket.create_server((server[0], 0), family=family)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._outer: socket.socket | None = None
        self._inner: socket.socket | None = None
        self._bell, self._cord = socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._cord.close()

    def cut(self) -> None:
        """End everything. Harmless when it has ended."""
        with suppress(BrokenPipeError):
            self._cord.sendall(b"!")
        self._thread.join()

    @property
    def is_free(self) -> bool:
        """Whether no sipp is connected: what comes then goes to the telephone."""
        return self._inner is None

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            for sock in (self._listener, self._outer, self._inner, self._bell):
                if sock is not None:
                    sock.close()

    def _turn(self) -> bool:
        """Do what is to be done next; False when it is to end, or the exchange has ended it."""
        known = (self._bell, self._listener, self._outer, self._inner)
        ready = select([sock for sock in known if sock is not None], [], [])[0]
        if self._bell in ready:
            return False
        if self._listener in ready:
            self._inner = self._listener.accept()[0]
            self._outer = self._outer or self._open()
        elif self._outer is not None and self._outer in ready:
            return self._bring(self._outer)
        elif self._inner is not None and self._outer is not None:
            data, ended = _read(self._inner)
            self._outer.sendall(data)
            if ended:
                self._inner.close()
                self._inner = None
        return True

    def _open(self) -> socket.socket:
        outer = socket.create_connection(self._server)
        if self._context is None:
            return outer
        return self._context.wrap_socket(outer, server_hostname=self._name)

    def _bring(self, outer: socket.socket) -> bool:
        data, ended = _read(outer)
        if data and self._inner is None and self._phone is not None:
            self._inner = socket.create_connection(self._phone)
        if data and self._inner is not None:
            self._inner.sendall(data)
        return not ended


def _read(sock: socket.socket) -> tuple[bytes, bool]:
    """What has come, which is nothing where TLS has said something of its own; and whether it was the last."""
    data = b""
    sock.setblocking(False)
    try:
        while piece := sock.recv(READ_SIZE):
            data += piece
    except (BlockingIOError, ssl.SSLWantReadError):
        return data, False
    except ConnectionError:
        pass
    finally:
        sock.setblocking(True)
    return data, True
