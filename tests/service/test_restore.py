"""appliance/service/service.py: what the last process knew is taken up, and a full disk does not keep it from starting."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance.directory import Bindings, Gruus
from appliance.errors import ConfigError
from appliance.service.service import Service
from tests.directory.fakes import HandClock


async def restore(gruus: Gruus, secret: bytes | None) -> None:
    async def run(_: Any) -> bytes:
        if secret is None:
            raise ConfigError("", "error.disk_full")
        return secret

    async def nothing() -> None:
        return None

    restored = SimpleNamespace(restore=nothing)
    parts = SimpleNamespace(
        registrations=restored, lessons=restored, store=SimpleNamespace(run=run), gruus=gruus
    )
    await Service.restore(cast("Service", parts))


async def test_the_secret_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    gruus = Gruus(Bindings(HandClock()))
    made = gruus._secret
    await restore(gruus, None)
    assert gruus._secret == made
    assert "GRUU" in caplog.text
    await restore(gruus, b"s" * 32)
    assert gruus._secret == b"s" * 32
