"""appliance/lines/arrival.py: RFC 3325, RFC 3966, RFC 7315, and what carriers make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.line import Line
from appliance.config.trunk import Trunk
from appliance.lines.arrival import MAX_DIGITS, MAX_NAME, Arrival, arrival_of
from appliance.sip.message import Headers, Request

LINE = Line(
    name="ims", server="10.0.0.1", account="+862412345678", incoming="100", numbers=("+862488=101", "302=*9")
)
TRUNK = Trunk(name="hq", peers=("192.0.2.9",))


def invite(uri: str = "sip:+862412345678@10.0.0.9", *headers: tuple[str, str], caller: str = "") -> Request:
    return Request("INVITE", uri, Headers([("From", caller or "<sip:139@ims.example>;tag=1"), *headers]))


@pytest.mark.parametrize(
    ("headers", "caller", "number", "name"),
    [
        ((), '"张三" <sip:+8613900000000@ims.example>;tag=1', "+8613900000000", "张三"),
        ((), "<tel:+86-139-0000-0000;phone-context=x>;tag=1", "+8613900000000", ""),
        ((), "<sip:+8613900000000;cpc=ordinary@ims.example;user=phone>;tag=1", "+8613900000000", ""),
        ((("P-Asserted-Identity", "<tel:+8613911111111>"),), "", "+8613911111111", ""),
        ((("P-Asserted-Identity", "<sip:ims.example>, <tel:+8613911111111>"),), "", "+8613911111111", ""),
        ((("P-Asserted-Identity", "<<nonsense"),), "", "139", ""),
        ((("Remote-Party-ID", '"R" <sip:140@h>;party=calling;privacy=off'),), "", "140", "R"),
        # Hidden from us by From, but the network asserts who it is.
        ((("P-Asserted-Identity", "<tel:140>"),), "<sip:anonymous@anonymous.invalid>;tag=1", "140", ""),
        ((), '"Anonymous" <sip:Anonymous@anonymous.invalid>;tag=1', "", ""),
        ((), "<sip:anonymous.invalid>;tag=1", "", ""),
    ],
)
def test_who_calls(headers: tuple[tuple[str, str], ...], caller: str, number: str, name: str) -> None:
    arrival = arrival_of(invite("sip:x@h", *headers, caller=caller), LINE)
    assert (arrival.number, arrival.name) == (number, name)


@pytest.mark.parametrize(
    ("privacy", "number"),
    [("id", ""), ("header; ID ;critical", ""), ("user", ""), ("none", "140"), ("session", "140")],
)
def test_who_asks_for_privacy_is_named_to_nobody(privacy: str, number: str) -> None:
    named = ("P-Asserted-Identity", '"R" <tel:140>'), ("Privacy", privacy)
    arrival = arrival_of(invite("sip:x@h", *named), LINE)
    assert (arrival.number, arrival.name) == (number, "R" if number else "")


@pytest.mark.parametrize(
    ("privacy", "sources", "asserted"),
    [
        ("id", ("p-asserted-identity", "from"), "140"),
        ("user;id", ("p-asserted-identity",), "140"),
        # Not what RFC 3325 is about, or a carrier whose word is not taken.
        ("user", ("p-asserted-identity", "from"), ""),
        ("none", ("p-asserted-identity", "from"), ""),
        ("id", ("from",), ""),
    ],
)
def test_who_is_hidden_is_known_to_those_who_are_trusted(
    privacy: str, sources: tuple[str, ...], asserted: str
) -> None:
    line = Line(name="a", server="h", account="1", caller_from=sources)
    named = ("P-Asserted-Identity", '"R" <tel:140>'), ("Privacy", privacy)
    assert arrival_of(invite("sip:x@h", *named), line).asserted == asserted


@pytest.mark.parametrize(
    ("privacy", "number", "name"),
    [
        ("off", "140", "R"),
        ("full", "", ""),
        ("FULL", "", ""),
        ("full-network", "", ""),
        ("uri", "", "R"),
        ("name", "140", ""),
        ('"name,uri"', "", ""),
        ('"name-network; ipaddr"', "140", ""),
        ("session", "140", "R"),
    ],
)
def test_what_a_remote_party_withholds(privacy: str, number: str, name: str) -> None:
    """Nor may another header give it away."""
    party = ("Remote-Party-ID", f'"R" <sip:140@h>;party=calling;screen=yes;privacy={privacy}')
    arrival = arrival_of(invite("sip:x@h", party), LINE)
    assert (arrival.number, arrival.name) == (number, name)
    asserted = ("P-Asserted-Identity", '"P" <tel:150>')
    arrival = arrival_of(invite("sip:x@h", party, asserted), LINE)
    assert (arrival.number, arrival.name) == (number and "150", name and "P")


def test_a_remote_party_that_is_called_says_nothing_of_who_calls() -> None:
    called = ("Remote-Party-ID", '"C" <sip:205@h>;party=called;privacy=full')
    assert arrival_of(invite("sip:x@h", called), LINE).number == "139"
    calls = ("Remote-Party-ID", "<sip:140@h>")
    assert arrival_of(invite("sip:x@h", called, calls), LINE).number == "140"


def test_an_escaped_line_end_is_no_part_of_a_number() -> None:
    arrival = arrival_of(invite("sip:x@h", caller="<sip:1%0D%0AX-Evil%3a%00@h>;tag=1"), LINE)
    assert arrival.number == "1X-Evil:"


def test_a_long_name_is_cut() -> None:
    arrival = arrival_of(invite("sip:x@h", caller=f'"{"A" * 1000}" <sip:1@h>;tag=1'), LINE)
    assert arrival.name == "A" * MAX_NAME


def test_the_order_of_trust_is_the_lines_own() -> None:
    line = Line(name="a", server="h", account="1", caller_from=("from",))
    assert arrival_of(invite("sip:x@h", ("P-Asserted-Identity", "<tel:140>")), line).number == "139"


@pytest.mark.parametrize(
    ("uri", "called", "target"),
    [
        ("sip:+862412345678@10.0.0.9", "+862412345678", "100"),
        ("tel:+86-24-88", "+862488", "101"),
        ("sip:862488@10.0.0.9", "862488", "101"),
        ("sip:302@10.0.0.9", "302", "*9"),
        ("sip:10.0.0.9", "", "100"),
    ],
)
def test_whom_they_called(uri: str, called: str, target: str) -> None:
    arrival = arrival_of(invite(uri), LINE)
    assert (arrival.called, arrival.target) == (called, target)


def test_a_trunk_without_a_table_hands_the_number_on() -> None:
    assert arrival_of(invite("sip:205@h"), TRUNK) == Arrival("139", "", "205", "205")


def test_the_called_number_may_stand_apart_from_our_contact() -> None:
    request = invite("sip:contact-user@10.0.0.9", ("P-Called-Party-ID", "<tel:+862488>"))
    assert arrival_of(request, LINE).called == "+862488"
    assert arrival_of(invite("sip:302@h", ("P-Called-Party-ID", "<")), LINE).called == "302"


def test_a_hundred_thousand_digits() -> None:
    arrival = arrival_of(invite(f"sip:{'1' * 100_000}@h", caller=f"<tel:{'2' * 100_000}>;tag=1"), TRUNK)
    assert (len(arrival.called), len(arrival.number)) == (MAX_DIGITS, MAX_DIGITS)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_read_or_left(asserted: str, name: str) -> None:
    flat = str.maketrans("", "", "\r\n")
    headers = (("P-Asserted-Identity", asserted.translate(flat)), ("P-Called-Party-ID", name.translate(flat)))
    arrival = arrival_of(invite("sip:205@h", *headers), TRUNK)
    assert len(arrival.number) <= MAX_DIGITS
