"""`message/sipfrag`. RFC 3420 §2, RFC 3515 §2.4.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message.sipfrag import StatusFragment


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [(b"SIP/2.0 100 Trying\r\n", 100, "Trying"), (b"SIP/2.0 200 OK", 200, "OK"), (b"SIP/2.0 603\r\n", 603, ""),
     (b"sip/2.0 486 Busy Here\nVia: x\n\nbody", 486, "Busy Here"), (b"SIP/2.0 180 \xff\r\n", 180, "\udcff")],
)  # fmt: skip
def test_reading(body: bytes, status: int, reason: str) -> None:
    assert StatusFragment.parse(body) == StatusFragment(status, reason)


def test_making() -> None:
    assert StatusFragment.of(503).encode() == b"SIP/2.0 503 Service Unavailable\r\n"
    assert StatusFragment.of(200, "Fine").encode() == b"SIP/2.0 200 Fine\r\n"


@pytest.mark.parametrize(
    "body", [b"", b"INVITE sip:a@b SIP/2.0\r\n", b"SIP/2.0 99 X", b"SIP/2.0 1000 X", b"Via: x"]
)
def test_malformed(body: bytes) -> None:
    with pytest.raises(PeerError) as refusal:
        StatusFragment.parse(body)
    assert refusal.value.status == 400


@given(st.integers(100, 699), st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_what_was_made_is_read_again(status: int, reason: str) -> None:
    fragment = StatusFragment.of(status, reason)
    assert StatusFragment.parse(fragment.encode()) == fragment


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        StatusFragment.parse(body)
    except PeerError as refusal:
        assert refusal.status == 400
