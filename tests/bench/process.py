"""What a running server has used, read from /proc: CPU seconds and memory of a process and its children."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "family", "usage"]

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """The sums over a family of processes."""

    cpu: float
    "Seconds of CPU, user and system together, since the processes started."
    memory: int
    "Resident octets that are not shared with other processes, with the shared ones counted by share (PSS)."


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def usage(pid: int) -> Usage:
    """CPU and memory of the process `pid` and its descendants, now."""
    members = family(pid)
    return Usage(sum(map(_cpu, members)), sum(map(_memory, members)))


def _cpu(pid: int) -> float:
    # The command's name, in brackets, may hold spaces; the numbers begin behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11], fields[12]
    return (int(user) + int(system)) / _TICKS_PER_SECOND


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
