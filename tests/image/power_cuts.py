"""A recorded life of a box, and its cards as power cuts at drawn moments leave them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal

from tests.image.box import Box
from tests.image.examination import Examination, Promises
from tests.image.recording import FIRST_NUMBERS, PASSWORD, Recording
from tests.image.write_log import Cut, LoggedCard, Request, WriteLog, draw
from tests.peers.probe import free_port

__all__ = ["PHASES", "Phase", "PowerCuts"]

Phase = Literal["first start", "settings", "update"]
PHASES: tuple[Phase, ...] = ("first start", "settings", "update")
NEAR = 4
"Requests around a flush, where what is promised changes: half of the cuts fall there, the rest anywhere."


class PowerCuts:
    """Of one recording. Close it at the end."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._story = recording.story()
        self._log = WriteLog(recording.log)
        self.requests: Sequence[Request] = self._log.requests
        answers = (each.acknowledged for each in self._story.changes)
        self._answered = [self._log.position(each) for each in answers if each is not None]

    def close(self) -> None:
        """Nothing may be asked any more."""
        self._log.close()

    def moments(self, phase: Phase) -> range:
        """When it lasts, in requests of the log."""
        lengths = (self._story.answered, self._story.saved, self._story.ended)
        ends = [0, *(self._log.position(length) for length in lengths)]
        place = PHASES.index(phase)
        return range(ends[place], ends[place + 1] + 1)

    def draw(self, phase: Phase, count: int, random: Random) -> list[Cut]:
        """Cuts at random moments, in their order."""
        moments = self.moments(phase)
        flushes = [index for index in moments[:-1] if self.requests[index].is_flush]
        cuts = []
        for number in range(count):
            moment = random.choice(moments)
            if number % 2 and flushes:
                moment = random.choice(flushes) + random.randint(-NEAR, NEAR)
            moment = min(max(moment, moments.start), moments.stop - 1)
            answered = max((each for each in self._answered if each <= moment), default=0)
            cuts.append(draw(self.requests, moment, random, answered))
        return sorted(cuts, key=lambda cut: cut.covered)

    def forget_flushes(self, phase: Phase) -> None:
        """As if nothing had been flushed meanwhile."""
        moments = self.moments(phase)
        self.requests = [
            replace(each, flags=0) if index in moments else each for index, each in enumerate(self.requests)
        ]

    def wrong(self, cuts: Sequence[Cut]) -> list[str]:
        """What is wrong with the card after which of the cuts."""
        wrong = []
        with self._scratch() as folder:
            examination = Examination(self._story.settings, folder)
            for cut, card in self._cards(folder, cuts):
                try:
                    examination.look(card, self._promises(cut))
                except AssertionError as error:
                    wrong.append(f"{cut.moment} ({cut.covered} covered, {len(cut.kept)} kept): {error}")
        return wrong

    def start(self, cuts: Sequence[Cut]) -> Iterator[float]:
        """Start the card after each of the cuts, and ask the box for what it promised: seconds to its first answer."""
        with self._scratch() as folder:
            for cut, card in self._cards(folder, cuts):
                copy = folder / "started"
                subprocess.run(["cp", "--sparse=always", card, copy], check=True)
                yield _start(copy, folder, self._promises(cut))

    def _promises(self, cut: Cut) -> Promises:
        return Promises.at(cut.moment, self._story, self._log)

    def _cards(self, folder: Path, cuts: Sequence[Cut]) -> Iterator[tuple[Cut, Path]]:
        path = folder / "card"
        subprocess.run(["cp", "--sparse=always", self._recording.base, path], check=True)
        logged = LoggedCard(path, self._log)
        for cut in cuts:
            with logged.after(cut) as card:
                yield cut, card

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix="branchbox-cut-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _start(card: Path, folder: Path, promises: Promises) -> float:
    forwards = {("udp", 5060): free_port(), ("tcp", 443): free_port()}
    with closing(Box(card, folder, forwards)) as box:
        seconds = box.power_on()
        box.console.log_in(PASSWORD)
        box.console.make_token("after the cut")
        numbers = {each["number"] for each in box.console.api("GET", "extensions")}
        assert promises.numbers.union(FIRST_NUMBERS) <= numbers
        assert box.console.api("GET", "system")["host_name"] in promises.names
        assert box.machine.report()["failed"] == ""
    return seconds
