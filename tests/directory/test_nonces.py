"""Nonces. RFC 7616 §3.3, §3.4."""

from __future__ import annotations

import pytest

from appliance.directory import nonces
from appliance.directory.nonces import NONCE_LIFETIME, Nonces


def test_each_is_another() -> None:
    made = Nonces(b"k")
    assert len({made.make(1.0, "a") for _ in range(100)}) == 100


@pytest.mark.parametrize("at", [0, 11, 12, 19, 20, -1])
def test_any_change_is_noticed(at: int) -> None:
    made = Nonces(b"k")
    nonce = made.make(1.0, "a")
    changed = list(nonce)
    changed[at] = "0" if changed[at] != "0" else "1"
    assert made.is_ours(nonce, "a")
    assert not made.is_ours("".join(changed), "a")
    assert not made.is_ours(nonce, "b")
    assert not Nonces(b"other").is_ours(nonce, "a")


@pytest.mark.parametrize("nonce", ["", "x", "\udcff" * 44, "é" * 44])
def test_any_text_may_be_asked_about(nonce: str) -> None:
    assert not Nonces(b"k").is_ours(nonce, "a")


def test_counts_only_grow() -> None:
    made = Nonces(b"k")
    nonce = made.make(1.0, "a")
    taken = [made.take(nonce, 2.0, count) for count in (1, 2, 2, 1, 5, 4, 6)]
    assert taken == [True, True, False, False, True, False, True]
    assert not made.take(made.make(1.0, "a"), 2.0, 0)


def test_time_runs_out_for_them() -> None:
    made = Nonces(b"k")
    nonce = made.make(1.0, "a")
    assert made.take(nonce, 1.0 + NONCE_LIFETIME, 1)
    assert not made.take(nonce, 1.1 + NONCE_LIFETIME, 2)
    assert not made.take(made.make(9.0, "a"), 1.0, 1), "from the future"


def test_what_was_forgotten_cannot_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "MAX_NONCES", 2)
    made = Nonces(b"k")
    first, second, third, later = (made.make(float(when), "a") for when in (1, 2, 3, 4))
    assert all(made.take(nonce, 5.0, 1) for nonce in (first, second, third))
    assert not made.take(first, 5.0, 1)
    assert made.take(later, 5.0, 1)
