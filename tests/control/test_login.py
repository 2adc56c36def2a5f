"""Bounds of the log-in; how it feels from outside is tested with area `admin`."""

from __future__ import annotations

import anyio
import pytest

from appliance.control import login
from appliance.control.login import Login
from appliance.errors import ConfigError


async def nothing() -> None:
    return None


async def test_sources_that_are_remembered_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "MAX_SOURCES", 3)
    one = Login()
    for number in range(10):
        with pytest.raises(ConfigError):
            await one.check(f"web:192.0.2.{number}", "guess", nothing)
    assert len(one._failures) == 3


async def test_a_failure_is_forgotten_after_a_while() -> None:
    one = Login()
    for _ in range(5):
        with pytest.raises(ConfigError):
            await one.check("web:192.0.2.1", "guess", nothing)
    await anyio.sleep(login.FORGOTTEN_AFTER_S + 1)
    for _ in range(5):
        with pytest.raises(ConfigError) as refused:
            await one.check("web:192.0.2.1", "guess", nothing)
        assert refused.value.key == "error.wrong_password"


async def test_hashing_is_refused_before_it_queues_up() -> None:
    one = Login()
    keys: list[str] = []

    async def guess(number: int) -> None:
        with pytest.raises(ConfigError) as refused:
            await one.check(f"web:192.0.2.{number}", "guess", nothing)
        keys.append(refused.value.key)

    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(guess, number)
    assert len(keys) == 30
    assert keys.count("error.busy") >= 30 - 2 * login.MAX_HASHING
    assert one._hashing == 0


async def test_who_guesses_is_in_the_log_and_what_was_guessed_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ConfigError):
        await Login().check("web:192.0.2.1", "almost", nothing)
    assert "web:192.0.2.1: wrong password" in caplog.text
    assert "almost" not in caplog.text
