"""Power cuts at random moments of a first start, of settings being saved, and of an update.

The box lives once, and each write and flush of its card is recorded; then the card is rebuilt as it was at each of the moments,
with what no flush had covered there, lost or torn at random, and looked through: it would start, and every acknowledged
change is there. Some of these cards are started. BRANCHBOX_CUTS_SEED repeats a run's moments on another recording.

Requirements not tested: a card that loses what it acknowledged a flush for; U-Boot's own writes (test_raspberry_pi).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.image.box import Box
from tests.image.examination import Examination, Promises
from tests.image.recording import FIRST_NUMBERS, PASSWORD, Recording, Story, record
from tests.image.write_log import Cut, LoggedCard, Request, WriteLog, draw
from tests.peers.probe import free_port

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(3600)]

CUTS = 100
"Of each phase."
STARTED = 3
"Of each phase."
NEAR = 4
"Requests around a flush, where what is promised changes: half of the cuts fall there, the rest anywhere."
PHASES = ("first start", "settings", "update")
Show = Callable[[str], None]


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    folder = Path(tempfile.mkdtemp(prefix="branchbox-cuts-"))
    try:
        yield record(folder, update=True)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def log(recording: Recording) -> Iterator[WriteLog]:
    with closing(WriteLog(recording.log)) as log:
        yield log


@pytest.fixture(scope="module")
def story(recording: Recording) -> Story:
    return recording.story()


@pytest.fixture
def random(figure: Show) -> Random:
    seed = int(os.environ.get("BRANCHBOX_CUTS_SEED", SystemRandom().randrange(10**6)))
    figure(f"BRANCHBOX_CUTS_SEED={seed}")
    return Random(seed)


@pytest.mark.parametrize("phase", PHASES)
def test_a_cut_leaves_all_that_was_acknowledged(
    *, phase: str, recording: Recording, log: WriteLog, story: Story, random: Random, figure: Show
) -> None:
    cuts = _cuts(log.requests, _moments(phase, log, story), CUTS, random)
    figure(f"power cuts during the {phase}: {len(cuts)} among {cuts[-1].moment - cuts[0].moment} requests")
    assert _wrong(recording, log, story, cuts) == []


def test_a_flush_that_is_missing_would_be_found(
    recording: Recording, log: WriteLog, story: Story, random: Random
) -> None:
    """Nothing is flushed while settings are saved, so what was acknowledged may be lost: the tests above can fail."""
    moments = _moments("settings", log, story)
    requests = [
        replace(each, flags=0) if index in moments else each for index, each in enumerate(log.requests)
    ]
    found = _wrong(recording, log, story, _cuts(requests, moments, 10, random))
    assert any("acknowledged and gone" in each for each in found), found


@pytest.mark.parametrize("phase", PHASES)
def test_a_box_whose_power_was_cut_starts(
    *, phase: str, recording: Recording, log: WriteLog, story: Story, random: Random, figure: Show
) -> None:
    cuts = _cuts(log.requests, _moments(phase, log, story), STARTED, random)
    with _scratch(recording) as (folder, card):
        logged = LoggedCard(card, log)
        for cut in cuts:
            with logged.after(cut) as left:
                subprocess.run(["cp", "--sparse=always", left, folder / "started"], check=True)
            seconds = _start(folder, Promises.at(cut.moment, story, log))
            figure(
                f"cut during the {phase}, at request {cut.moment}: power on to first answer {seconds:.0f} s"
            )


def _start(folder: Path, promises: Promises) -> float:
    forwards = {("udp", 5060): free_port(), ("tcp", 443): free_port()}
    with closing(Box(folder / "started", folder, forwards)) as box:
        seconds = box.power_on()
        box.console.log_in(PASSWORD)
        box.console.make_token("after the cut")
        numbers = {each["number"] for each in box.console.api("GET", "extensions")}
        assert promises.numbers.union(FIRST_NUMBERS) <= numbers
        assert box.console.api("GET", "system")["host_name"] in promises.names
        assert box.machine.report()["failed"] == ""
    return seconds


def _moments(phase: str, log: WriteLog, story: Story) -> range:
    """When it lasts, in requests of the log."""
    ends = [0, *(log.position(length) for length in (story.answered, story.saved, story.ended))]
    place = PHASES.index(phase)
    return range(ends[place], ends[place + 1] + 1)


def _cuts(
    requests: tuple[Request, ...] | list[Request], moments: range, count: int, random: Random
) -> list[Cut]:
    """In their order."""
    flushes = [index for index in moments if index < len(requests) and requests[index].is_flush]
    chosen = []
    for number in range(count):
        moment = random.choice(moments)
        if number % 2 and flushes:
            moment = random.choice(flushes) + random.randint(-NEAR, NEAR)
        chosen.append(min(max(moment, moments.start), moments.stop - 1))
    return sorted((draw(requests, each, random) for each in chosen), key=lambda cut: cut.covered)


def _wrong(recording: Recording, log: WriteLog, story: Story, cuts: list[Cut]) -> list[str]:
    """What was wrong after which of the cuts."""
    wrong = []
    with _scratch(recording) as (folder, card):
        logged, examination = LoggedCard(card, log), Examination(story.settings, folder)
        for cut in cuts:
            with logged.after(cut) as left:
                try:
                    examination.look(left, Promises.at(cut.moment, story, log))
                except AssertionError as error:
                    wrong.append(f"{cut.moment} ({cut.covered} covered, {len(cut.kept)} kept): {error}")
    return wrong


@contextmanager
def _scratch(recording: Recording) -> Iterator[tuple[Path, Path]]:
    """A folder, and in it the card as it was before."""
    folder = Path(tempfile.mkdtemp(prefix="branchbox-cut-"))
    try:
        card = folder / "card"
        subprocess.run(["cp", "--sparse=always", recording.base, card], check=True)
        yield folder, card
    finally:
        shutil.rmtree(folder)
