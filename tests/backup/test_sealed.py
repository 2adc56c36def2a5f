"""Sealed streams: what goes in comes out, and nothing that was touched does."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.backup import sealed
from appliance.backup.sealed import CHUNK, HEADER_OCTETS, TAG_OCTETS, Opener, Sealer, check_passphrase
from appliance.errors import ConfigError

PASSPHRASE = "correct horse battery"
WHOLE = CHUNK + TAG_OCTETS


def seal(content: bytes, passphrase: str = PASSPHRASE, step: int = 50_000) -> bytes:
    raw = io.BytesIO()
    with Sealer(raw, passphrase) as sealer:
        for at in range(0, len(content), step):
            sealer.write(content[at : at + step])
    return raw.getvalue()


def opened(octets: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(octets), passphrase, "b")).read()


def refusal(octets: bytes, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(ConfigError) as refused:
        opened(octets, passphrase)
    return refused.value.key


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
@pytest.mark.parametrize("step", [1 << 30, 4096])
def test_what_goes_in_comes_out(size: int, step: int) -> None:
    content = os.urandom(size)
    octets = seal(content, step=step)
    assert len(octets) == HEADER_OCTETS + size + TAG_OCTETS * max(1, -(-size // CHUNK))
    assert opened(octets) == content
    assert size < 16 or content not in octets


def test_a_wrong_passphrase_is_told_from_damage() -> None:
    octets = seal(b"x" * 100)
    assert refusal(octets, "another passphrase") == "error.wrong_passphrase"
    assert opened(seal(b"y", "Cafe\u0301 au lait"), "Caf\u00e9 au lait") == b"y"


def test_every_single_octet_counts() -> None:
    octets = seal(b"hello")
    for at in range(len(octets)):
        damaged = bytearray(octets)
        damaged[at] ^= 0x10
        assert refusal(bytes(damaged)) == "error.backup_damaged", at
    for length in range(len(octets)):
        assert refusal(octets[:length]) == "error.backup_damaged", length
    assert refusal(octets + b"\0") == "error.backup_damaged"


def test_chunks_have_their_order_and_their_end() -> None:
    octets = seal(os.urandom(3 * CHUNK + 5))
    head, body = octets[:HEADER_OCTETS], octets[HEADER_OCTETS:]
    chunks = [body[at : at + WHOLE] for at in range(0, len(body), WHOLE)]
    wrong = [
        chunks[:3],
        [chunks[1], chunks[0], *chunks[2:]],
        [chunks[0], chunks[0], *chunks[1:]],
        [*chunks, chunks[3]],
        chunks[:2] + chunks[3:],
        [],
    ]
    for each in wrong:
        assert refusal(head + b"".join(each)) == "error.backup_damaged"
    other = seal(os.urandom(3 * CHUNK + 5))
    assert refusal(head + b"".join(chunks[:3]) + other[-(5 + TAG_OCTETS) :]) == "error.backup_damaged"


@given(st.data())
def test_damage_anywhere_is_refused(data: st.DataObject) -> None:
    octets = bytearray(seal(bytes(2 * CHUNK)))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(octets), at + 1]))
    assert refusal(bytes(octets[:cut])) == "error.backup_damaged"


def test_a_newer_form_is_told_and_an_absurd_cost_is_not_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FORM", 2), ("COST", 30), ("PARALLEL", 200)):
        with monkeypatch.context() as patched:
            made = bytearray(seal(b"x"))
            patched.setattr(sealed, name, value)
            at = len(sealed.MAGIC) + ("FORM", "COST", "PARALLEL").index(name)
            made[at] = value
            made[HEADER_OCTETS - 8 : HEADER_OCTETS] = sealed._checksum(bytes(made[: HEADER_OCTETS - 8]))
        assert refusal(bytes(made)) == "error.backup_newer"


def test_what_was_abandoned_never_opens() -> None:
    raw = io.BytesIO()
    sealer = Sealer(raw, PASSPHRASE)
    sealer.write(bytes(2 * CHUNK))
    sealer.abandon()
    sealer.close()
    assert refusal(raw.getvalue()) == "error.backup_damaged"


def test_memory_stays_bounded() -> None:
    class Counting(io.RawIOBase):
        longest = 0

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            assert isinstance(data, bytes)
            self.longest = max(self.longest, len(data))
            return len(data)

    raw = Counting()
    sealer = Sealer(raw, PASSPHRASE)  # type: ignore[arg-type]  # all it needs of a file
    for _ in range(64):
        sealer.write(bytes(CHUNK))
        assert len(sealer._waiting) <= CHUNK
    sealer.close()
    assert raw.longest <= WHOLE


def test_what_a_passphrase_must_be() -> None:
    check_passphrase("p", "eight ok")
    for wrong in ("short", "x" * 257, "with\nline end"):
        with pytest.raises(ConfigError) as refused:
            check_passphrase("p", wrong)
        assert "line end" not in str(refused.value)
