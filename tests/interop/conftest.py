"""Fixtures for tests with real peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.exchange import running_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.exchange import Exchange


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """An exchange on loopback, without any extension."""
    with running_exchange(tmp_path) as exchange:
        yield exchange
