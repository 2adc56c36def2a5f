"""What is measured of a server: its CPU time and its memory under sipp's load, always at the same offered rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.bench.process import usage
from tests.bench.sound import write_tone
from tests.peers.sipp import CALLEE_HOST, Callee, Outcome, Sipp

__all__ = [
    "Bench",
    "Figure",
    "Server",
    "find_limit",
    "measure_memory",
    "measure_signalling",
    "measure_sound",
    "measure_standing",
]

LOAD_CORE = 1
REGISTER_RATE = 500
FILLING_RATE = 1000
"REGISTERs a second where only what is left of them is measured."
CALL_RATES = (100, 400)
SECONDS = 10
FORGOTTEN_S = 34
"By then all transactions have ended (64*T1), and nothing of what was registered has."
STANDING_CALLS = 300
STANDING_RATE = 50
SOUND_CALLS = 50
SOUND_SECONDS = 10
LIMIT_SECONDS = 5
FIRST_LIMIT = 200

_CONTACT = ("-key", "contact_host", CALLEE_HOST, "-key", "contact_port", "5070", "-key", "expires", "3600")


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
    """Where a run keeps its files, and who calls: some users that are busy, and all that there are."""

    folder: Path
    busy: Path
    everybody: Path
    counts: tuple[int, int]
    "How many users the two files name."

    def load(self, server: Server, users: Path | None = None) -> Sipp:
        return Sipp(server.address, self.folder, users or self.busy, LOAD_CORE)

    def cost(
        self, server: Server, scenario: str, count: int, rate: int, *options: str
    ) -> tuple[float, Outcome]:
        """Milliseconds of the server's CPU for each run of the scenario."""
        before = usage(server.pid).cpu
        outcome = self.load(server).run(scenario, count, rate, *options)
        return (usage(server.pid).cpu - before) / max(outcome.done, 1) * 1000, outcome


def _note(outcome: Outcome) -> str:
    return f"{outcome.done} done, {outcome.failed} failed, {outcome.retransmissions} retransmissions"


def measure_signalling(bench: Bench, server: Server) -> Iterator[Figure]:
    """REGISTER and call, both with digest."""
    bench.load(server).run("register", bench.counts[0], REGISTER_RATE, *_CONTACT)
    cost, outcome = bench.cost(server, "register", REGISTER_RATE * SECONDS, REGISTER_RATE, *_CONTACT)
    what = f"REGISTER with digest at {REGISTER_RATE}/s, CPU ms"
    yield Figure(server.name, what, f"{cost:.3f}", _note(outcome))
    with Callee(bench.load(server)):
        for rate in CALL_RATES:
            cost, outcome = bench.cost(server, "caller", rate * SECONDS, rate, "-d", "0")
            yield Figure(server.name, f"call with digest at {rate}/s, CPU ms", f"{cost:.3f}", _note(outcome))


def measure_memory(bench: Bench, server: Server, settle_s: float = FORGOTTEN_S) -> Iterator[Figure]:
    """At rest, and of a registration, on a server that has had no load yet.

    The same number of REGISTERs comes twice, by the busy users again and again and then by everybody: what
    transactions and the message trace take is the same in both, and the registrations are the difference.
    """
    yield Figure(server.name, "memory at rest, MB", f"{usage(server.pid).memory / 1e6:.1f}")
    few, many = bench.counts
    bench.load(server, bench.busy).run("register", many, FILLING_RATE, *_CONTACT)
    before = usage(server.pid).memory
    time.sleep(settle_s)
    bench.load(server, bench.everybody).run("register", many, FILLING_RATE, *_CONTACT)
    each = (usage(server.pid).memory - before) / (many - few)
    yield Figure(server.name, f"memory a registration, of {many}, kB", f"{each / 1e3:.1f}")


def measure_standing(bench: Bench, server: Server) -> Iterator[Figure]:
    """Memory of a call that stands, with what is kept for 32 s of how it was set up, on a fresh process too."""
    bench.load(server).run("register", bench.counts[0], REGISTER_RATE, *_CONTACT)
    ringing_s = STANDING_CALLS // STANDING_RATE
    with Callee(bench.load(server)), ThreadPoolExecutor(1) as threads:
        before = usage(server.pid).memory
        hold = ("-d", str((ringing_s + 4) * 1000))
        calls = threads.submit(
            partial(bench.load(server).run, "caller", STANDING_CALLS, STANDING_RATE, *hold)
        )
        time.sleep(ringing_s + 2)
        each = (usage(server.pid).memory - before) / STANDING_CALLS
        outcome = calls.result()
    yield Figure(
        server.name, f"memory a standing call, of {STANDING_CALLS}, kB", f"{each / 1e3:.1f}", _note(outcome)
    )


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


def find_limit(bench: Bench, server: Server) -> Iterator[Figure]:
    """The highest rate of calls at which none fails for some seconds, found in steps of a fifth."""
    bench.load(server).run("register", bench.counts[0], REGISTER_RATE, *_CONTACT)
    best, note, rate = 0, "", FIRST_LIMIT
    with Callee(bench.load(server)):
        while True:
            outcome = bench.load(server).run("caller", rate * LIMIT_SECONDS, rate, "-d", "0")
            if outcome.failed or outcome.done < rate * LIMIT_SECONDS:
                break
            best, note, rate = rate, _note(outcome), rate * 6 // 5
    what = f"calls a second without a failure for {LIMIT_SECONDS} s"
    yield Figure(server.name, what, str(best), f"{note}; at {rate}/s: {_note(outcome)}")
