"""`branchbox update --look`: when the network is asked, what is remembered, and what is taken by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.update_check import UpdateCheck
from appliance.service import update_command
from appliance.service.update_look import Wanted, update_to_take, wait_for_quiet
from appliance.system.update.offer import is_newer
from appliance.system.update.state import Trial, concluded
from tests.service.test_update_command import Update, box, server, update
from tests.system.update.box import MACHINE, FakeBox

__all__ = ["box", "server", "update"]  # fixtures

NIGHT = datetime(2026, 12, 1, 3, 30, tzinfo=UTC).timestamp()
DAY_S = 86_400.0


def wanted(address: str, *, automatic: bool = True, calls: int = 0, at: str = "03:00") -> Wanted:
    return Wanted(UpdateCheck(address=address, automatic=automatic, at=at), "UTC", calls)


@pytest.fixture
def address(box: FakeBox, server: str) -> Iterator[str]:
    yield f"{server}/{box.workshop.application('newest.bundle', target=MACHINE).name}"


def test_a_newer_one_is_seen_and_taken_at_night(box: FakeBox, address: str) -> None:
    assert update_to_take(box.site, wanted(address), NIGHT) == (address, "0.2.0")
    looked = box.state.looked
    assert looked is not None
    assert (looked.version, looked.kind, looked.seen_at, looked.problem) == (
        "0.2.0",
        "application",
        NIGHT,
        "",
    )


def test_its_date_and_notes_are_remembered(box: FakeBox, server: str) -> None:
    path = box.workshop.application(
        "noted.bundle", target=MACHINE, made_on="2026-11-30", notes={"en": "Faster."}
    )
    update_to_take(box.site, wanted(f"{server}/{path.name}"), NIGHT)
    looked = box.state.looked
    assert looked is not None
    assert (looked.made_on, looked.notes) == ("2026-11-30", {"en": "Faster."})


@pytest.mark.parametrize(
    ("hours", "calls", "automatic", "taken"),
    [
        (0, 0, True, True),
        (2, 0, True, True),
        (-1, 0, True, False),
        (3, 0, True, False),
        (0, 1, True, False),
        (0, 0, False, False),
    ],
)
def test_only_by_night_and_while_nobody_talks(
    box: FakeBox, address: str, hours: int, calls: int, automatic: bool, taken: bool
) -> None:
    found = update_to_take(box.site, wanted(address, calls=calls, automatic=automatic), NIGHT + hours * 3600)
    assert (found is not None) is taken


@pytest.mark.parametrize(("at", "taken"), [("23:00", True), ("02:59", True), ("00:00", False)])
def test_a_night_that_goes_over_midnight(box: FakeBox, address: str, at: str, taken: bool) -> None:
    night = NIGHT if at == "02:59" else NIGHT - 3 * 3600 if at == "23:00" else NIGHT
    assert (update_to_take(box.site, wanted(address, at=at), night) is not None) is taken


def test_nobody_is_asked_without_an_address(box: FakeBox) -> None:
    before = box.contents()
    assert update_to_take(box.site, wanted(""), NIGHT) is None
    assert box.contents() == before


def test_the_network_is_asked_once_a_day(box: FakeBox, address: str) -> None:
    quiet = wanted(address, automatic=False)
    update_to_take(box.site, quiet, NIGHT)
    (box.workshop.folder / "newest.bundle").unlink()
    update_to_take(box.site, quiet, NIGHT + 3600)
    looked = box.state.looked
    assert looked is not None
    assert looked.problem == ""
    update_to_take(box.site, quiet, NIGHT + DAY_S)
    looked = box.state.looked
    assert looked is not None
    assert (looked.problem, looked.version, looked.seen_at) == ("update.not_fetched", None, NIGHT)
    back = NIGHT + DAY_S - 7200  # the clock was put right
    update_to_take(box.site, quiet, back)
    assert box.state.looked == msgspec.structs.replace(looked, at=back)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"target": "riscv64"}, "update.wrong_target"),
        ({"signed_by": ("second",)}, "update.unknown_keys"),
    ],
)
def test_what_is_not_for_this_box_offers_nothing(
    box: FakeBox, server: str, fields: dict[str, Any], key: str
) -> None:
    path = box.workshop.application("bad.bundle", **{"target": MACHINE, **fields})
    assert update_to_take(box.site, wanted(f"{server}/{path.name}"), NIGHT) is None
    looked = box.state.looked
    assert looked is not None
    assert looked.version is None
    assert looked.problem.startswith("update.")
    if key == "update.wrong_target":
        assert looked.problem == key


def test_an_old_one_in_its_place_offers_nothing(box: FakeBox, server: str) -> None:
    path = box.workshop.application("old.bundle", target=MACHINE, version="0.0.9")
    assert update_to_take(box.site, wanted(f"{server}/{path.name}"), NIGHT) is None


def test_what_came_back_is_not_tried_again_by_itself(box: FakeBox, address: str, update: Update) -> None:
    assert update(address) == 0
    assert update_to_take(box.site, wanted(address), NIGHT) is None, "one is on trial"
    box.remember(concluded(box.state, "came_back", ["sip"]))
    assert update_to_take(box.site, wanted(address), NIGHT) is None
    box.workshop.application("newest.bundle", target=MACHINE, version="0.3.0")
    assert update_to_take(box.site, wanted(address), NIGHT + DAY_S) == (address, "0.3.0")


def test_the_command_takes_it(
    box: FakeBox, address: str, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_command, "wall", lambda: NIGHT)
    monkeypatch.setattr(update_command, "ask_exchange", lambda _: wanted(address))
    assert update("--look") == 0
    assert box.state.trial is not None


def test_another_one_that_is_handed_over_is_not_taken(
    box: FakeBox, address: str, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of a new one, and then an old one that is signed as well. It is not fetched again before the next day."""
    monkeypatch.setattr(update_command, "wall", lambda: NIGHT)
    monkeypatch.setattr(update_command, "ask_exchange", lambda _: wanted(address))
    assert update_to_take(box.site, wanted(address), NIGHT) is not None
    box.workshop.application("newest.bundle", target=MACHINE, version="0.1.5")
    assert update("--look") == 1
    assert box.state.trial is None
    looked = box.state.looked
    assert looked is not None
    assert (looked.version, looked.problem) == (None, "update.other_version")
    assert update_to_take(box.site, wanted(address), NIGHT + 3600) is None


