"""appliance/clock.py: timers run in order, once, and neither errors nor cancelled ones disturb the rest."""

from __future__ import annotations

import logging

import anyio
import pytest

from appliance.clock import Clock, TimerHeap


def test_timers_come_out_in_the_order_in_which_they_are_due() -> None:
    heap = TimerHeap()
    ran: list[str] = []
    for due, name in ((3.0, "c"), (1.0, "a"), (2.0, "b"), (1.0, "a2")):
        heap.add(due, lambda name=name: ran.append(name))  # type: ignore[misc]  # mypy cannot infer the default
    while callback := heap.pop_due(2.0):
        callback()
    assert ran == ["a", "a2", "b"]
    assert heap.next_due() == 3.0


def test_a_cancelled_timer_never_runs_and_takes_no_room() -> None:
    heap = TimerHeap()
    for _ in range(10 * TimerHeap.SWEEP_FLOOR):
        heap.add(1.0, lambda: None).cancel()
    assert len(heap) == 0
    assert len(heap._heap) <= TimerHeap.SWEEP_FLOOR + 1
    assert heap.pop_due(5.0) is None


async def test_the_clock_runs_what_is_due_and_survives_a_failing_callback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    ran: list[tuple[str, float]] = []
    done = anyio.Event()
    start = clock.now()

    def fail() -> None:
        msg = "a defect"
        raise ValueError(msg)

    def note(name: str) -> None:
        ran.append((name, round(clock.now() - start, 3)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run, name="clock")
        clock.after(32.0, done.set)
        clock.after(0.5, fail)
        await anyio.sleep(0.1)
        clock.after(0.2, lambda: note("added while the clock slept"))
        clock.after(1.0, lambda: note("after the failure"))
        await done.wait()
        tasks.cancel_scope.cancel()
    assert ran == [("added while the clock slept", 0.3), ("after the failure", 1.1)]
    assert clock.pending == 0
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
