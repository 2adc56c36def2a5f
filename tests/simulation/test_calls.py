"""The SIP side of the exchange among phones with moods, under bad weather: calls come about, nothing is left, all is recorded.

RFC 3261 as a whole, RFC 5407 (races). Not tested here: sound, trunks.

Set-up success is the share of wanted attempts that became established. An attempt is *wanted* when an extension that exists,
and not the caller's own, was dialled; when somebody at one of its phones means to answer (within 15 s) and nobody at any of them
means to decline for all (603); when neither the caller nor the callee is hasty, that is gives up or hangs up before they have
heard one another; and when nothing but the weather was in the way: from the first INVITE until the attempt's end neither the
caller's phone nor any of the callee's was parted from the exchange or lost its power, or was still without the connection that
it had lost by that, and the administrator did not hang up. All but the last two is settled when the number is dialled, without
regard to what the exchange makes of it. The attempt is *established* when the caller's phone saw a 200 and the phone that
answered got the ACK of its own. Whatever else goes wrong counts against it: a lost registration, a challenge that never came, a
phone that rang for too long, an ACK that went missing until somebody lost patience.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from tests.simulation.network import Weather
from tests.simulation.office import EXTENSIONS, Office

CALLS = 2_000
"Some more are made, by people who call one another. A run of it takes some ten seconds."

FIXED = 1
FRESH = int(os.environ.get("BRANCHBOX_SEED") or random.SystemRandom().getrandbits(32))
"Another one for each run; BRANCHBOX_SEED repeats one that was printed."


def rough(loss: float) -> Weather:
    return Weather(loss=loss, duplication=0.1, reordering=0.1, delay=(0.001, 0.1))


@pytest.mark.timeout(300)  # two thousand calls, on a machine that may have much else to do
@pytest.mark.parametrize(("loss", "least"), [(0.05, 0.999), (0.1, 0.99), (0.3, 0.95)])
@pytest.mark.parametrize("seed", [FIXED, FRESH], ids=["fixed", "fresh"])
async def test_a_day_in_bad_weather(
    seed: int, loss: float, least: float, record_property: Callable[[str, object], None]
) -> None:
    print(f"seed {seed}")  # noqa: T201  # pytest shows it when the run fails
    office = Office(seed, rough(loss), CALLS, parting=0.02)
    await office.day()
    wanted, success = office.wanted, office.success
    record_property(
        "told",
        f"seed {seed}, loss {loss:.0%}: {len(office.attempts)} calls, {success:.2%} of {len(wanted)} set up",
    )
    office.check()
    assert len(office.attempts) >= CALLS
    assert len(wanted) > CALLS / 3
    failed = [(attempt.key, attempt.story) for attempt in wanted if not attempt.established]
    assert success >= least, failed
    check_life(office)


def check_life(office: Office) -> None:
    """There was weather, and life in the office."""
    assert office.network.lost > 0
    causes = Counter(record.cause for record in office.records)
    assert causes.keys() >= {
        "normal", "busy", "cancelled", "not_found", "no_answer", "refused", "unavailable", "administrator", "lost",
    }  # fmt: skip
    done = sum((phone.results for phone in office.phones), Counter())
    assert min(done["told reliably"], done["PRACK 200"], done["UPDATE 200"], done["re-INVITE 200"]) > 100
    # Crossings: re-INVITEs that met, both sides that hung up, a CANCEL that met the answer.
    assert min(done["re-INVITE 491"], done["BYE crossed"], done["CANCEL crossed"]) > 0


@pytest.mark.timeout(120)
async def test_a_fair_day() -> None:
    office = Office(99, Weather(), 500)
    await office.day()
    office.check()
    assert office.success == 1.0
    # Nothing fails that nobody wanted to fail; the phones whose power was cut are lost or silent.
    causes = Counter(record.cause for record in office.records)
    assert causes["failed"] == causes["media"] == causes["loop"] == causes["not_registered"] == 0


async def test_stop_in_the_middle_of_the_day() -> None:
    office = Office(7, rough(0.1), 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(office.clock.run, name="clock")
        await office.open()
        for phone in office.phones * 2:
            office.call(phone, office.chance.choice(EXTENSIONS))
        await anyio.sleep(6)
        assert len(office.exchange) > 10
        office.exchange.shut_down()
        assert office.exchange.calls() == []
        assert office.relay.open_ports == 0
        assert "shutdown" in {record.cause for record in office.records}
        await office.close()
        tasks.cancel_scope.cancel()
    office.check()
