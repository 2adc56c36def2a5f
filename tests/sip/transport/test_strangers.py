"""appliance/sip/transport/strangers.py: silent connections are few, and those of one source fewer."""

from __future__ import annotations

from itertools import count
from typing import cast

import pytest

from appliance.sip.transport import strangers as module
from appliance.sip.transport.connection import Connection
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.strangers import Strangers

SERIAL = count(1)


class Silent:
    def __init__(self, host: str) -> None:
        self.flow = Flow("tls", ("192.0.2.1", 5061), (host, 40_000), next(SERIAL))


def silent(host: str) -> Connection:
    return cast("Connection", Silent(host))


def test_an_office_that_comes_back_at_once_is_let_in() -> None:
    strangers = Strangers()
    for host in ("198.51.100.7", "203.0.113.9"):
        assert [strangers.add(silent(host)) for _ in range(200)] == [None] * 200
    assert len(strangers) == 400


def test_the_oldest_of_a_source_goes_for_its_own_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRANGERS_OF_SOURCE", 2)
    strangers = Strangers()
    phone, *attackers = (silent(host) for host in ("203.0.113.9", *["2001:db8::1"] * 3))
    assert strangers.add(phone) is None
    assert [strangers.add(each) for each in attackers] == [None, None, attackers[0]]
    # A whole network of IPv6 is one source: its addresses cost nothing.
    assert strangers.add(silent("2001:db8::ffff:2")) is attackers[1]
    assert len(strangers) == 3


def test_the_oldest_of_all_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRANGERS", 2)
    strangers = Strangers()
    first, second, third, fourth = (silent(f"192.0.2.{number}") for number in range(4))
    assert strangers.add(first) is None
    assert strangers.add(second) is None
    strangers.remove(first)  # it has introduced itself
    assert strangers.add(third) is None
    assert strangers.add(fourth) is second
    for each in (first, second, third, fourth):
        strangers.remove(each)
    assert len(strangers) == 0
    assert not strangers._of_source
