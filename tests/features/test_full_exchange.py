"""Services on an exchange that has as many calls as it may have, or that ends them all."""

from __future__ import annotations

import pytest

from tests.features.crowd import Crowd
from tests.features.test_keys_and_services import press


@pytest.fixture
def crowd() -> Crowd:
    return Crowd("101", "102", "103", "104")


@pytest.mark.parametrize("how", ["refer", "##", "**"])
async def test_a_full_exchange_puts_nobody_through(crowd: Crowd, how: str) -> None:
    """They talk on; who was put through in vain before that is still called back."""
    alice, bob, carol, dave = crowd.desks
    crowd.office.exchange._max_calls = 2
    async with crowd.at_work():
        talking, bobs = await crowd.talk(alice, bob)
        others, _ = await crowd.talk(carol, dave)
        if how == "refer":
            await crowd.refer(talking, "103")
            assert talking.got["REFER"] == 503
        else:
            await press(crowd, talking, f"{how}103#")
            await crowd.waits(3)
        assert sorted(crowd.pairs()) == [("101", "102"), ("103", "104")]
        assert (carol.in_state("ringing"), bobs.state) == ([], "talking")
        await crowd.hang_up(others)
        await crowd.refer(talking, "103")
        await crowd.hang_up(talking)
        crowd.office.exchange._max_calls = 1
        await crowd.hang_up(carol.in_state("ringing")[0])
        again = await crowd.answer(alice)
        assert crowd.pairs() == [("102", "101")]
        await crowd.hang_up(again)
        assert [record.cause for record in crowd.office.records][-1] == "normal"


async def test_nobody_is_called_back_while_all_calls_end(crowd: Crowd) -> None:
    """Whoever waits for the one who asks would be in a call that nobody ends any more."""
    alice, bob, carol, _ = crowd.desks
    async with crowd.at_work():
        talking, _ = await crowd.talk(alice, bob)
        await press(crowd, talking, "**103#")
        await crowd.hang_up(talking)
        assert carol.in_state("ringing")
        crowd.office.exchange.shut_down()
        await crowd.settle()
        assert len(crowd.office.exchange) == 0
        assert [line.tag for desk in crowd.desks for line in desk] == []
