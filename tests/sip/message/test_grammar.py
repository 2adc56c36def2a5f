"""Quoting, lists, parameters and numbers. RFC 3261 §7.3.1, §25.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.message import Params
from appliance.sip.message.grammar import parse_number, quote, split_list, unquote
from appliance.sip.message.limits import MAX_LIST_VALUES, MAX_PARAMS


@pytest.mark.parametrize(
    ("text", "quoted"), [("", '""'), ("a b", '"a b"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"')]
)
def test_quoting(text: str, quoted: str) -> None:
    # §25.1: a quote and a backslash alone cannot stand for themselves.
    assert quote(text) == quoted
    assert unquote(quoted) == text


@given(st.text())
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize("text", ["", '"', "token", '"open', 'close"'])
def test_what_is_not_quoted_stays(text: str) -> None:
    assert unquote(text) == text


def test_quoted_pairs_are_undone_once() -> None:
    assert unquote(r'"a\\\"b"') == r"a\"b"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        ('"x, y" <sip:a@b>, <sip:c,d@e>', ['"x, y" <sip:a@b>', "<sip:c,d@e>"]),
        (r'"a\", <" <sip:a@b>,"c"', [r'"a\", <" <sip:a@b>', '"c"']),
    ],
)
def test_commas_separate_outside_quotes_and_brackets(text: str, values: list[str]) -> None:
    assert split_list(text, "Contact") == values


@pytest.mark.parametrize(
    "text", [",", "a,", ",a", "a,,b", '"a, b', "<a, b", ", ".join("a" * (MAX_LIST_VALUES + 1))]
)
def test_broken_lists_are_refused(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        split_list(text, "Contact")
    assert (refusal.value.status, refusal.value.reason) == (400, "Malformed Contact")


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("70", 70), ("0068", 68), ("255", 255)])
def test_numbers(text: str, value: int) -> None:
    assert parse_number(text, 255, "Max-Forwards") == value


@pytest.mark.parametrize("text", ["", "-1", "+5", "five", "1e3", "0x10", "1_0", "٣", "256", "0" * 21, " 1"])
def test_what_int_would_take_is_no_number(text: str) -> None:
    with pytest.raises(PeerError):
        parse_number(text, 255, "Max-Forwards")


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        (";lr", {"lr": None}),
        (";Tag=AbC;x=", {"tag": "AbC", "x": ""}),
        (" ;  tag   = 98asjd8 ", {"tag": "98asjd8"}),
        (
            ';+sip.instance="<urn:uuid:1,2;3>";reg-id=1',
            {"+sip.instance": '"<urn:uuid:1,2;3>"', "reg-id": "1"},
        ),
        (';a="=;,\\"" ; b = c', {"a": '"=;,\\""', "b": "c"}),
        (";received=2001:db8::1", {"received": "2001:db8::1"}),
        ('; a="работающий"', {"a": '"работающий"'}),
        (" ", {}),
    ],
)
def test_parameters(text: str, params: dict[str, str | None]) -> None:
    read = Params.parse(text, "Via")
    assert dict(read) == params
    assert str(read) == text


@pytest.mark.parametrize(
    "text",
    [
        ";",
        ";;",
        ";a;;b",
        "a",
        "a;b",
        ";=x",
        ";a;A",
        ';a="open',
        ";a=b c",
        ";a,b",
        "".join(f";p{i}" for i in range(MAX_PARAMS + 1)),
    ],
)
def test_broken_parameters_are_refused(text: str) -> None:
    with pytest.raises(PeerError) as refusal:
        Params.parse(text, "Via")
    assert (refusal.value.status, refusal.value.reason) == (400, "Malformed Via")


def test_parameters_are_values() -> None:
    params = Params.parse(";a=1;b", "Via")
    assert params.put("c", "2") == {"a": "1", "b": None, "c": "2"}
    assert str(params.put("a", "9")) == ";a=9;b"
    assert str(params.without("a")) == ";b"
    assert str(params.without("absent")) == ";a=1;b"
    assert str(params) == ";a=1;b"
    assert hash(params) == hash(Params({"b": None, "a": "1"}))


def test_a_parameter_says_its_text_without_quotes() -> None:
    params = Params.parse(';a="x y";b;c=z', "Via")
    assert [params.text(name) for name in "abcd"] == ["x y", None, "z", None]


NAMES = st.from_regex(r"[a-z0-9\-.!%*_+`'~]{1,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))


@given(st.dictionaries(NAMES, st.none() | NAMES | TEXTS.map(quote), max_size=8))
def test_reading_parameters_undoes_printing_them(made: dict[str, str | None]) -> None:
    assert Params.parse(str(Params(made)), "Via") == made
