"""`./build.sh bench`: prints what a call, a REGISTER, a start cost, beside Kamailio in the same run.

sipp and the servers have a core each. `--limit` looks for the highest rate of calls too, which takes longer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.bench.branchbox import Branchbox
from tests.bench.kamailio import Kamailio
from tests.bench.measure import (
    Bench,
    Figure,
    Server,
    find_limit,
    measure_memory,
    measure_signalling,
    measure_sound,
    measure_standing,
)
from tests.peers.probe import first_answer, free_port
from tests.peers.sipp import write_users

FIRST_USER = 10000
BUSY_USERS = 1000
USERS = 10000
SERVER_CORE = 0
SETTLE_KAMAILIO_S = 6
"Its transactions live 5 s."

Measure = Callable[[Bench, Server], Iterator[Figure]]


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


def measure_kamailio(bench: Bench, users: dict[str, str]) -> Iterator[Figure]:
    """The peer's figures."""
    memory = partial(measure_memory, settle_s=SETTLE_KAMAILIO_S)
    for measure in (measure_signalling, memory):
        with Kamailio("127.0.0.1", free_port(), bench.folder, users, SERVER_CORE) as kamailio:
            first_answer(kamailio.address)
            yield from measure(bench, kamailio)


def measure_branchbox(
    bench: Bench, users: dict[str, str], executable: Path | None, *, limit: bool
) -> Iterator[Figure]:
    """Ours: each group on a fresh process and folder, as memory once freed would hide what comes after."""
    groups: list[tuple[Measure, ...]] = [
        (measure_standing, measure_signalling, measure_sound),
        (measure_memory,),
    ]
    if limit:
        groups.append((find_limit,))
    for number, group in enumerate(groups):
        home = bench.folder / str(number)
        home.mkdir()
        with Branchbox(home, users, SERVER_CORE, executable) as branchbox:
            if number == 0:
                started = f"{branchbox.started_in:.2f}"
                yield Figure(branchbox.name, "start to first answered OPTIONS, s", started)
            for measure in group:
                yield from measure(bench, branchbox)


OF_IMAGE = {
    "image_boot_seconds": ("power-on to first answer, image in QEMU, s", 1),
    "memory_at_rest_mib": ("memory of the whole box at rest, image in QEMU, MiB", 1),
    "root_octets": ("size of the image's root, MB", 1e6),
    "octets_written_per_idle_hour": ("written to the card in an idle hour, extrapolated, MB", 1e6),
    "writes_per_idle_hour": ("writes to the card in an idle hour, extrapolated", 1),
}
"What tests/image/figures.py writes down: its name there, what it is, and in which unit it is shown."


def main() -> int:
    """Run the whole bench."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--executable", type=Path, help="measure this frozen executable, not the checkout")
    parser.add_argument("--limit", action="store_true", help="look for the highest rate of calls, too")
    arguments = parser.parse_args()
    users = {str(FIRST_USER + at): f"pw{FIRST_USER + at}" for at in range(USERS)}
    with tempfile.TemporaryDirectory(prefix="branchbox-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, folder / "busy.csv", folder / "everybody.csv", (BUSY_USERS, USERS))
        write_users(bench.busy, dict(list(users.items())[:BUSY_USERS]))
        write_users(bench.everybody, users)
        figures = [*measure_kamailio(bench, users)]
        figures += measure_branchbox(bench, users, arguments.executable, limit=arguments.limit)
    figures += [*sizes(Path("dist")), *image_figures(Path("dist/figures.json"))]
    print_table(figures)
    return 0


def sizes(dist: Path) -> Iterator[Figure]:
    """Of what has been built: the executables and the image."""
    for file in sorted(dist.glob("branchbox-*")):
        yield Figure("Branchbox", f"size of {file.name}, MB", f"{file.stat().st_size / 1e6:.1f}")


def image_figures(file: Path) -> Iterator[Figure]:
    """What `./build.sh test-image` has measured and left behind, if it has."""
    try:
        noted = dict(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return
    for name, (what, unit) in OF_IMAGE.items():
        if isinstance(value := noted.get(name), int | float):
            yield Figure("Branchbox", what, f"{value / unit:.1f}")


if __name__ == "__main__":
    sys.exit(main())
