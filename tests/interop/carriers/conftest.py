"""The office for tests with scripted carriers, and the name server of those whose carrier has a name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from tests.peers.name_server import NameServer, name_server
from tests.peers.scripted_carrier import Office
from tests.peers.stage import Stage


@pytest.fixture
def office(stage: Stage) -> Iterator[Office]:
    with Office(stage) as office:
        yield office


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(name_server()) as server:
        server.ttl = server.negative = 1  # what a test changes holds at once for the next question
        yield server
