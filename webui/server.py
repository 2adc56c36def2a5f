"""The console's web server: cheroot over TLS, in threads of its own.

RFC 8446 (TLS 1.3), RFC 5246 (1.2). What cheroot leaves open is closed here: its accepting thread would do each TLS
handshake itself, so that one silent client could hold up everybody, and a worker would wait for a request that never
comes. Here a new connection waits in the selector until it has something to say, and its worker does the handshake.
"""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from cheroot import makefile, server, wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from webui.app import create_app
from webui.request import MOST_BODY
from webui.upload import MORE_TIME, MOST_BUNDLE, SPOOLED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from webui.visit import Perform

__all__ = ["AddressInUseError", "ConsoleServer"]

logger = logging.getLogger(__name__)

WORKERS = 8
"Threads. Each holds some 0.5 MB; an administrator's browser keeps two or three busy for moments."
MOST_CONNECTIONS = 64
"Open at once. A browser uses six."
IDLE_S = 20
"A connection that says nothing is closed after this long."
READ_S = 15.0
"All of a request must have come within this long of its first octet, however slowly it drips."
UPLOAD_S = 1800.0
"As long from an administrator who sends a file: an update of 160 MB takes that at 0.7 Mbit/s."
MOST_HEADER = 16 * 1024
"Octets of a request's header; ours have one."

PLAIN_HTTP_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"This is the HTTPS port: write https:// in front of the address.\n"
)


class AddressInUseError(OSError):
    """The console's address is taken by another program, or is not one of this machine's."""


class ConsoleServer:
    """The console on an address. `start()` returns once it listens; `stop()` once all threads have ended."""

    def __init__(
        self,
        address: tuple[str, int],
        cert: Path,
        key: Path,
        perform: Perform,
        *,
        describe: Callable[[], dict[str, Any]],
        spool: Path | None = None,
    ) -> None:
        """Port 0 takes a free one; `0.0.0.0` and `::` are all addresses, of IPv4 and of IPv6. `cert` and `key` are PEM files.

        `perform` is `control.perform` as a blocking call that may be made from any thread, `describe` control's account
        of its areas. `spool` is a folder of its own for what is uploaded; None: the system's for such things.
        """
        if spool is not None:
            _make_ready(spool)
        self._wanted = address
        everywhere = address[0] == "0.0.0.0" and _ipv6_is_there()
        # Bound to `::` cheroot takes connections of both families.
        listening = ("::", address[1]) if everywhere else address
        self._server = _Server(
            listening, create_app(perform, describe=describe, spool=spool), _Adapter(cert, key)
        )
        self._thread: Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the real port once started."""
        host, port = self._server.bind_addr[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Bind and serve. AddressInUseError when the address cannot be had."""
        try:
            self._server.prepare()
        except OSError as error:
            host, port = self._wanted
            msg = f"the web console cannot listen on {host}:{port}: {error}"
            raise AddressInUseError(msg) from error
        self._thread = Thread(target=self._server.serve, name="console")
        self._thread.start()

    def stop(self) -> None:
        """End; requests under way get a few seconds. Harmless when not started."""
        if self._thread is None:
            return
        self._server.stop()
        self._thread.join()
        self._thread = None


