"""Branchbox itself, on a processor of its own, with the extensions that the load uses."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import tomli_w

from tests.interop.exchange import running_exchange
from tests.peers.probe import first_answer

__all__ = ["Branchbox"]


class Branchbox:
    """The exchange from the checkout, or a frozen executable; `with` runs it."""

    name = "Branchbox"

    def __init__(
        self, folder: Path, users: dict[str, str], core: int, executable: Path | None = None
    ) -> None:
        self._folder = folder
        self._users = users
        program = [sys.executable, "-m", "appliance"] if executable is None else [str(executable.resolve())]
        self._program = ["taskset", "-c", str(core), *program]
        self._running = ExitStack()
        self.address = ("", 0)
        self.pid = 0
        self.started_in = 0.0
        "Seconds from the start of the process to the first answered OPTIONS."

    def __enter__(self) -> Branchbox:
        before = time.monotonic()

        def watch(address: tuple[str, int]) -> None:
            # From the first moment on: its console and its control socket come later.
            self.started_in = first_answer(address) - before

        exchange = self._running.enter_context(
            running_exchange(self._folder, program=self._program, watch=watch)
        )
        self.address, self.pid = exchange.sip, exchange.process.pid
        extensions = [{"number": number, "password": password} for number, password in self._users.items()]
        exchange.perform("import", "apply", None, {"text": tomli_w.dumps({"extensions": extensions})})
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
