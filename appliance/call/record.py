"""The record of a call: made when it ends, one for every call that was let in, answered or not."""

from __future__ import annotations

__all__ = ["CallRecord", "make_record", "record_refused"]

from typing import TYPE_CHECKING

from appliance.store.records import RecordRow as CallRecord
from appliance.store.records import RecordStep

if TYPE_CHECKING:
    from appliance.call.call import Call
    from appliance.call.cause import Ending
    from appliance.call.events import Dialled, Diverted


def make_record(call: Call, ending: Ending, ended_by: str, ended_at: float, duration: float) -> CallRecord:
    """What is kept of a call that ends at `ended_at`, seconds since 1970, after `duration` seconds of talk."""
    answered_at = call.answered_at
    return CallRecord(
        id=call.id,
        started_at=call.started_at,
        answered_at=answered_at,
        # The clock may have been set back meanwhile: no call ends before it began.
        ended_at=max(ended_at, answered_at or call.started_at),
        from_number=call.dialled.from_number,
        from_name=call.dialled.from_name,
        to_number=call.dialled.to_number,
        answered_by=call.answered_by or None,
        duration=duration,
        status=ending.status if answered_at is None else 200,
        cause=ending.cause.value,
        ended_by=ended_by,
        way_in=call.dialled.way_in,
        way_out=call.calling.trying.way_out,
        steps=_steps(call.calling.trying.steps),
        emergency=call.calling.trying.emergency,
    )


def record_refused(
    call_id: str,
    dialled: Dialled,
    ending: Ending,
    at: float,
    steps: tuple[Diverted, ...] = (),
    *,
    emergency: bool = False,
) -> CallRecord:
    """What is kept of a call that was refused before anything rang."""
    return CallRecord(
        id=call_id,
        started_at=at,
        ended_at=at,
        from_number=dialled.from_number,
        from_name=dialled.from_name,
        to_number=dialled.to_number,
        duration=0.0,
        status=ending.status,
        cause=ending.cause.value,
        ended_by="system",
        way_in=dialled.way_in,
        steps=_steps(steps),
        emergency=emergency,
    )


def _steps(steps: tuple[Diverted, ...]) -> tuple[RecordStep, ...]:
    return tuple(RecordStep(each.by, each.to, each.reason) for each in steps)
