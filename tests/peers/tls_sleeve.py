"""A sleeve of TLS for peers that speak TCP alone: Debian's sipp is built without TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Self

__all__ = ["TlsSleeve"]

READ_SIZE = 65_536


class TlsSleeve:
    """Listens on TCP, and carries each connection on over TLS, for as long as the `with` block runs."""

    def __init__(self, server: tuple[str, int], context: ssl.SSLContext, name: str) -> None:
        self._server = server
        self._context = context
        self._name = name
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._listener = socket.create_server((server[0], 0), family=family)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
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

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain = self._listener.accept()[0]
                self._sockets.append(plain)
                tls = self._context.wrap_socket(
                    socket.create_connection(self._server), server_hostname=self._name
                )
                self._sockets.append(tls)
                for source, sink in ((plain, tls), (tls, plain)):
                    self._threads.append(threading.Thread(target=_carry, args=(source, sink)))
                    self._threads[-1].start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(READ_SIZE):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
