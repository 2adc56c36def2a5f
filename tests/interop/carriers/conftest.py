"""The office for tests with scripted carriers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.scripted_carrier import Office
from tests.peers.stage import Stage


@pytest.fixture
def office(stage: Stage) -> Iterator[Office]:
    with Office(stage) as office:
        yield office
