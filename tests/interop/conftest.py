"""Fixtures for tests with real peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.exchange import running_exchange
from tests.peers.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.exchange import Exchange

HOSTS = {"ipv4": "127.0.0.1", "ipv6": "::1"}


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """An exchange on loopback, without any extension."""
    with running_exchange(tmp_path) as exchange:
        yield exchange


@pytest.fixture(scope="module")
def shared_exchange(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """An exchange for all tests of a file, each of which makes extensions of its own.

    It is on IPv4 unless a test asks for `ipv6` by the parameter of this name.
    """
    host = HOSTS[getattr(request, "param", "ipv4")]
    with running_exchange(tmp_path_factory.mktemp("shared"), host) as exchange:
        yield exchange


@pytest.fixture
def stage(shared_exchange: Exchange) -> Iterator[Stage]:
    """Scripted phones before the shared exchange."""
    with Stage(shared_exchange) as stage:
        yield stage
    assert "Traceback" not in shared_exchange.log
