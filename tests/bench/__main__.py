"""`./build.sh bench`: prints what a call, a REGISTER, a start cost, beside Kamailio in the same run.

Requirements not measured: the image's time from power-on to the first answer (`./build.sh test-image` prints it).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.branchbox import Branchbox
from tests.bench.kamailio import Kamailio
from tests.bench.process import usage
from tests.bench.sound import write_tone
from tests.peers.probe import first_answer, free_port
from tests.peers.sipp import CALLEE_HOST, Callee, Outcome, Sipp, write_users

FIRST_USER = 10000
USERS = 1000
SERVER_CORE = 0
LOAD_CORE = 1
REGISTER_RATE = 500
CALL_RATE = 100
SECONDS = 10
SOUND_CALLS = 50
SOUND_SECONDS = 20


class Server(Protocol):
    """A server under test."""

    name: str
    address: tuple[str, int]

    @property
    def pid(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    server: str
    what: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a run keeps its files, and whom it loads."""

    folder: Path
    users: Path

    def load(self, server: Server) -> Sipp:
        return Sipp(server.address, self.folder, self.users, LOAD_CORE)

    def cost(
        self, server: Server, scenario: str, count: int, rate: int, *options: str
    ) -> tuple[float, Outcome]:
        """Milliseconds of the server's CPU for each run of the scenario."""
        before = usage(server.pid).cpu
        outcome = self.load(server).run(scenario, count, rate, *options)
        return (usage(server.pid).cpu - before) / max(outcome.done, 1) * 1000, outcome


def _note(outcome: Outcome) -> str:
    return f"{outcome.done} done, {outcome.failed} failed, {outcome.retransmissions} retransmissions"


_CONTACT = ("-key", "contact_host", CALLEE_HOST, "-key", "contact_port", "5070", "-key", "expires", "3600")


def measure_signalling(bench: Bench, server: Server) -> Iterator[Figure]:
    """REGISTER and call, both with digest, at the same offered rate for every server."""
    at_rest = usage(server.pid).memory
    yield Figure(server.name, "memory at rest, MB", f"{at_rest / 1e6:.1f}")
    bench.load(server).run("register", USERS, REGISTER_RATE, *_CONTACT)
    yield Figure(
        *(
            server.name,
            "memory a registration, kB",
            f"{(usage(server.pid).memory - at_rest) / USERS / 1e3:.1f}",
        ),
    )
    cost, outcome = bench.cost(server, "register", REGISTER_RATE * SECONDS, REGISTER_RATE, *_CONTACT)
    yield Figure(
        server.name, f"REGISTER with digest at {REGISTER_RATE}/s, CPU ms", f"{cost:.3f}", _note(outcome)
    )
    with Callee(bench.load(server)):
        cost, outcome = bench.cost(server, "caller", CALL_RATE * SECONDS, CALL_RATE, "-d", "0")
        yield Figure(server.name, f"call with digest at {CALL_RATE}/s, CPU ms", f"{cost:.3f}", _note(outcome))


def measure_sound(bench: Bench, server: Server) -> Iterator[Figure]:
    """Calls that stand and carry sound both ways, 50 packets a second each way, relayed in user space."""
    write_tone(bench.folder / "tone.ulaw")
    with Callee(bench.load(server), "callee_with_sound"):
        before = usage(server.pid)
        outcome = bench.load(server).run(
            *("caller_with_sound", SOUND_CALLS, SOUND_CALLS, "-d", str(SOUND_SECONDS * 1000)),
        )
        busy = usage(server.pid).cpu - before.cpu
    share = busy / (SOUND_SECONDS * SOUND_CALLS)
    yield Figure(
        *(server.name, f"{SOUND_CALLS} calls with sound for {SOUND_SECONDS} s, CPU ms a call and second"),
        *(f"{share * 1000:.2f}", f"{_note(outcome)}; one core carries about {int(1 / share)} such calls"),
    )


def print_table(figures: list[Figure]) -> None:
    """Each quantity a block, the servers below one another, ratios to Kamailio where both have a value."""
    write = sys.stdout.write
    for what in dict.fromkeys(figure.what for figure in figures):
        write(f"\n{what}\n")
        same = [figure for figure in figures if figure.what == what]
        peer = next((float(figure.value) for figure in same if figure.server == Kamailio.name), 0.0)
        for figure in same:
            ratio = (
                f"  {float(figure.value) / peer:5.2f} x" if peer and figure.server != Kamailio.name else ""
            )
            write(f"    {figure.server:<12}{figure.value:>12}{ratio:9}  {figure.note}\n")


def main() -> int:
    """Run the whole bench."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--executable", type=Path, help="measure this frozen executable instead of the checkout"
    )
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="branchbox-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, folder / "users.csv")
        users = {str(FIRST_USER + at): f"pw{FIRST_USER + at}" for at in range(USERS)}
        write_users(bench.users, users)
        with Kamailio("127.0.0.1", free_port(), folder, users, SERVER_CORE) as kamailio:
            first_answer(kamailio.address)
            figures += measure_signalling(bench, kamailio)
        with Branchbox(folder, users, SERVER_CORE, arguments.executable) as branchbox:
            figures.append(
                Figure(branchbox.name, "start to first answered OPTIONS, s", f"{branchbox.started_in:.2f}")
            )
            figures += measure_signalling(bench, branchbox)
            figures += measure_sound(bench, branchbox)
    figures += sizes(Path("dist"))
    print_table(figures)
    return 0


def sizes(dist: Path) -> Iterator[Figure]:
    """Of what has been built: the executables and the image."""
    for file in sorted(dist.glob("branchbox-*")):
        yield Figure("Branchbox", f"size of {file.name}, MB", f"{file.stat().st_size / 1e6:.1f}")


if __name__ == "__main__":
    sys.exit(main())
