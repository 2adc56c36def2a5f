"""An office with two phones."""

from __future__ import annotations

import pytest

from tests.call.playbook import Phone
from tests.features.office import Office


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def alice(office: Office) -> Phone:
    return office.phone("101", "Alice A.")


@pytest.fixture
def bob(office: Office) -> Phone:
    return office.phone("102", "Bob", ring_seconds=30)


@pytest.fixture
def carol(office: Office) -> Phone:
    return office.phone("103", "Carol")
