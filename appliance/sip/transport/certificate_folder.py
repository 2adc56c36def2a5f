"""A folder of certificates, looked at again and again: what is put there is used without a restart.

FOLDER/cert.pem and key.pem answer for us; FOLDER/NAME/cert.pem and key.pem too, for the names they hold;
FOLDER/trusted.pem holds authorities that we trust beside the system's. Where we call over TLS we show the first one, or
that of a NAME that is asked for.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from appliance.sip.transport.flow import TransportError
from appliance.sip.transport.tls_contexts import KeyPair, client_context, server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

__all__ = ["CertificateFolder"]

logger = logging.getLogger(__name__)

INTERVAL = 10.0
"Seconds between two looks: a few `stat` calls each, and nobody waits longer for a new certificate to count."
MAX_PAIRS = 32
"Certificates beside the first one. An office has a few names; a folder with more was put there by mistake."

State = tuple[tuple[str, int, int, int], ...]
"Name, inode, size and time of change in nanoseconds of each file."


class CertificateFolder:
    """The contexts made of what lies in a folder.

    A first pair that cannot be used leaves all as it was; another file that cannot be used is left out.
    """

    def __init__(self, folder: Path) -> None:
        """Reads the certificates at once. OSError, ValueError when the first pair cannot be used."""
        self._folder = folder
        self._state = self._look()
        self._pairs, self._trusted = self._find()
        self._server = server_context(self._pairs, self._trusted)
        self._client: ssl.SSLContext | None = None
        self._wanted: frozenset[str] = frozenset()
        self._named: dict[str, ssl.SSLContext | str] = {}  # or why there is none
        self._news = anyio.Event()

    @property
    def server(self) -> ssl.SSLContext:
        """For connections that peers open."""
        return self._server

    def client_as(self, certificate: str) -> ssl.SSLContext:
        """For connections that we open and show that certificate over, empty: the first one. TransportError."""
        context = self._named.get(certificate) if certificate else self._client
        if isinstance(context, str):
            raise TransportError(context)
        if context is None:
            # A moment after the start, or after it was wanted.
            raise TransportError("no certificates to call others with are read yet")
        return context

    def want(self, names: Collection[str]) -> None:
        """Be ready to show the certificates of these names, and of no others."""
        self._wanted = frozenset(names)
        self._news.set()

    def check(self, name: str) -> None:
        """Read the certificate of that name and its key. Blocks. OSError, ValueError when they cannot be used."""
        server_context([_pair_in(self._folder / name)])

    async def watch(self) -> None:
        """Read what is new, for ever. The first thing is what outgoing connections need."""
        await self._try(self._load_client)
        while True:
            with anyio.move_on_after(INTERVAL):
                await self._news.wait()
            self._news = anyio.Event()
            await self._try(self.refresh)

    def refresh(self) -> bool:
        """Read everything anew if anything has changed; whether it has. Blocks. OSError, ValueError."""
        state = self._look()
        if state == self._state:
            self._load_named(self._named)
            return False
        # Noted even if it is of no use: it is complained of once, and tried again when it changes.
        self._state = state
        pairs, trusted = self._find()
        self._server, self._client = server_context(pairs, trusted), client_context(pairs[0], trusted)
        self._pairs, self._trusted = pairs, trusted
        self._load_named({})
        logger.info("%d certificates read from %s", len(pairs), self._folder)
        return True

    def _load_client(self) -> bool:
        self._load_named({})
        self._client = client_context(self._pairs[0], self._trusted)
        return True

    def _load_named(self, known: Mapping[str, ssl.SSLContext | str]) -> None:
        # Put in place at once: connections are opened while this thread reads.
        self._named = {name: known.get(name) or self._read_named(name) for name in self._wanted}

    def _read_named(self, name: str) -> ssl.SSLContext | str:
        try:
            return client_context(_pair_in(self._folder / name), self._trusted)
        except (OSError, ValueError) as error:
            return f"the certificate in {self._folder / name} cannot be used: {error}"

    async def _try(self, load: Callable[[], bool]) -> None:
        try:
            await anyio.to_thread.run_sync(load)
        except (OSError, ValueError) as error:
            logger.warning("certificates in %s: %s; those from before stay in use", self._folder, error)

    def _find(self) -> tuple[list[KeyPair], Path | None]:
        first = _pair_in(self._folder)
        trusted = self._folder / "trusted.pem"
        trusts = trusted.exists() and _usable(first, trusted)
        others = [_pair_in(path.parent) for path in sorted(self._folder.glob("*/cert.pem"))]
        return [
            first,
            *(pair for pair in others[:MAX_PAIRS] if _usable(pair, None)),
        ], trusted if trusts else None

    def _look(self) -> State:
        files = sorted([*self._folder.glob("*.pem"), *self._folder.glob("*/*.pem")])
        seen = [(path, path.stat()) for path in files[: 4 * MAX_PAIRS]]
        return tuple((str(path), is_.st_ino, is_.st_size, is_.st_mtime_ns) for path, is_ in seen)


def _pair_in(folder: Path) -> KeyPair:
    return KeyPair(folder / "cert.pem", folder / "key.pem")


def _usable(pair: KeyPair, trusted: Path | None) -> bool:
    try:
        server_context([pair], trusted)
    except (OSError, ValueError) as error:
        logger.warning("%s or its key cannot be used and is left out: %s", trusted or pair.certificate, error)
        return False
    return True
