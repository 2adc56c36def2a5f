"""The line editor: what a person types, and whatever else a line brings."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from appliance.serial.line_editor import ESCAPE_LIMIT, LINE_LIMIT, Key, Line, LineEditor, width


def lines(data: bytes) -> list[str]:
    return [event.text for event in LineEditor().feed(data) if isinstance(event, Line)]


def test_any_line_end_is_one() -> None:
    assert lines(b"a\rb\nc\r\nd\r\x00e\r") == ["a", "b", "c", "d", "e"]
    editor = LineEditor()
    assert editor.feed(b"a\r") == [Line("a")]
    assert editor.feed(b"\nb\r") == [Line("b")]


def test_correcting() -> None:
    assert lines(b"abx\x7fc\r") == ["abc"]
    assert lines(b"abx\bc\r") == ["abc"]
    assert lines(b"\x7f\x7fa\r") == ["a"]
    assert lines(b"wrong\x15right\r") == ["right"]


def test_chinese_takes_two_columns_and_is_erased_whole() -> None:
    editor = LineEditor()
    assert editor.feed("中文\x7f\r".encode()) == [Line("中")]
    assert editor.take_echo() == "中文\b \b\b \b\r\n"
    assert width("中a") == 3


def test_stars_for_a_secret() -> None:
    editor = LineEditor()
    editor.secret = True
    assert editor.feed("pä中\x7f\r".encode()) == [Line("pä")]
    assert editor.take_echo() == "***\b \b\r\n"


def test_arrow_and_function_keys_are_swallowed() -> None:
    assert lines(b"a\x1b[A\x1b[15~\x1bOP\x1b[1;5Cb\x1bxc\r") == ["abc"]


def test_a_broken_escape_sequence_does_not_swallow_the_line_end() -> None:
    assert lines(b"a\x1b\rb\x1b[\rc\x1bO\r") == ["a", "b", "c"]
    assert lines(b"\x1b[" + b"0" * (ESCAPE_LIMIT + 8) + b"\r") == ["0" * 9]


def test_noise() -> None:
    assert lines(b"\x00\xff\xfe\x80a\x01\x02\xc3b\xe4\xb8\r") == ["ab"]


def test_keys() -> None:
    assert LineEditor().feed(b"half\x03") == [Key.INTERRUPT]
    assert LineEditor().feed(b"\x04") == [Key.END]
    assert LineEditor().feed(b"half\x04\r") == [Line("half")]


def test_an_endless_line_is_bounded() -> None:
    editor = LineEditor()
    assert editor.feed(b"x" * 100_000 + b"\r") == [Line("x" * LINE_LIMIT)]
    assert editor.take_echo().count("\a") == 100_000 - LINE_LIMIT


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5), st.booleans())
def test_any_octets_in_any_pieces_give_the_same(data: bytes, cuts: list[int], secret: bool) -> None:
    whole, split = LineEditor(), LineEditor()
    whole.secret = split.secret = secret
    events = whole.feed(data)
    at = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    assert [event for low, high in pairwise(at) for event in split.feed(data[low:high])] == events
    assert split.take_echo() == whole.take_echo()
    assert all(event.text.isprintable() for event in events if isinstance(event, Line))


@given(st.text(alphabet=st.characters(blacklist_categories=["C", "Z"]), max_size=LINE_LIMIT))
def test_what_is_typed_is_what_arrives(text: str) -> None:
    assert lines(text.encode() + b"\r") == [text]
