"""The INVITE client transaction: Calling, Proceeding, Completed, Accepted.

RFC 3261 §17.1.1 with RFC 6026 §7.2 and §8.4.
"""

from __future__ import annotations

from appliance.sip.transaction.machine import (
    ENDED,
    PASS_UP,
    SEND,
    SEND_ACK,
    Backoff,
    Inform,
    Input,
    Machine,
    StartTimer,
    State,
    StopTimer,
    Table,
)
from appliance.sip.transaction.timers import LIFETIME, T1, WAIT_D

__all__ = ["INVITE_CLIENT", "INVITE_CLIENT_RELIABLE"]

CALLING, PROCEEDING, COMPLETED = State.CALLING, State.PROCEEDING, State.COMPLETED
ACCEPTED, TERMINATED = State.ACCEPTED, State.TERMINATED

START_A = StartTimer(Input.TIMER_A, T1)
START_B = StartTimer(Input.TIMER_B, LIFETIME)
START_D = StartTimer(Input.TIMER_D, WAIT_D)
START_M = StartTimer(Input.TIMER_M, LIFETIME)
STOP_A, STOP_B = StopTimer(Input.TIMER_A), StopTimer(Input.TIMER_B)

TABLE: Table = {
    # §17.1.1.2: timer A repeats the INVITE at intervals that double after each transmission.
    (CALLING, Input.TIMER_A): (CALLING, (SEND, Backoff(Input.TIMER_A, LIFETIME))),
    # Timer B in Calling: nobody ever answered. The user is told; no ACK is made.
    (CALLING, Input.TIMER_B): (TERMINATED, (ENDED, Inform("timeout"))),
    # §17.1.4: a transport error is told to the user and ends the transaction.
    (CALLING, Input.TRANSPORT_ERROR): (TERMINATED, (ENDED, Inform("transport"))),
    # §9.1: no CANCEL before a provisional response; the endpoint keeps it until then.
    (CALLING, Input.CANCEL): (CALLING, ()),
    # A provisional response ends the repetition and goes up; from now on the user sets the time limit.
    (CALLING, Input.PROVISIONAL): (PROCEEDING, (STOP_A, STOP_B, PASS_UP)),
    (PROCEEDING, Input.PROVISIONAL): (PROCEEDING, (PASS_UP,)),
    # §9.1: an INVITE without a final response 64*T1 after its CANCEL counts as cancelled. Timer B has
    # done its work in this state, so the name is free.
    (PROCEEDING, Input.CANCEL): (PROCEEDING, (START_B,)),
    (PROCEEDING, Input.TIMER_B): (TERMINATED, (ENDED, Inform("timeout"))),
    # §17.1.4 speaks of errors in sending; a connection that dies here cannot bring the answer either.
    (PROCEEDING, Input.TRANSPORT_ERROR): (TERMINATED, (ENDED, Inform("transport"))),
    # RFC 6026 §7.2: a 2xx leads to Accepted, where timer M runs, over every transport.
    (CALLING, Input.SUCCESS): (ACCEPTED, (STOP_A, STOP_B, START_M, PASS_UP)),
    (PROCEEDING, Input.SUCCESS): (ACCEPTED, (STOP_B, START_M, PASS_UP)),
    # Accepted: each 2xx goes up, repeated or from another branch of a fork: the user sends their ACKs.
    (ACCEPTED, Input.SUCCESS): (ACCEPTED, (PASS_UP,)),
    (ACCEPTED, Input.PROVISIONAL): (ACCEPTED, ()),
    (ACCEPTED, Input.FAILURE): (ACCEPTED, ()),
    (ACCEPTED, Input.CANCEL): (ACCEPTED, ()),
    # Nothing is sent in Accepted; a new connection may still bring another branch's 2xx.
    (ACCEPTED, Input.TRANSPORT_ERROR): (ACCEPTED, ()),
    (ACCEPTED, Input.TIMER_M): (TERMINATED, (ENDED,)),
    # §17.1.1.2: a response from 300 to 699 is acknowledged here and goes up once.
    (CALLING, Input.FAILURE): (COMPLETED, (STOP_A, STOP_B, SEND_ACK, START_D, PASS_UP)),
    (PROCEEDING, Input.FAILURE): (COMPLETED, (STOP_B, SEND_ACK, START_D, PASS_UP)),
    # Completed: a repeated final response gets the ACK again and must not go up.
    (COMPLETED, Input.FAILURE): (COMPLETED, (SEND_ACK,)),
    (COMPLETED, Input.PROVISIONAL): (COMPLETED, ()),
    (COMPLETED, Input.SUCCESS): (COMPLETED, ()),
    (COMPLETED, Input.CANCEL): (COMPLETED, ()),
    # §17.1.1.2 would tell the user of an ACK that could not be sent. It has its final response, and the
    # peer repeats that response if it missed the ACK: so we wait on instead.
    (COMPLETED, Input.TRANSPORT_ERROR): (COMPLETED, ()),
    (COMPLETED, Input.TIMER_D): (TERMINATED, (ENDED,)),
}

INVITE_CLIENT = Machine("INVITE client transaction", CALLING, (SEND, START_A, START_B), TABLE)
INVITE_CLIENT_RELIABLE = INVITE_CLIENT.over_reliable_transport()
