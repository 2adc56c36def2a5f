"""What every test may use. Tests run on virtual time unless their module asks for real sockets."""

from __future__ import annotations

from typing import Any

import pytest
import trio.testing
from hypothesis import HealthCheck, settings

# How fast this machine is today is no finding: neither for an example, nor for making the first one on a fresh clone.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("untimed")

VIRTUAL_TIME = "trio"
REAL_SOCKETS: tuple[str, dict[str, Any]] = ("asyncio", {"use_uvloop": True})
"What a module that talks to real sockets returns from its own `anyio_backend` fixture."


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps ahead whenever every task waits: 32 s of timers pass in no time."""
    return VIRTUAL_TIME, {"clock": trio.testing.MockClock(autojump_threshold=0)}
