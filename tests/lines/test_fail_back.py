"""appliance/lines/fail_back.py: a line comes back to the server that DNS would rather have. Time is turned by hand.

RFC 3263 §4.3, RFC 2782.
"""

from __future__ import annotations

import pytest

from appliance.lines.fail_back import AFTER, SOON
from appliance.sip.message import Request
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Srv
from tests.lines.carrier import Carrier, Zone, carrier

FIRST, SECOND = "198.51.100.1", "198.51.100.2"


def is_dead(it: Carrier, host: str) -> None:
    """What was sent there comes back: nobody listens."""
    it.take()
    it.wire.endpoint.flow_failed(Flow("udp", ("192.0.2.1", 5060), (host, 5060)))


async def is_silent(it: Carrier) -> None:
    """What was sent is sent again and again (timer F), until the next one is asked."""
    await it.wait(31.9)
    it.take()
    await it.wait(0.1)


async def at_the_second(it: Carrier, expires: int = 3600) -> None:
    await it.start()
    is_dead(it, FIRST)
    await it.accept(await it.request(), expires)
    assert it.flow.remote[0] == SECOND


async def asks(it: Carrier, host: str) -> Request:
    """The request that it sends now, and to whom."""
    request = await it.request()
    assert it.flow.remote[0] == host
    return request


async def test_a_first_server_that_is_back_is_used_again() -> None:
    async with carrier() as it:
        await at_the_second(it)
        assert await it.next_try() >= AFTER
        await it.accept(await asks(it, FIRST), 3600)
        assert it.line.flow is not None
        assert (it.status, it.line.flow.remote[0]) == ("registered", FIRST)
        await it.next_try()
        await asks(it, FIRST)


async def test_a_line_stays_where_it_is_for_a_while() -> None:
    async with carrier() as it:
        await at_the_second(it, 300)
        begun = it.timers.time
        hosts: list[tuple[float, str]] = []
        while not hosts or hosts[-1][1] == SECOND:
            await it.next_try()
            request = await it.request()
            hosts.append((it.timers.time - begun, it.flow.remote[0]))
            await it.accept(request, 300)
        assert all(at < AFTER for at, _ in hosts[:-1])
        assert hosts[-1][0] >= AFTER


@pytest.mark.parametrize("silent", [True, False])
async def test_a_first_server_that_is_dead_still_costs_nothing(silent: bool) -> None:
    async with carrier() as it:
        await at_the_second(it)
        for _ in range(3):
            await it.next_try()
            await asks(it, FIRST)
            if silent:
                await is_silent(it)
            else:
                is_dead(it, FIRST)
            await it.accept(await asks(it, SECOND), 3600)
            assert it.status == "registered"
        assert [state.status for state in it.told].count("unreachable") == 0


@pytest.mark.parametrize("status", [500, 403, 302, 408])
async def test_a_first_server_that_does_not_want_us_changes_nothing(status: int) -> None:
    async with carrier() as it:
        await at_the_second(it)
        told = len(it.told)
        await it.next_try()
        await it.say(await asks(it, FIRST), status)
        await it.accept(await asks(it, SECOND), 3600)
        assert {state.status for state in it.told[told:]} == {"registered"}
        await it.next_try()
        await it.accept(await asks(it, FIRST), 3600)


async def test_what_the_server_that_knows_us_says_counts() -> None:
    async with carrier() as it:
        await at_the_second(it)
        await it.next_try()
        await it.say(await asks(it, FIRST), 500)
        await it.say(await asks(it, SECOND), 403)
        assert (it.status, it.cause) == ("refused", "forbidden")


async def test_between_equals_there_is_nothing_to_come_back_to() -> None:
    zone = Zone()
    zone.srvs["_sip._udp.carrier.example"] = [
        Srv(1, 10, 5060, f"s{number}.carrier.example") for number in (1, 2, 3)
    ]
    async with carrier(zone=zone) as it:
        await it.start()
        dead = it.flow.remote[0]
        is_dead(it, dead)
        await it.accept(await it.request(), 3600)
        here = it.flow.remote[0]
        assert here != dead
        for _ in range(5):
            await it.next_try()
            await it.accept(await asks(it, here), 3600)


async def test_a_registration_of_a_minute_asks_when_it_has_time_to_wait() -> None:
    """Half a minute before its end it has not: the first server may be silent for 32 s."""
    async with carrier() as it:
        await at_the_second(it, 60)
        begun = it.timers.time
        while (pause := await it.next_try()) > SOON:
            await it.accept(await asks(it, SECOND), 60)
        assert it.timers.time - begun >= AFTER
        await asks(it, FIRST)
        await is_silent(it)
        await it.accept(await asks(it, SECOND), 60)
        assert it.status == "registered"
        assert pause == SOON
        assert await it.next_try() > SOON, "the next time in ten minutes"
        await asks(it, SECOND)


async def test_who_asked_to_be_left_alone_is_left_alone() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 503, ("Retry-After", "3000"))
        await it.accept(await asks(it, SECOND), 1300)
        begun = it.timers.time
        while True:
            await it.next_try()
            request = await it.request()
            if it.timers.time - begun >= 3000:
                assert it.flow.remote[0] == FIRST
                break
            assert it.flow.remote[0] == SECOND
            await it.accept(request, 1300)
