"""appliance/sip/usage_timers.py: at most one timer of each name."""

from __future__ import annotations

from appliance.sip.dialog.subscription import SubscriptionTimer
from appliance.sip.usage_timers import UsageTimers
from tests.sip.wire import HandTimers

N, REFRESH = SubscriptionTimer.N, SubscriptionTimer.REFRESH


def test_one_of_each_name() -> None:
    clock = HandTimers()
    fired: list[SubscriptionTimer] = []
    timers = UsageTimers(clock, fired.append)
    timers.start(N, 5)
    timers.start(REFRESH, 3)
    timers.start(N, 1)  # instead of the first
    clock.wait(2)
    assert fired == [N]
    timers.stop(REFRESH)
    timers.stop(REFRESH)
    timers.stop(N)
    clock.wait(10)
    assert (fired, len(clock.heap)) == ([N], 0)


def test_one_that_starts_itself_again() -> None:
    clock = HandTimers()
    fired: list[float] = []

    def again(timer: SubscriptionTimer) -> None:
        fired.append(clock.now())
        if len(fired) < 3:
            timers.start(timer, 2)

    timers = UsageTimers(clock, again)
    timers.start(N, 2)
    clock.wait(20)
    assert fired == [1002, 1004, 1006]
