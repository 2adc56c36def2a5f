"""What failed is tried last for a while. RFC 3263 §4.3, RFC 3261 §20.33."""

from __future__ import annotations

import pytest

from appliance.sip.message import Headers, Response
from appliance.sip.transport import failed_targets
from appliance.sip.transport.failed_targets import FAILED_FOR, MAX_RETRY_AFTER, FailedTargets, retry_after
from appliance.sip.transport.locate import Target

A, B, C = (Target("udp", (f"192.0.2.{number}", 5060), "example.com") for number in (1, 2, 3))


def test_the_others_go_first_until_its_time_is_over() -> None:
    failed = FailedTargets()
    failed.note(A, 0.0)
    failed.note(B, 0.0, 10.0)
    assert failed.order([A, B, C], 1.0) == [C, B, A]
    assert failed.order([A, B, C], 10.0) == [B, C, A]
    assert failed.order([A, B, C], FAILED_FOR) == [A, B, C]


def test_one_that_answers_is_itself_again() -> None:
    failed = FailedTargets()
    failed.note(A, 0.0)
    failed.works(A)
    failed.works(B)
    assert failed.order([A, B], 1.0) == [A, B]


def test_nobody_is_left_out_for_long() -> None:
    failed = FailedTargets()
    failed.note(A, 0.0, 1e9)
    assert failed.order([A, B], MAX_RETRY_AFTER - 1) == [B, A]
    assert failed.order([A, B], MAX_RETRY_AFTER) == [A, B]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_targets, "MAX_FAILED", 2)
    failed = FailedTargets()
    for target in (A, B, C):
        failed.note(target, 0.0)
    assert failed.order([C, B, A], 1.0) == [A, C, B]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("18000;duration=3600", 18000.0),
        ("120 (I'm in a meeting)", 120.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    headers = Headers() if value is None else Headers([("Retry-After", value)])
    assert retry_after(Response(503, None, headers)) == seconds
