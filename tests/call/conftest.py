"""An exchange on a bench, with two phones."""

from __future__ import annotations

import pytest

from tests.call.playbook import Phone, Playbook


@pytest.fixture
def book() -> Playbook:
    return Playbook()


@pytest.fixture
def alice(book: Playbook) -> Phone:
    return book.phone("101", "Alice A.")


@pytest.fixture
def bob(book: Playbook) -> Phone:
    return book.phone("102", "Bob", ring_seconds=30)
