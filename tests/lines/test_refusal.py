"""appliance/lines/refusal.py."""

from __future__ import annotations

import pytest

from appliance.lines.refusal import MAX_SAID, Refusal
from appliance.sip.message import Headers, Request, Response


def refusal(
    status: int, reason: str, *headers: tuple[str, str], uri: str = "sip:139@h", cseq: str = "1 INVITE"
) -> Refusal:
    return Refusal.of(
        Request("INVITE", uri, Headers([("Supported", "timer")])),
        Response(status, reason, Headers([("CSeq", cseq), *headers])),
    )


def test_what_it_says() -> None:
    found = refusal(
        *(420, "Bad Extension"),
        ("Unsupported", "Timer, 100rel"),
        ("Unsupported", "x"),
        ("Require", "y"),
        ("Accept", "application/sdp;level=1, Text/Plain"),
        ("Warning", '305 carrier "no, not this one"'),
        ("Warning", "399 carrier"),
        ("Warning", "nonsense"),
    )
    assert found.unsupported == {"timer", "100rel", "x"}
    assert found.required == {"y"}
    assert found.accepts == {"application/sdp", "text/plain"}
    assert found.warnings == {305, 399}
    assert found.used == {"timer"}
    assert (found.said, found.method) == ("420 Bad Extension to INVITE", "INVITE")


def test_a_prack_is_told_from_its_invite() -> None:
    assert refusal(405, "Method Not Allowed", cseq="2 PRACK").said == "405 Method Not Allowed to PRACK"
    assert refusal(405, "", cseq="2 PRACK").said == "405 to PRACK"


def test_the_words_of_a_stranger_can_be_kept() -> None:
    said = refusal(400, "\udcff" + "x" * 1000).said
    assert said.encode()
    assert said == "400 \ufffd" + "x" * (MAX_SAID - 1) + " to INVITE"


@pytest.mark.parametrize(
    ("uri", "numeric"),
    [
        ("sip:139@h", True),
        ("sip:+86139@h;user=phone", True),
        ("sips:*21%23@h", True),
        ("sip:alice@h", False),
        ("sip:h", False),
        ("tel:+86139", False),
    ],
)
def test_whether_a_number_is_called(uri: str, *, numeric: bool) -> None:
    assert refusal(404, "Not Found", uri=uri).numeric is numeric
