"""Power cuts at random moments of a first start, of settings being saved, and of an update.

The box lives once, and each write and flush of its card is recorded. Then the card is rebuilt as it was at each of the moments,
with what no flush had covered there, lost or torn at random, and looked through: it would start, and every acknowledged
change is there. Some of these cards are started. The seed that a run prints draws the same again from the same recording:
BRANCHBOX_CUTS_SEED sets it, BRANCHBOX_CUTS keeps the recording in a folder, or takes it from there.

Requirements not tested: a card that loses what it acknowledged a flush for; a card that loses more than what is being
written; U-Boot's own writes (test_raspberry_pi).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.image.power_cuts import PHASES, Phase, PowerCuts
from tests.image.recording import Recording, record

pytestmark = [pytest.mark.image, pytest.mark.timeout(3600)]

CUTS = 100
"Of each phase."
SHORT_CUTS = 5
SHORT_PHASES: tuple[Phase, ...] = ("first start", "settings")
STARTED = 3
"Of each phase."
SHORT_CHANGES = 10
CHANGES = 40
Show = Callable[[str], None]


@pytest.fixture(scope="module")
def life() -> Iterator[PowerCuts]:
    """A first start, 40 changes, an update with changes meanwhile."""
    with place(os.environ.get("BRANCHBOX_CUTS")) as folder:
        recording = Recording(folder)
        if not recording.told.exists():
            record(folder, changes=CHANGES, update=True)
        with closing(PowerCuts(recording)) as life:
            yield life


@contextmanager
def place(kept: str | None = None) -> Iterator[Path]:
    """A folder for half a gigabyte; not pytest's own, which stays for some runs."""
    folder = Path(kept or tempfile.mkdtemp(prefix="branchbox-cuts-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    finally:
        if kept is None:
            shutil.rmtree(folder)


@pytest.fixture
def random(figure: Show) -> Random:
    seed = int(os.environ.get("BRANCHBOX_CUTS_SEED", SystemRandom().randrange(10**6)))
    figure(f"BRANCHBOX_CUTS_SEED={seed}")
    return Random(seed)


def test_some_cuts_of_a_short_life(random: Random, figure: Show) -> None:
    with (
        place() as folder,
        closing(PowerCuts(record(folder, changes=SHORT_CHANGES, update=False))) as life,
    ):
        for phase in SHORT_PHASES:
            _look(life, phase, SHORT_CUTS, random, figure)


@pytest.mark.full
@pytest.mark.parametrize("phase", PHASES)
def test_a_cut_leaves_all_that_was_acknowledged(
    *, phase: Phase, life: PowerCuts, random: Random, figure: Show
) -> None:
    _look(life, phase, CUTS, random, figure)


@pytest.mark.full
def test_a_flush_that_is_missing_would_be_found(life: PowerCuts, random: Random) -> None:
    """Nothing is flushed while settings are saved, so what was acknowledged may be lost: the tests above can fail."""
    flushed = life.requests
    life.forget_flushes("settings")
    cuts = life.draw("settings", SHORT_CUTS, random)
    life.requests = flushed
    wrong = life.wrong(cuts)
    assert any("acknowledged and gone" in each for each in wrong), wrong


@pytest.mark.full
@pytest.mark.parametrize("phase", PHASES)
def test_a_box_whose_power_was_cut_starts(
    *, phase: Phase, life: PowerCuts, random: Random, figure: Show
) -> None:
    cuts = life.draw(phase, STARTED, random)
    for cut, seconds in zip(cuts, life.start(cuts), strict=True):
        figure(f"cut during the {phase}, at request {cut.moment}: power on to first answer {seconds:.0f} s")


def _look(life: PowerCuts, phase: Phase, count: int, random: Random, figure: Show) -> None:
    cuts = life.draw(phase, count, random)
    flushes = sum(life.requests[index].is_flush for index in life.moments(phase)[:-1])
    figure(f"{count} power cuts of the {phase}, of {len(life.moments(phase))} requests, {flushes} flushes")
    assert life.wrong(cuts) == []
