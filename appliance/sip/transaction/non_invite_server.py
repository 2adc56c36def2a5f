"""The non-INVITE server transaction: Trying, Proceeding, Completed.

RFC 3261 §17.2.2 with RFC 4320.
"""

from __future__ import annotations

from appliance.sip.transaction.machine import (
    ENDED,
    SEND,
    Inform,
    Input,
    Machine,
    StartTimer,
    State,
    StopTimer,
    Table,
)
from appliance.sip.transaction.timers import LIFETIME, T4, TRYING_AFTER

__all__ = ["NON_INVITE_SERVER", "NON_INVITE_SERVER_RELIABLE"]

TRYING, PROCEEDING, COMPLETED, TERMINATED = (
    State.TRYING,
    State.PROCEEDING,
    State.COMPLETED,
    State.TERMINATED,
)

START_F = StartTimer(Input.TIMER_F, LIFETIME)
STOP_F = StopTimer(Input.TIMER_F)
START_TRYING = StartTimer(Input.TIMER_TRYING, TRYING_AFTER)
START_J = StartTimer(Input.TIMER_J, LIFETIME)
ABSORB_LAST = StartTimer(Input.TIMER_J, T4)

TABLE: Table = {
    # §17.2.2: in Trying, repetitions of the request are discarded.
    (TRYING, Input.REQUEST): (TRYING, ()),
    # In Proceeding they get the most recent provisional response again.
    (TRYING, Input.PROVISIONAL): (PROCEEDING, (SEND,)),
    (PROCEEDING, Input.PROVISIONAL): (PROCEEDING, (SEND,)),
    (PROCEEDING, Input.REQUEST): (PROCEEDING, (SEND,)),
    # RFC 4320 §4.2: the client gives up when its timer F fires; after that no response may be sent. We
    # reckon with that timer here, so that a request its user forgets is forgotten altogether.
    (TRYING, Input.DEFERRED): (TRYING, (START_F, START_TRYING)),
    (PROCEEDING, Input.DEFERRED): (PROCEEDING, (START_F,)),
    # Its last repetition may be under way for T4 still, and must not pass for a new request.
    (TRYING, Input.TIMER_F): (COMPLETED, (ABSORB_LAST,)),
    (PROCEEDING, Input.TIMER_F): (COMPLETED, (ABSORB_LAST,)),
    # RFC 4320 §4.1: once the client repeats its request every T2 alone, it MUST get a 100, which is what is sent
    # while nothing is stored. Where the user has said something by then the timer means nothing.
    (TRYING, Input.TIMER_TRYING): (PROCEEDING, (SEND,)),
    (PROCEEDING, Input.TIMER_TRYING): (PROCEEDING, ()),
    (COMPLETED, Input.TIMER_TRYING): (COMPLETED, ()),
    # RFC 6026 §8.8: an error in sending is told to the user, and the state stays.
    (TRYING, Input.TRANSPORT_ERROR): (TRYING, (Inform("transport"),)),
    (PROCEEDING, Input.TRANSPORT_ERROR): (PROCEEDING, (Inform("transport"),)),
    # The final response is sent, and again for each repetition until timer J fires.
    (TRYING, Input.SUCCESS): (COMPLETED, (SEND, STOP_F, START_J)),
    (TRYING, Input.FAILURE): (COMPLETED, (SEND, STOP_F, START_J)),
    (PROCEEDING, Input.SUCCESS): (COMPLETED, (SEND, STOP_F, START_J)),
    (PROCEEDING, Input.FAILURE): (COMPLETED, (SEND, STOP_F, START_J)),
    (COMPLETED, Input.REQUEST): (COMPLETED, (SEND,)),
    # §17.2.2: any other final response from the user is discarded.
    (COMPLETED, Input.SUCCESS): (COMPLETED, ()),
    (COMPLETED, Input.FAILURE): (COMPLETED, ()),
    (COMPLETED, Input.TRANSPORT_ERROR): (COMPLETED, ()),
    (COMPLETED, Input.TIMER_J): (TERMINATED, (ENDED,)),
    # RFC 4320 §4.2: too late. Over a reliable transport this is also Completed, which lasts 0 s there.
    (TERMINATED, Input.PROVISIONAL): (TERMINATED, ()),
    (TERMINATED, Input.SUCCESS): (TERMINATED, ()),
    (TERMINATED, Input.FAILURE): (TERMINATED, ()),
}

NON_INVITE_SERVER = Machine("non-INVITE server transaction", TRYING, (), TABLE)
NON_INVITE_SERVER_RELIABLE = NON_INVITE_SERVER.over_reliable_transport()