def _make_ready(spool: Path) -> None:
    spool.mkdir(mode=0o700, exist_ok=True)
    for left in spool.glob(f"{SPOOLED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _ipv6_is_there() -> bool:
    """Whether this kernel has IPv6: not whether this machine has an address of it, which may come later."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


class _Adapter(BuiltinSSLAdapter):
    """TLS whose handshake is left to the worker."""

    def __init__(self, cert: Path, key: Path) -> None:
        super().__init__(str(cert), str(key))
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> Any:
        """As cheroot's own, but reading ends at the connection's deadline."""
        if "r" not in mode:
            return super().makefile(sock, mode, bufsize)
        return _Reader(sock, bufsize)


class _DeadlineIO(socket.SocketIO):
    """Reads from a socket until a moment, not just for so long an octet."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "rb")
        self.deadline = float("inf")

    def readinto(self, buffer: Any) -> int | None:
        left = self.deadline - monotonic()
        if left <= 0:
            # The words are those cheroot knows a time-out by.
            raise TimeoutError("timed out")
        self._sock.settimeout(min(left, IDLE_S))  # type: ignore[attr-defined]  # SocketIO keeps its socket there
        return super().readinto(buffer)


class _Reader(makefile.StreamReader):
    """cheroot's buffered reader on top of that."""

    def __init__(self, sock: socket.socket, bufsize: int) -> None:
        # Past cheroot's own __init__, which would put a plain SocketIO underneath.
        super(makefile.StreamReader, self).__init__(_DeadlineIO(sock), bufsize)
        self.bytes_read = 0


class _Connection(server.HTTPConnection):
    """A connection that shakes hands when its worker first sees it."""

    shaken = False

    def communicate(self) -> bool:
        self.rfile.raw.deadline = monotonic() + READ_S
        if not self.shaken and not self._shake():
            return False
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stub leaves it open

    def _shake(self) -> bool:
        try:
            self.socket.settimeout(READ_S)
            self.socket.do_handshake()
        except ssl.SSLError as error:
            if "HTTP_REQUEST" in str(error).upper().replace(" ", "_"):
                # The base class's method sends as it is what the TLS one would encrypt.
                with suppress(OSError):
                    socket.socket.send(self.socket, PLAIN_HTTP_ANSWER)
            logger.debug("%s did not speak TLS: %s", self.remote_addr, error)
            return False
        except OSError as error:
            logger.debug("%s left during the TLS handshake: %s", self.remote_addr, error)
            return False
        self.shaken = True
        return True


class _Gateway(wsgi.Gateway_10):
    """cheroot's way to the application, for requests that may be large."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub has the abstract one's None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]  # and leaves this one open
        reader = self.req.conn.rfile.raw

        def more_time() -> None:
            reader.deadline = monotonic() + UPLOAD_S

        return {**environ, MORE_TIME: more_time}

    def respond(self) -> None:
        length = self.req.inheaders.get(b"Content-Length", b"0")
        if not length.isdigit() or int(length) > MOST_BODY:
            # Of what the application has left unread, cheroot would take the rest into memory to go on afterwards.
            self.req.close_connection = True
        super().respond()


class _Server(wsgi.Server):
    """cheroot's server with our bounds."""

    ConnectionClass = _Connection
    max_request_header_size = MOST_HEADER
    max_request_body_size = MOST_BUNDLE
    keep_alive_conn_limit = MOST_CONNECTIONS

    # cheroot's selector of waiting connections; its stubs leave it out.
    _connections: Any

    def __init__(self, address: tuple[str, int], app: Any, adapter: _Adapter) -> None:
        super().__init__(
            address,
            app,
            numthreads=WORKERS,
            max=WORKERS,
            server_name="branchbox",
            request_queue_size=32,
            timeout=IDLE_S,
            accepted_queue_size=MOST_CONNECTIONS,
            accepted_queue_timeout=0,
        )
        self.ssl_adapter = adapter
        self.gateway = _Gateway
        self.software = "branchbox"

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        """As cheroot's, which would leave the socket open when the address cannot be had."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: Any) -> None:
        """A new connection waits in the selector until it can be read; one that was there goes to a worker."""
        if getattr(conn, "seen", False):
            super().process_conn(conn)
            return
        conn.seen = True
        if self._connections._num_connections >= MOST_CONNECTIONS:
            conn.close()
        else:
            self._connections.put(conn)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """cheroot calls this for what clients do; only its own troubles are worth a line."""
        logger.log(level if level > logging.INFO else logging.DEBUG, "%s", msg, exc_info=traceback)
