"""The watch over a trial, on virtual time: what it sees decides, and what it decides is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from appliance.service import health_command
from appliance.service.health_command import watch
from appliance.system.apply import Box
from appliance.system.update.state import Before
from appliance.system.update.verdict import DEADLINE_S, HOLD_S
from tests.system.update.box import BEFORE, MACHINE, FakeBox
from tests.system.update.workshop import Workshop

WELL: frozenset[str] = frozenset()
Look = Callable[[Before], frozenset[str]]


@pytest.fixture
def box(tmp_path: Path) -> FakeBox:
    folder = tmp_path / "workshop"
    folder.mkdir()
    return FakeBox(tmp_path / "box", Workshop(folder))


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    # A virtual clock does not wait for threads.
    async def run_sync(work: Callable[..., object], *arguments: object) -> object:
        return work(*arguments)

    monkeypatch.setattr("anyio.to_thread.run_sync", run_sync)


def start_next(box: FakeBox) -> None:
    folder = box.site.programs().folder
    (folder / "next").rename(folder / "trying")


async def watched(box: FakeBox, look: Look) -> tuple[str, list[str], float]:
    machine, began = Box(box.root), anyio.current_time()
    said = await watch(box.site, look, machine)
    return said, machine.said, anyio.current_time() - began


async def test_without_a_trial_there_is_nothing_to_watch(box: FakeBox) -> None:
    assert await watched(box, lambda _: WELL) == ("No update is on trial.", [], 0)


async def test_a_good_application_is_kept(box: FakeBox) -> None:
    box.update(box.workshop.application(target=MACHINE))
    start_next(box)
    seen = []

    def look(before: Before) -> frozenset[str]:
        seen.append(before)
        return WELL

    said, done, seconds = await watched(box, look)
    assert "is kept" in said
    # They ran what was kept before.
    assert done == ["would run: systemctl --no-block try-restart branchbox@*.service"]
    assert seconds == HOLD_S
    assert set(seen) == {BEFORE}
    assert box.site.programs().links().current is not None


async def test_a_bad_application_goes(box: FakeBox) -> None:
    box.update(box.workshop.application(target=MACHINE))
    start_next(box)
    said, done, seconds = await watched(box, lambda _: frozenset({"lines", "sip"}))
    assert "lines, sip" in said
    assert done == ["would run: systemctl --no-block restart branchbox.service"]
    assert seconds == DEADLINE_S
    assert box.site.programs().links().current is None
    assert box.site.programs().links().trying is None


async def test_an_application_that_crashes_under_the_watch_ends_it(box: FakeBox) -> None:
    box.update(box.workshop.application(target=MACHINE))
    start_next(box)
    folder = box.site.programs().folder

    def look(_: Before) -> frozenset[str]:
        (folder / "trying").rename(folder / "failed")
        return WELL

    said, done, seconds = await watched(box, look)
    assert "did not prove itself" in said
    assert done == [], "what was before runs already, and its calls go on"
    assert seconds == health_command.LOOK_EVERY_S
    assert box.state.last is not None
    assert box.state.last.outcome == "came_back"


async def test_an_application_that_is_never_started_goes(box: FakeBox) -> None:
    box.update(box.workshop.application(target=MACHINE))
    _, _, seconds = await watched(box, lambda _: WELL)
    assert seconds == DEADLINE_S
    assert box.site.programs().links().next is None


async def test_a_good_image_is_kept(box: FakeBox) -> None:
    box.update(box.workshop.image())
    box.start("b", trial=True)
    said, done, _ = await watched(box, lambda _: WELL)
    assert "is kept" in said
    assert done == []
    assert box.card().kept() == "b"


async def test_a_bad_image_ends_with_a_new_start(box: FakeBox) -> None:
    box.update(box.workshop.image())
    box.start("b", trial=True)
    _, done, _ = await watched(box, lambda _: frozenset({"console"}))
    assert done == ["would run: systemctl reboot"]
    assert box.card().kept() == "a"


async def test_an_image_that_came_back_by_itself_is_remembered(box: FakeBox) -> None:
    box.update(box.workshop.image())
    box.start("a")
    said, done, seconds = await watched(box, lambda _: WELL)
    assert "did not prove itself" in said
    assert (done, seconds) == ([], 0)
    assert box.state.last is not None
    assert box.state.last.outcome == "came_back"


async def test_what_was_kept_when_the_power_went_is_remembered(box: FakeBox) -> None:
    box.update(box.workshop.image(security_level=9))
    with box.site.card() as card:
        card.keep("b")
    box.start("b")
    said, _, _ = await watched(box, lambda _: WELL)
    assert "is kept" in said
    assert box.state.security_level == 9
