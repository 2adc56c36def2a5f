"""appliance/lines/keep_open.py: a line behind a NAT stays reachable between two REGISTERs. RFC 5626 §4.4; by hand-turned time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from appliance.lines.keep_open import is_behind_nat
from appliance.sip.transport.flow import Address, Flow
from tests.lines.carrier import account, carrier

SEEN: dict[str, Any] = {"received": "203.0.113.5", "rport": 41000}


def pauses(kept: list[tuple[float, Flow]], since: float) -> list[float]:
    times = [since, *(at for at, _ in kept)]
    return [later - earlier for earlier, later in pairwise(times)]


async def test_behind_a_nat_the_way_is_kept_open() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), 3600, **SEEN)
        begun = it.timers.time
        await it.wait(300)
        assert 10 <= len(it.kept) <= 13
        assert all(23 <= pause <= 29 for pause in pauses(it.kept, begun))
        assert len(set(pauses(it.kept, begun))) == len(it.kept), "not all boxes at the same moment"
        assert {flow for _, flow in it.kept} == {it.line.flow}
        assert it.take() == [], "it costs the carrier no answer"


async def test_it_goes_on_after_a_refresh_and_ends_with_the_registration() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), **SEEN)
        for _ in range(3):
            await it.next_try()
            await it.accept(await it.request(), **SEEN)
        begun = it.kept[0][0]
        assert all(23 <= pause <= 29 for pause in pauses(it.kept[1:], begun)), "a refresh does not put it off"
        it.line.stop()
        await it.wait(10)
        it.kept.clear()
        await it.wait(300)
        assert it.kept == []


@pytest.mark.parametrize("seen", [{}, {"received": "192.0.2.1", "rport": 5060}])
async def test_where_no_nat_is_known_of_nothing_is_sent(seen: dict[str, Any]) -> None:
    async with carrier() as it:
        await it.accept(await it.start(), **seen)
        await it.wait(200)
        assert it.kept == []


async def test_a_nat_that_is_gone_needs_it_no_more() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), **SEEN)
        await it.next_try()
        it.kept.clear()
        await it.accept(await it.request(), received="192.0.2.1", rport=5060)
        await it.wait(200)
        assert it.kept == []


async def test_a_connection_needs_it_less_often_and_not_after_its_end() -> None:
    async with carrier(account(transport="tcp", server="198.51.100.1")) as it:
        await it.accept(await it.start(), 3600, **SEEN)
        begun = it.timers.time
        await it.wait(600)
        assert 5 <= len(it.kept) <= 6
        assert all(96 <= pause <= 120 for pause in pauses(it.kept, begun))
        flow = it.line.flow
        assert flow is not None
        it.wire.broken.add(flow)
        await it.wait(130)
        assert it.status == "registered", "nobody has said that it is lost"
        it.line.connection_lost(flow)
        it.wire.broken.clear()
        it.kept.clear()
        await it.next_try()
        await it.accept(await it.request(), **SEEN)
        await it.wait(130)
        assert {each for _, each in it.kept} == {it.line.flow}
        assert it.line.flow != flow


UDP = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.1", 5060))
TCP = Flow("tcp", ("192.0.2.1", 5060), ("198.51.100.1", 5060), 1)


@pytest.mark.parametrize(
    ("flow", "seen_at", "behind"),
    [
        (UDP, None, False),
        (UDP, ("192.0.2.1", 5060), False),
        (UDP, ("192.0.2.1", 5061), True),
        (UDP, ("203.0.113.5", 5060), True),
        (TCP, ("192.0.2.1", 41000), False),
        (TCP, ("203.0.113.5", 41000), True),
    ],
)
def test_who_is_behind_a_nat(flow: Flow, seen_at: Address | None, behind: bool) -> None:
    assert is_behind_nat(flow, seen_at) is behind
