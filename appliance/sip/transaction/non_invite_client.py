"""The non-INVITE client transaction: Trying, Proceeding, Completed.

RFC 3261 §17.1.2.
"""

from __future__ import annotations

from appliance.sip.transaction.machine import (
    ENDED,
    PASS_UP,
    SEND,
    Backoff,
    Inform,
    Input,
    Machine,
    StartTimer,
    State,
    StopTimer,
    Table,
)
from appliance.sip.transaction.timers import LIFETIME, T1, T2, T4

__all__ = ["NON_INVITE_CLIENT", "NON_INVITE_CLIENT_RELIABLE"]

TRYING, PROCEEDING, COMPLETED, TERMINATED = (
    State.TRYING,
    State.PROCEEDING,
    State.COMPLETED,
    State.TERMINATED,
)

START_E = StartTimer(Input.TIMER_E, T1)
START_F = StartTimer(Input.TIMER_F, LIFETIME)
START_K = StartTimer(Input.TIMER_K, T4)
FINISH = (StopTimer(Input.TIMER_E), StopTimer(Input.TIMER_F), START_K, PASS_UP)

TABLE: Table = {
    # §17.1.2.2: timer E repeats the request at intervals that double up to T2.
    (TRYING, Input.TIMER_E): (TRYING, (SEND, Backoff(Input.TIMER_E, T2))),
    # In Proceeding the request is repeated every T2 still: the final response may have been lost.
    (PROCEEDING, Input.TIMER_E): (PROCEEDING, (SEND, StartTimer(Input.TIMER_E, T2))),
    # Timer F in either state: the user is told. RFC 4320 §4.1: this is no 408 that anybody sent.
    (TRYING, Input.TIMER_F): (TERMINATED, (ENDED, Inform("timeout"))),
    (PROCEEDING, Input.TIMER_F): (TERMINATED, (ENDED, Inform("timeout"))),
    # §17.1.4: a transport error is told to the user and ends the transaction.
    (TRYING, Input.TRANSPORT_ERROR): (TERMINATED, (ENDED, Inform("transport"))),
    (PROCEEDING, Input.TRANSPORT_ERROR): (TERMINATED, (ENDED, Inform("transport"))),
    (TRYING, Input.PROVISIONAL): (PROCEEDING, (PASS_UP,)),
    (PROCEEDING, Input.PROVISIONAL): (PROCEEDING, (PASS_UP,)),
    # A final response goes up once; timer K absorbs its repetitions.
    (TRYING, Input.SUCCESS): (COMPLETED, FINISH),
    (TRYING, Input.FAILURE): (COMPLETED, FINISH),
    (PROCEEDING, Input.SUCCESS): (COMPLETED, FINISH),
    (PROCEEDING, Input.FAILURE): (COMPLETED, FINISH),
    (COMPLETED, Input.PROVISIONAL): (COMPLETED, ()),
    (COMPLETED, Input.SUCCESS): (COMPLETED, ()),
    (COMPLETED, Input.FAILURE): (COMPLETED, ()),
    (COMPLETED, Input.TRANSPORT_ERROR): (COMPLETED, ()),
    (COMPLETED, Input.TIMER_K): (TERMINATED, (ENDED,)),
}

NON_INVITE_CLIENT = Machine("non-INVITE client transaction", TRYING, (SEND, START_E, START_F), TABLE)
NON_INVITE_CLIENT_RELIABLE = NON_INVITE_CLIENT.over_reliable_transport()
