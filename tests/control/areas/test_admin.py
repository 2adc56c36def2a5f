"""Area `admin`: who gets in, and how hard it is for anybody else. Time is virtual."""

from __future__ import annotations

import anyio
import pytest

from appliance.errors import ConfigError
from tests.control.fakes import Bench

PASSWORD = "correct horse"
REMOTE = "web:192.0.2.7"


async def set_up(bench: Bench) -> None:
    code = (await bench("admin", "new-code"))["code"]
    await bench("admin", "set-up", actor=REMOTE, code=code, password=PASSWORD)


async def refusal(bench: Bench, verb: str, actor: str = REMOTE, **values: str) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        await bench("admin", verb, actor=actor, **values)
    return refused.value


async def test_a_code_sets_the_first_password_once(bench: Bench) -> None:
    assert not (await bench("status", "show"))["set_up"]
    code = (await bench("admin", "new-code"))["code"]
    typed = code.lower().replace("-", " ")
    await bench("admin", "set-up", actor=REMOTE, code=typed, password=PASSWORD)
    assert (await bench("status", "show"))["set_up"]
    assert await bench("admin", "log-in", actor=REMOTE, password=PASSWORD) == {"name": "admin"}
    again = await refusal(bench, "set-up", code=code, password="another password")
    assert again.key == "error.no_setup_code"


async def test_without_a_code_nobody_sets_up(bench: Bench) -> None:
    assert (await refusal(bench, "set-up", code="", password=PASSWORD)).key == "error.no_setup_code"


async def test_a_short_password_does_not_spend_the_code(bench: Bench) -> None:
    code = (await bench("admin", "new-code"))["code"]
    refused = await refusal(bench, "set-up", code=code, password="short")
    assert (refused.path, refused.key) == ("admin.password", "error.password_length")
    await bench("admin", "set-up", actor=REMOTE, code=code, password=PASSWORD)


async def test_five_wrong_codes_make_it_void(bench: Bench) -> None:
    code = (await bench("admin", "new-code"))["code"]
    lefts = [
        (await refusal(bench, "set-up", code="AAAA-AAAA", password=PASSWORD)).params["left"] for _ in range(5)
    ]
    assert lefts == [4, 3, 2, 1, 0]
    assert (await refusal(bench, "set-up", code=code, password=PASSWORD)).key == "error.no_setup_code"
    new = (await bench("admin", "new-code"))["code"]
    assert new != code
    await bench("admin", "set-up", actor=REMOTE, code=new, password=PASSWORD)


async def test_a_wrong_password_and_no_password_read_the_same(bench: Bench) -> None:
    before = await refusal(bench, "log-in", password="wrong")
    await set_up(bench)
    after = await refusal(bench, "log-in", password="wrong")
    for each in (before, after):
        assert (each.path, each.key, each.params) == ("admin.password", "error.wrong_password", {})


@pytest.mark.parametrize("password", ["", "x" * 1_000_000, "\ud800", "nul\0"])
async def test_odd_passwords_are_wrong_passwords(bench: Bench, password: str) -> None:
    await set_up(bench)
    assert (await refusal(bench, "log-in", password=password)).key == "error.wrong_password"


async def test_guessing_gets_slower_for_the_guesser_alone(bench: Bench) -> None:
    await set_up(bench)
    for _ in range(5):
        assert (await refusal(bench, "log-in", password="guess")).key == "error.wrong_password"
    waits = []
    for _ in range(10):
        refused = await refusal(bench, "log-in", password=PASSWORD)
        assert refused.key == "error.too_many_tries", "even the right one has to wait"
        seconds = refused.params["seconds"]
        assert isinstance(seconds, int)
        waits.append(seconds)
        await anyio.sleep(seconds)
        assert (await refusal(bench, "log-in", password="guess")).key == "error.wrong_password"
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    await bench("admin", "log-in", actor="web:192.0.2.8", password=PASSWORD)
    await anyio.sleep(300)
    await bench("admin", "log-in", actor=REMOTE, password=PASSWORD)
    assert (await refusal(bench, "log-in", password="guess")).key == "error.wrong_password"


async def test_guesses_sent_all_at_once_count_too(bench: Bench) -> None:
    await set_up(bench)
    keys: list[str] = []

    async def guess() -> None:
        keys.append((await refusal(bench, "log-in", password="guess")).key)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(guess)
    assert keys.count("error.wrong_password") <= 5
    assert len(keys) == 50


async def test_the_password_is_changed_by_who_knows_it(bench: Bench) -> None:
    await set_up(bench)
    refused = await refusal(bench, "set-password", actor="web:admin", password="new password")
    assert refused.key == "error.wrong_password"
    await bench("admin", "set-password", actor="web:admin", current=PASSWORD, password="new password")
    await bench("admin", "log-in", actor=REMOTE, password="new password")
    await bench("admin", "set-password", password="from the box itself")
    await bench("admin", "log-in", actor=REMOTE, password="from the box itself")


async def test_a_token_is_shown_once_and_void_once_removed(bench: Bench) -> None:
    made = await bench("admin", "add-token", name=" wallboard ")
    assert made["name"] == "wallboard"
    (listed,) = await bench("admin", "tokens")
    assert listed["id"] == made["id"]
    assert "token" not in listed
    assert await bench("admin", "check-token", token=made["token"]) == listed
    await bench("admin", "remove-token", made["id"])
    assert (await refusal(bench, "check-token", token=made["token"])).key == "error.wrong_token"
    assert (await bench("admin", "tokens")) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb"])
async def test_a_token_needs_a_name(bench: Bench, name: str) -> None:
    assert (await refusal(bench, "add-token", name=name)).path == "admin.name"
