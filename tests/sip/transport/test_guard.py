"""appliance/sip/transport/guard.py: one source cannot take everything, and a NATed office does not notice."""

from __future__ import annotations

import pytest

from appliance.sip.transport import guard as guard_module
from appliance.sip.transport.guard import Guard, source_of

OFFICE = "198.51.100.7"


def test_an_office_of_200_phones_that_all_come_back_at_once_passes() -> None:
    guard = Guard()
    # REGISTER twice for the challenge, then 20 subscriptions: each a SUBSCRIBE twice and the answer to a NOTIFY.
    assert all(guard.admits(OFFICE, 0.0) for _ in range(200 * (2 + 20 * 3)))
    assert all(guard.connected(OFFICE) for _ in range(400))


def test_a_flood_from_one_source_is_cut_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(messages=100)
    assert sum(guard.admits(OFFICE, 5.0) for _ in range(1000)) == 100
    assert guard.admits("198.51.100.8", 5.0)
    assert guard.admits("127.0.0.1", 5.0)
    assert all(guard.admits("::1", 5.0) for _ in range(200))
    assert caplog.text.count(OFFICE) == 1
    assert guard.wait(6.0) == 9.0
    assert guard.admits(OFFICE, 15.0)
    assert guard.wait(99.0) == 0.0


def test_forged_sources_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "SOURCES", 50)
    guard = Guard()
    for number in range(1000):
        guard.admits(f"10.0.{number // 250}.{number % 250}", 1.0)
    assert len(guard._counts) <= 51


def test_connections_are_counted_by_source_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "CONNECTIONS", 3)
    monkeypatch.setattr(guard_module, "CONNECTIONS_OF_SOURCE", 2)
    guard = Guard()
    assert [guard.connected(OFFICE) for _ in range(3)] == [True, True, False]
    assert guard.connected("198.51.100.8")
    assert not guard.connected("198.51.100.9")
    guard.disconnected(OFFICE)
    guard.disconnected(OFFICE)
    assert OFFICE not in guard._connections
    assert guard.connected("127.0.0.1")
    assert guard.connected("127.0.0.1")
    assert not guard.connected("127.0.0.1")


def test_refused_connections_do_not_fill_the_log() -> None:
    guard = Guard()
    assert [guard.warns(now) for now in (0.0, 0.1, 9.9, 10.0, 10.1)] == [True, False, False, True, False]


def test_a_network_of_ipv6_is_one_source() -> None:
    assert source_of("192.0.2.1") == "192.0.2.1"
    assert source_of("2001:db8:0:1::1") == source_of("2001:db8:0:1:ffff::2") == "2001:db8:0:1::"
    assert source_of("2001:db8:0:2::1") == "2001:db8:0:2::"
    assert source_of("fe80::1%eth0") == "fe80::1%eth0"
    guard = Guard(messages=3)
    assert sum(guard.admits(f"2001:db8::{number:x}", 0.0) for number in range(9)) == 3
