"""How a trial stands and ends, wherever it was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.system.update.standing import come_back, keep, standing
from appliance.system.update.state import Trial
from tests.system.update.box import MACHINE, FakeBox
from tests.system.update.power import power
from tests.system.update.workshop import Workshop

STEPS_AT_MOST = 60


@pytest.fixture
def box(tmp_path: Path, workshop: Workshop) -> FakeBox:
    return FakeBox(tmp_path / "box", workshop)


def started(box: FakeBox) -> Trial:
    """An application that choose-release has started on trial."""
    trial = box.update(
        box.workshop.application(target=MACHINE, security_level=5, new_keys=(box.workshop.public("second"),))
    )
    folder = box.site.programs().folder
    (folder / "next").rename(folder / "trying")
    return trial


def restart(box: FakeBox) -> None:
    """What choose-release does with a trial that starts again."""
    folder = box.site.programs().folder
    if (folder / "trying").is_symlink():
        (folder / "trying").rename(folder / "failed")


def test_an_application_is_kept(box: FakeBox, workshop: Workshop) -> None:
    trial = box.update(workshop.application(target=MACHINE))
    assert standing(box.site, trial) == "waiting"
    folder = box.site.programs().folder
    (folder / "next").rename(folder / "trying")
    assert standing(box.site, trial) == "trying"
    keep(box.site, trial)
    assert standing(box.site, trial) == "kept"
    assert box.state.trial is None


def test_an_application_goes(box: FakeBox) -> None:
    trial = started(box)
    come_back(box.site, trial, ["sip"])
    assert standing(box.site, trial) == "gone"
    last = box.state.last
    assert last is not None
    assert (last.outcome, last.missing) == ("came_back", ("sip",))
    assert box.state.security_level == 0


def test_an_application_that_crashed_is_seen_to_be_gone(box: FakeBox) -> None:
    trial = started(box)
    restart(box)
    assert standing(box.site, trial) == "gone"


def test_an_image_is_kept(box: FakeBox, workshop: Workshop) -> None:
    trial = box.update(workshop.image(security_level=7))
    box.start("b", trial=True)
    assert standing(box.site, trial) == "trying"
    assert box.site.is_trial
    keep(box.site, trial)
    assert not box.site.is_trial, "what ends a trial sees that this one is over"
    assert box.card().kept() == "b"
    assert box.state.security_level == 7
    box.start("b")
    assert standing(box.site, trial) == "kept"


def test_an_image_goes(box: FakeBox, workshop: Workshop) -> None:
    trial = box.update(workshop.image())
    box.start("a")
    assert standing(box.site, trial) == "gone"
    come_back(box.site, trial, [])
    assert not list((box.card().boot / "loader/entries").glob("trial*"))
    assert box.card().kept() == "a"


def test_power_is_cut_at_every_step_of_keeping(tmp_path: Path, workshop: Workshop) -> None:
    """Keys and level count exactly when the program is kept."""
    outcomes = set()
    for last in range(STEPS_AT_MOST):
        box = FakeBox(tmp_path / f"cut-{last}", workshop)
        trial = started(box)
        with power(box.root, last) as source:
            keep(box.site, trial)
        restart(box)
        stands = standing(box.site, trial)
        if box.state.trial is None:
            assert stands == "kept"
        outcomes.add((stands, box.state.security_level))
        if source.steps < last:
            break
    else:
        pytest.fail("more steps than this test looks at")
    # In the middle it is kept already, and what waits at the next start is to remember so.
    assert outcomes == {("gone", 0), ("kept", 0), ("kept", 5)}
