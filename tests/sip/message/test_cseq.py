"""The CSeq header. RFC 3261 §20.16."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import CSeq


@pytest.mark.parametrize(
    ("text", "number", "method"),
    [("4711 INVITE", 4711, "INVITE"), ("0009   INVITE", 9, "INVITE"), ("1\t OPTIONS ", 1, "OPTIONS"), ("1\tOPTIONS", 1, "OPTIONS"), (f"{2**32 - 1} x", 2**32 - 1, "x")],
)  # fmt: skip
def test_forms(text: str, number: int, method: str) -> None:
    assert CSeq.parse(text) == CSeq(number, method)


@pytest.mark.parametrize(
    "text", ["", "1", "INVITE", "-1 INVITE", f"{2**32} INVITE", "1 IN VITE", "1 ", "١ INVITE", "1 <x>"]
)
def test_what_is_no_cseq(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        CSeq.parse(text)
    assert (refusal.value.status, refusal.value.reason) == (400, "Malformed CSeq")


def test_printing() -> None:
    assert str(CSeq(4711, "INVITE")) == "4711 INVITE"


@given(st.integers(0, 2**32 - 1), st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]+", fullmatch=True))
def test_reading_undoes_printing(number: int, method: str) -> None:
    assert CSeq.parse(str(CSeq(number, method))) == CSeq(number, method)
