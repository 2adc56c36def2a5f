"""The INVITE server transaction: Proceeding, Completed, Confirmed, Accepted.

RFC 3261 §17.2.1 with RFC 6026 §7.1, §8.5 and §8.7. The 100 (Trying) is the endpoint's: it sends one when the
user has not answered by the time it returns, which is sooner than the 200 ms the RFC allows.
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

__all__ = ["INVITE_SERVER", "INVITE_SERVER_RELIABLE"]

PROCEEDING, COMPLETED, CONFIRMED = State.PROCEEDING, State.COMPLETED, State.CONFIRMED
ACCEPTED, TERMINATED = State.ACCEPTED, State.TERMINATED

START_G = StartTimer(Input.TIMER_G, T1)
START_H = StartTimer(Input.TIMER_H, LIFETIME)
START_I = StartTimer(Input.TIMER_I, T4)
START_L = StartTimer(Input.TIMER_L, LIFETIME)
STOP_G, STOP_H = StopTimer(Input.TIMER_G), StopTimer(Input.TIMER_H)

TABLE: Table = {
    # §17.2.1: a repeated INVITE gets the most recent provisional response again.
    (PROCEEDING, Input.REQUEST): (PROCEEDING, (SEND,)),
    (PROCEEDING, Input.PROVISIONAL): (PROCEEDING, (SEND,)),
    # No final response stands that an ACK could be for.
    (PROCEEDING, Input.ACK): (PROCEEDING, ()),
    # RFC 6026 §8.8: an error in sending is told to the user, and the state stays.
    (PROCEEDING, Input.TRANSPORT_ERROR): (PROCEEDING, (Inform("transport"),)),
    # RFC 6026 §7.1: a 2xx leads to Accepted, where timer L runs, over every transport. The user repeats
    # the 2xx until its ACK comes (§13.3.1.4), since only it sees that ACK.
    (PROCEEDING, Input.SUCCESS): (ACCEPTED, (SEND, START_L)),
    (ACCEPTED, Input.SUCCESS): (ACCEPTED, (SEND,)),
    # A repeated INVITE is absorbed: the user's own repetition of the 2xx answers it.
    (ACCEPTED, Input.REQUEST): (ACCEPTED, ()),
    # An ACK that matches, as those of RFC 2543 peers do, goes up.
    (ACCEPTED, Input.ACK): (ACCEPTED, (PASS_UP,)),
    (ACCEPTED, Input.TRANSPORT_ERROR): (ACCEPTED, (Inform("transport"),)),
    (ACCEPTED, Input.TIMER_L): (TERMINATED, (ENDED,)),
    # §17.2.1: a response from 300 to 699 is repeated by timer G until an ACK comes or timer H fires.
    (PROCEEDING, Input.FAILURE): (COMPLETED, (SEND, START_G, START_H)),
    (COMPLETED, Input.TIMER_G): (COMPLETED, (SEND, Backoff(Input.TIMER_G, T2))),
    (COMPLETED, Input.REQUEST): (COMPLETED, (SEND,)),
    (COMPLETED, Input.TIMER_H): (TERMINATED, (ENDED, Inform("timeout"))),
    # The next repetition may arrive; if none does, timer H tells the user.
    (COMPLETED, Input.TRANSPORT_ERROR): (COMPLETED, ()),
    # The ACK ends the repetition; timer I absorbs more ACKs.
    (COMPLETED, Input.ACK): (CONFIRMED, (STOP_G, STOP_H, START_I)),
    (CONFIRMED, Input.ACK): (CONFIRMED, ()),
    # An INVITE that was overtaken by its own ACK.
    (CONFIRMED, Input.REQUEST): (CONFIRMED, ()),
    (CONFIRMED, Input.TRANSPORT_ERROR): (CONFIRMED, ()),
    (CONFIRMED, Input.TIMER_I): (TERMINATED, (ENDED,)),
    # A user that repeats its 2xx just when timer L fires is too late by nobody's fault.
    (TERMINATED, Input.SUCCESS): (TERMINATED, ()),
}

INVITE_SERVER = Machine("INVITE server transaction", PROCEEDING, (), TABLE)
INVITE_SERVER_RELIABLE = INVITE_SERVER.over_reliable_transport()
