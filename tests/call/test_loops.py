"""Marks of calls that are passed on by trunks, and calls that come back (RFC 5393 §4.2)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.call.events import Dialled
from appliance.call.inbound import RefusedError
from appliance.call.loops import LONGEST_MARK, MOST_MARKS, Loops, marks
from appliance.sip.message import Headers, Request

NEAR, FAR = Loops(b"near"), Loops(b"far")
CALL = Dialled("101", "", "6650", 70, None, (), way_in="trunk:hq")


def came(dialled: Dialled, *more: str) -> Request:
    """An INVITE as a trunk brings it."""
    return Request(
        "INVITE", "sip:6650@box", Headers([*marks(dialled), *(("branchbox-passed", each) for each in more)])
    )


def test_what_was_here_is_known_again() -> None:
    first = NEAR.passed(came(CALL), CALL)
    second = FAR.passed(came(first), CALL)
    assert len(set(second.passed)) == 2
    with pytest.raises(RefusedError, match="482"):
        NEAR.passed(came(second), CALL)


@pytest.mark.parametrize(("other", "value"), [("to_number", "6651"), ("way_in", "trunk:branch")])
def test_what_is_to_go_elsewhere_is_no_loop(other: str, value: str) -> None:
    """RFC 5393 §4.2: a spiral."""
    first = NEAR.passed(came(CALL), CALL)
    again = msgspec.structs.replace(CALL, **{other: value})
    assert len(NEAR.passed(came(first), again).passed) == 2


@pytest.mark.parametrize("way_in", ["", "line:carrier"])
def test_only_trunks_are_believed_and_told(way_in: str) -> None:
    dialled = msgspec.structs.replace(CALL, way_in=way_in)
    first = NEAR.passed(came(CALL), CALL)
    assert NEAR.passed(came(first), dialled) == dialled
    assert marks(dialled) == ()


def test_a_chain_without_end() -> None:
    with pytest.raises(RefusedError, match="482"):
        NEAR.passed(came(CALL, ",".join(f"{each:x}" for each in range(MOST_MARKS))), CALL)


def test_what_is_too_long_for_a_mark_goes_no_further() -> None:
    assert len(NEAR.passed(came(CALL, "x" * 60_000, "y" * LONGEST_MARK), CALL).passed) == 2


@given(st.lists(st.text("abc, ", max_size=20), max_size=5))
def test_whatever_a_peer_writes(values: list[str]) -> None:
    """It is carried on, ours behind it."""
    written = [each.strip() for value in values for each in value.split(",") if each.strip()]
    try:
        passed = NEAR.passed(came(CALL, *values), CALL).passed
    except RefusedError:
        assert len(written) >= MOST_MARKS
    else:
        assert list(passed[:-1]) == written
