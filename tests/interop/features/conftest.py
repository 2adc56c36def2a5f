"""An office of sipp phones for tests of features."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.peers.sipp_office import SippOffice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.exchange import Exchange


@pytest.fixture
def office(shared_exchange: Exchange, tmp_path: Path) -> Iterator[SippOffice]:
    """Before the exchange of this file."""
    if shutil.which("sipp") is None:
        pytest.skip("sipp (Debian: sip-tester) is not installed")
    with SippOffice(shared_exchange, tmp_path) as office:
        yield office
    assert "Traceback" not in shared_exchange.log
