"""appliance/chance.py: nothing comes twice, and every value is in its range."""

from __future__ import annotations

import os

import pytest

from appliance.chance import POOL, Chance


def test_the_kernels_octets_are_each_used_once_and_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bytes] = []

    def urandom(count: int) -> bytes:
        given.append(bytes((len(given) * 7 + at) % 256 for at in range(count)))
        return given[-1]

    monkeypatch.setattr(os, "urandom", urandom)
    chance = Chance()
    taken = b"".join(chance.randbytes(64) for _ in range(POOL // 64 + 1))
    assert taken == given[0] + given[1][:64]


def test_more_than_the_pool_holds_comes_whole() -> None:
    assert len(Chance().randbytes(3 * POOL + 1)) == 3 * POOL + 1


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 64, 80])
def test_bits_fill_their_range_and_no_more(bits: int) -> None:
    chance = Chance()
    drawn = [chance.getrandbits(bits) for _ in range(300)]
    assert max(drawn).bit_length() == bits
    assert min(drawn) >= 0
    assert len(set(drawn)) > min(2**bits, 300) // 2


def test_what_random_makes_of_it() -> None:
    chance = Chance()
    assert all(0.0 <= chance.random() < 1.0 for _ in range(100))
    assert {chance.randrange(3) for _ in range(100)} == {0, 1, 2}
    assert {chance.choice("ab") for _ in range(100)} == {"a", "b"}


def test_none_is_zero_bits() -> None:
    assert Chance().getrandbits(0) == 0
