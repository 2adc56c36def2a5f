"""What the console's tests share: a control in memory, an application on it, a visitor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl, busy_office
from tests.webui.fake_outside import described
from webui.app import create_app
from webui.session import Sessions


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def control() -> FakeControl:
    return busy_office()


@pytest.fixture
def app(control: FakeControl, clock: Clock) -> Any:
    return create_app(control, describe=described, sessions=Sessions(clock))


@pytest.fixture
def visitor(app: Any) -> Client:
    """Somebody who is not logged in."""
    return Client(app)


@pytest.fixture
def admin(app: Any) -> Client:
    """Somebody who is."""
    client = Client(app)
    assert client.log_in().status == 303
    client.get("/")
    return client
