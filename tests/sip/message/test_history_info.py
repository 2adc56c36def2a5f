"""History-Info. RFC 7044 §5, §10; the first example is that of its appendix B.1, shortened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Uri
from appliance.sip.message.history_info import MAX_DEPTH, HistoryEntry
from appliance.sip.message.reason import Reason

INDICES = st.lists(st.integers(0, 9999), min_size=1, max_size=8).map(tuple)


def test_reading() -> None:
    text = (
        "<sip:bob@example.com>;index=1, <sip:bob@192.0.2.4?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1, "
        "<sip:office@192.0.2.5?Privacy=history&Reason=SIP%3bcause%3d480%2CQ.850%3Bcause%3D19>;index=1.2;mp=1"
    )
    first, second, third = entries = HistoryEntry.parse_many(text)
    assert [entry.index for entry in entries] == [(1,), (1, 1), (1, 2)]
    assert [entry.way for entry in entries] == [None, ("rc", "1"), ("mp", "1")]
    assert (first.reasons, second.reasons) == ([], [Reason.of("SIP", 302)])
    assert third.reasons == [Reason.of("SIP", 480), Reason.of("Q.850", 19)]
    assert [entry.private for entry in entries] == [False, False, True]
    assert str(third.target) == "sip:office@192.0.2.5"
    assert ", ".join(map(str, entries)) == text


def test_a_target_that_was_left() -> None:
    entry = HistoryEntry.of(Uri.sip("102", "x"), (1,)).left(Reason.of("SIP", 486, "Busy"))
    assert entry.reasons == [Reason.of("SIP", 486, "Busy")]
    again = entry.left(Reason.of("Q.850", 17))
    assert again.reasons == [Reason.of("SIP", 486, "Busy"), Reason.of("Q.850", 17)]
    assert HistoryEntry.parse(str(again)) == again


@pytest.mark.parametrize(
    "text",
    ["", "b", "<sip:b@x>", "<sip:b@x>;index", "<sip:b@x>;index=a", "<sip:b@x>;index=1.", "<sip:b@x>;index=01",
     "<sip:b@x>;index=" + ".".join("1" * (MAX_DEPTH + 1)), "<sip:b@x>;index=1,"],
)  # fmt: skip
def test_malformed(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        HistoryEntry.parse_many(text)
    assert refusal.value.status == 400


def test_a_reason_that_cannot_be_read() -> None:
    entry = HistoryEntry.parse("<sip:b@x?Reason=%3B>;index=1")
    with pytest.raises(PeerError) as refusal:
        _ = entry.reasons
    assert refusal.value.status == 400


@given(INDICES, st.none() | st.tuples(st.sampled_from(["rc", "mp", "np"]), st.just("1.1")))
def test_what_was_made_is_read_again(index: tuple[int, ...], way: tuple[str, str] | None) -> None:
    entry = HistoryEntry.of(Uri.sip("102", "example.org"), index, way)
    assert HistoryEntry.parse_many(str(entry)) == [entry]
    assert (entry.index, entry.way) == (index, way)


@given(st.text(), st.integers(0, 999))
def test_reasons_with_any_text_survive_their_escaping(text: str, cause: int) -> None:
    entry = HistoryEntry.of(Uri.sip("102", "x"), (1,)).left(Reason.of("SIP", cause, text))
    (reason,) = HistoryEntry.parse(str(entry)).reasons
    assert (reason.cause, reason.text) == (cause, text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        _ = [entry.reasons for entry in HistoryEntry.parse_many(text)]
    except PeerError as refusal:
        assert refusal.status == 400
