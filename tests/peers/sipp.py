"""sipp as a phone, or as a thousand: one way of running its scenarios against a server, for tests and the bench."""

from __future__ import annotations

import csv
import itertools
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.probe import is_open

__all__ = ["CALLEE_HOST", "CALLER_HOST", "SCENARIOS", "Callee", "Outcome", "Sipp", "write_users"]

POLL_S = 0.01
_SERIAL = itertools.count(1)
SCENARIOS = Path(__file__).parent / "scenarios"
# Loopback addresses of this run's own, so that two runs on one machine do not meet at the phones' fixed ports.
_PID = os.getpid()  # 22 bits at most
_RUN = f"127.{_PID >> 14 | 1 << 6}.{_PID >> 6 & 255}"
CALLER_HOST = f"{_RUN}.{(_PID & 63) * 4 + 1}"
CALLEE_HOST = f"{_RUN}.{(_PID & 63) * 4 + 2}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of sipp ended."""

    done: int
    failed: int
    retransmissions: int
    errors: str
    "What sipp wrote about calls that went wrong; empty when all went well."


def bracketed(host: str, port: int) -> str:
    """An address as it stands in a URI."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def write_users(file: Path, users: dict[str, str]) -> None:
    """An injection file: user; credentials; callee, half the list further on, so that each calls and is called.

    `users` maps each user to its password.
    """
    names = list(users)
    lines = [
        f"{user};[authentication username={user} password={users[user]}];{names[(at + len(names) // 2) % len(names)]}"
        for at, user in enumerate(names)
    ]
    file.write_text("\n".join(["SEQUENTIAL", *lines, ""]))


@dataclass(slots=True)
class Sipp:
    """How sipp is run against one server."""

    server: tuple[str, int]
    folder: Path
    users: Path
    "The injection file."
    core: int | None = None
    "The processor it is kept on."
    placeholders: dict[str, str] = field(default_factory=dict)
    "What a scenario's `.xml.template` is filled with."
    host: str = CALLER_HOST
    "Where callers are."
    media_port: int = 20000
    "Theirs for sound."

    def command(self, scenario: str, host: str, port: int, *options: str) -> list[str]:
        prefix = [] if self.core is None else ["taskset", "-c", str(self.core)]
        return [
            *(*prefix, "sipp", bracketed(*self.server), "-sf", str(self.scenario(scenario))),
            *("-i", host, "-p", str(port), "-mi", host, "-nostdin", *options),
        ]

    def scenario(self, name: str) -> Path:
        """The scenario's file; one made from its template where it has one."""
        template = SCENARIOS / f"{name}.xml.template"
        if not template.exists():
            return SCENARIOS / f"{name}.xml"
        filled = self.folder / f"{name}-{next(_SERIAL)}.xml"
        filled.write_text(template.read_text().format(**self.placeholders))
        return filled

    def run(self, scenario: str, count: int, rate: int, *options: str, port: int = 5062) -> Outcome:
        """`count` runs of a scenario at `rate` a second; raises when sipp cannot start or does not end in time."""
        figures = self.folder / f"{scenario}-{count}-{rate}.csv"
        errors = self.folder / f"{scenario}-{count}-{rate}.errors"
        for file in (figures, errors):
            file.unlink(missing_ok=True)
        limit = count // rate + 60
        command = self.command(
            *(scenario, self.host, port, "-inf", str(self.users), "-m", str(count), "-r", str(rate)),
            *("-l", "15000", "-mp", str(self.media_port), "-recv_timeout", "8000", "-timeout", str(limit)),
            *(
                "-trace_stat",
                "-stf",
                str(figures),
                "-fd",
                "1",
                "-trace_err",
                "-error_file",
                str(errors),
                *options,
            ),
        )
        finished = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=limit + 30, check=False
        )
        if not figures.exists():
            msg = f"sipp did not start: {finished.stderr[-500:]}"
            raise RuntimeError(msg)
        return _read(figures, errors)


def _read(figures: Path, errors: Path) -> Outcome:
    with figures.open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Outcome(
        done=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
        errors=errors.read_text(errors="replace") if errors.exists() else "",
    )


class Callee:
    """A sipp that answers calls, for as long as the `with` block runs."""

    def __init__(
        self,
        sipp: Sipp,
        scenario: str = "callee",
        *options: str,
        host: str = CALLEE_HOST,
        port: int = 5070,
        media_port: int = 40000,
    ) -> None:
        self._errors = sipp.folder / f"{scenario}-{host}-{port}.errors"
        self._command = sipp.command(
            *(scenario, host, port, "-mp", str(media_port), "-timeout", "900"),
            *("-trace_err", "-error_file", str(self._errors), *options),
        )
        self._port = "tcp" if "t1" in options else "udp", host, port
        self._folder = sipp.folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Callee:
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while self._process.poll() is None and not is_open(*self._port):
            time.sleep(POLL_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Let the phone vanish."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def ended(self) -> int:
        """Wait until it has done all its calls (`-m`); the exit status, 0 when all went well."""
        assert self._process is not None
        return self._process.wait(timeout=60)

    @property
    def errors(self) -> str:
        """What it wrote about calls that went wrong."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""
