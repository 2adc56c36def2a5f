"""Records live as long as their TTL. RFC 1035 §3.2.1, RFC 2308."""

from __future__ import annotations

import pytest

from appliance.sip.transport import record_cache
from appliance.sip.transport.record_cache import MAX_TTL, Question, RecordCache

A, B, C = (Question(name, "A") for name in "abc")
ONE = (("192.0.2.1",),)


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_as_long_as_the_ttl_and_no_longer() -> None:
    time = Time()
    cache = RecordCache(time)
    cache.put(A, ONE, 30)
    cache.put(B, (), 10)
    cache.put(C, ONE, 0)
    assert (cache.get(A), cache.get(B), cache.get(C)) == (ONE, (), None)
    assert cache.get(Question("a", "AAAA")) is None
    time.now = 110.0
    assert (cache.get(A), cache.get(B)) == (ONE, None)
    time.now = 130.0
    assert cache.get(A) is None
    assert len(cache) == 0


def test_a_ttl_of_years_ends_after_a_day() -> None:
    time = Time()
    cache = RecordCache(time)
    cache.put(A, ONE, 2**31 - 1)
    time.now += MAX_TTL
    assert cache.get(A) is None


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_cache, "MAX_ANSWERS", 2)
    cache = RecordCache(Time())
    for question in (A, B, A, C):
        cache.put(question, ONE, 30)
    assert [cache.get(each) for each in (A, B, C)] == [ONE, None, ONE]