@pytest.mark.parametrize("quiet", [True, False])
def test_nobody_is_cut_off(
    box: FakeBox,
    address: str,
    update: Update,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    quiet: bool,
) -> None:
    """Somebody calls while it is fetched: it is staged, and started when they have hung up, or else with the next start."""
    started: list[str] = []
    monkeypatch.setattr(update_command, "wall", lambda: NIGHT)
    monkeypatch.setattr(update_command, "ask_exchange", lambda _: wanted(address))
    monkeypatch.setattr(update_command, "wait_for_quiet", lambda _: quiet)

    def start(trial: Trial, _: object) -> bool:
        started.append(trial.version)
        return True

    monkeypatch.setattr(update_command, "start", start)
    assert update("--look") == 0
    assert box.state.trial is not None
    assert started == (["0.2.0"] if quiet else [])
    assert ("next start" in capsys.readouterr().out) is not quiet


def test_waiting_for_quiet() -> None:
    waits: list[float] = []
    answers = iter([2, 1, 0])
    assert wait_for_quiet(Path(), lambda _: wanted("", calls=next(answers)), waits.append)
    assert len(waits) == 2
    assert wait_for_quiet(Path(), lambda _: None, waits.append)
    waits.clear()
    assert not wait_for_quiet(Path(), lambda _: wanted("", calls=1), waits.append)
    assert 5 * 3600 < sum(waits) < 7 * 3600


def test_a_later_build_of_what_is_kept(box: FakeBox, server: str) -> None:
    """Of the same release, with Debian's own updates in it: offered until it is kept, and not again."""
    path = box.workshop.application("built.bundle", target=MACHINE, version="0.1.0+20261201")
    address = f"{server}/{path.name}"
    assert update_to_take(box.site, wanted(address), NIGHT) == (address, "0.1.0+20261201")
    box.update(path)
    box.remember(concluded(box.state, "kept"))
    assert update_to_take(box.site, wanted(address), NIGHT) is None


def test_an_exchange_that_does_not_run_wants_nothing(box: FakeBox, update: Update) -> None:
    assert update("--look") == 0
    assert box.state.looked is None


VERSIONS = st.lists(st.integers(0, 20), min_size=2, max_size=4).map(lambda each: ".".join(map(str, each)))


@given(VERSIONS, VERSIONS)
def test_one_of_two_versions_is_newer_at_most(one: str, other: str) -> None:
    assert not (is_newer(one, other) and is_newer(other, one))
    assert not is_newer(one, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.10.0", "1.9.3"),
        ("0.2", "0.1.9"),
        ("1.0.1-rc1", "1.0.0"),
        ("1.0+2", "1.0"),
        ("1.0+20261201", "1.0+20261130"),
    ],
)
def test_by_their_numbers(one: str, other: str) -> None:
    assert is_newer(one, other)


@pytest.mark.parametrize("same", [("1.10.0", "1.10"), ("1.0-rc1", "1.0")])
def test_what_is_the_same(same: tuple[str, str]) -> None:
    assert not is_newer(*same)
    assert not is_newer(*same[::-1])
