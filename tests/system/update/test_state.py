"""What is remembered of updates: only one that was kept raises the level and brings keys."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.errors import ConfigError
from appliance.system.update.bundle import open_bundle
from appliance.system.update.state import KEYS_LIMIT, Before, State, Trial, concluded, read_state, write_state
from tests.system.update.workshop import Workshop

BEFORE = Before(lines=("carrier",), extensions=("101",))


def trial(workshop: Workshop, level: int = 3) -> Trial:
    with workshop.application().open("rb") as file:
        manifest = open_bundle(file, workshop.ring()).manifest
    new = workshop.public("second")
    manifest = msgspec.structs.replace(
        manifest, security_level=level, new_keys=(new,), revoked_keys=("first",)
    )
    return Trial.of(manifest, "0.2.0-abc", BEFORE)


def test_nothing_is_remembered_at_first(tmp_path: Path) -> None:
    assert read_state(tmp_path) == State()


def test_what_is_written_is_read(tmp_path: Path, workshop: Workshop) -> None:
    state = State(4, (workshop.public("first"),), ("old",), trial(workshop))
    write_state(tmp_path / "new", state)
    assert read_state(tmp_path / "new") == state


@pytest.mark.parametrize("content", [b"", b"[]", b'{"security_level": "high"}', b"x" * 100_000])
def test_a_damaged_memory_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(ConfigError, match="bad_state"):
        read_state(tmp_path)


def test_an_update_that_was_kept_counts(workshop: Workshop) -> None:
    state = concluded(State(2, (workshop.public("first"),), trial=trial(workshop)), "kept")
    assert (state.security_level, state.trial, state.revoked) == (3, None, ("first",))
    assert [key.id for key in state.keys] == ["first", "second"]
    assert state.last is not None
    assert (state.last.version, state.last.outcome) == ("0.2.0", "kept")


def test_the_level_never_goes_down(workshop: Workshop) -> None:
    assert concluded(State(9, trial=trial(workshop)), "kept").security_level == 9


def test_an_update_that_came_back_changes_nothing(workshop: Workshop) -> None:
    state = concluded(State(2, trial=trial(workshop)), "came_back", {"sip", "console"})
    assert (state.security_level, state.keys, state.revoked, state.trial) == (2, (), (), None)
    assert state.last is not None
    assert state.last.missing == ("console", "sip")


def test_without_a_trial_nothing_is_concluded() -> None:
    assert concluded(State(2), "kept") == State(2)


def test_the_memory_is_bounded(workshop: Workshop) -> None:
    state = State(revoked=tuple(map(str, range(KEYS_LIMIT))), trial=trial(workshop))
    revoked = concluded(state, "kept").revoked
    assert len(revoked) == KEYS_LIMIT
    assert revoked[-1] == "first"
