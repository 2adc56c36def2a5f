"""tests/interop/watched.py: it notices what blocks."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import pytest
from blockbuster import BlockingError

from appliance.system.network import addresses
from tests.conftest import REAL_SOCKETS
from tests.interop.watched import watch_for_blocking


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


async def test_what_blocks_the_event_loop_is_noticed_and_a_thread_may_block() -> None:
    watch = watch_for_blocking()
    watch.activate()
    try:
        with pytest.raises(BlockingError):
            addresses()
        assert await anyio.to_thread.run_sync(addresses)
    finally:
        watch.deactivate()
