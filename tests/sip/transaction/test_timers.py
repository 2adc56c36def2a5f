"""appliance/sip/transaction/timers.py: RFC 3261 §17.1.1.1, §17.1.2.2, and the table of its appendix A."""

from __future__ import annotations

from itertools import accumulate

from appliance.sip.transaction.timers import LIFETIME, T1, T2, T4, WAIT_D


def test_the_defaults_of_the_table() -> None:
    assert (T1, T2, T4) == (0.5, 4.0, 5.0)
    # Timers B, F, H and J; RFC 6026 §7.1: L and M.
    assert LIFETIME == 64 * T1
    # Timer D: more than 32 s over UDP would do as well.
    assert WAIT_D >= 32


def test_an_invite_is_sent_seven_times() -> None:
    # §17.1.1.2: 64*T1 is the time that seven requests take, the first at once and one whenever timer A fires.
    sent = [0.0, *accumulate(T1 * 2**n for n in range(10))]
    assert [at for at in sent if at < LIFETIME] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_another_request_is_sent_eleven_times() -> None:
    # §17.1.2.2: at intervals of 500 ms, 1 s, 2 s, 4 s, 4 s, and so on.
    sent = [0.0, *accumulate(min(T1 * 2**n, T2) for n in range(20))]
    assert len([at for at in sent if at < LIFETIME]) == 11
