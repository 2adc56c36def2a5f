"""appliance/call/diversion.py: what a call that is sent on says, in each of its forms, and that it comes back whole."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension
from appliance.call.diversion import (
    MAX_STEPS,
    Forwarding,
    NoticeForm,
    diversions,
    history,
    notices,
    sent_on,
    told,
)
from appliance.call.events import Baggage, Dialled, Diverted
from appliance.call.inbound import RefusedError
from appliance.sip.message import NameAddr, Request, parse_message
from tests.call.playbook import Phone

HOST = "192.0.2.1"
PAYER = FromExtension("102", 3)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=("Cc", "Cs")), max_size=20
)
NUMBERS = st.text("0123456789*#+", min_size=1, max_size=12)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)
INDEX = r"<sip:1@x>;index={}"


def step(by: str = "102", to: str = "103", name: str = "", *, silent: bool = False) -> Diverted:
    return Diverted(by, name, to, "unconditional", silent)


def dialled(*steps: Diverted, hops: int = 70, baggage: Baggage = ()) -> Dialled:
    return Dialled("101", "Alice", "102", hops, None, baggage, steps=steps)


# --- the notice


@given(TEXT, TEXT)
def test_a_notice_comes_back_from_either_form(username: str, contact: str) -> None:
    told = Forwarding(username, contact)
    assert Forwarding.parse(told.as_minisipserver()) == told
    assert Forwarding.parse(told.as_rfc3261(HOST)) == told


@given(st.sampled_from(["minisipserver", "rfc3261", "both"]), NUMBERS, TEXT)
def test_a_notice_survives_the_wire(form: NoticeForm, by: str, to: str) -> None:
    invite = Phone("101", ("x", 5060), Random(1)).invite("102").message
    assert isinstance(invite, Request)
    told = invite.respond(181, to_tag="1", headers=notices(step(by, to), HOST, form))
    came = parse_message(told.encode())
    values = came.headers.get_all("Call-Info")
    assert [Forwarding.parse(each) for each in values] == [Forwarding(by, to)] * len(values)
    assert len(values) == (2 if form == "both" else 1)


def test_no_notice() -> None:
    assert notices(step(), HOST, "none") == ()


@pytest.mark.parametrize(
    "value",
    [
        'purpose=forwarding, username="102", contact="103"',
        'PURPOSE = Forwarding ; UserName="102";contact = "103"',
        "purpose=forwarding,username=102,contact=103",
        '<sip:103@x>;purpose=forwarding;username="102";contact="103"',
        '<sip:103@x;purpose=icon>;contact="103";x="a, contact=9";username="102";purpose=forwarding',
        '"Carol, the <boss>" <sip:103@x>;purpose=forwarding;username="102";contact="103"',
        r'purpose=forwarding, username="1\02", contact="103"',
    ],
)
def test_forms_that_others_write(value: str) -> None:
    assert Forwarding.parse(value) == Forwarding("102", "103")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "<http://x/a.png>;purpose=icon",
        'purpose=forwarding, username="102"',
        'purpose=forwarding, contact="103"',
        '"purpose=forwarding" <sip:x>;username="102";contact="103"',
        '<sip:x?purpose=forwarding>;username="102";contact="103"',
        'x="purpose=forwarding, username=1, contact=2"',
        'purpose="forwarding, username="102"',
    ],
)
def test_what_is_about_something_else(value: str) -> None:
    assert Forwarding.parse(value) is None


@given(st.text(max_size=80))
def test_anything_is_read_or_not(value: str) -> None:
    found = Forwarding.parse(value)
    assert found is None or Forwarding.parse(found.as_minisipserver()) == found


# --- to whoever is called next


@given(NUMBERS, NAMES, NUMBERS)
def test_diversions_name_the_last_one_first(by: str, name: str, to: str) -> None:
    call = dialled(step(by, to, name), step(to, "9", "Zoë"))
    fields = diversions(call, HOST)
    assert [each for each, _ in fields] == ["Diversion", "Diversion"]
    found = [NameAddr.parse(value) for _, value in fields]
    assert [each.uri.number for each in found] == [to, by]
    assert [each.display for each in found] == ["Zoë", name]
    assert all("\r" not in value and "\n" not in value for _, value in fields)


@pytest.mark.parametrize(
    ("came", "index"),
    [
        ((), "1"),
        ((("History-Info", INDEX.format("1")),), "1.1"),
        ((("History-Info", INDEX.format("1") + ", " + INDEX.format("1.1")),), "1.1.1"),
        ((("History-Info", INDEX.format("1")), ("history-info", INDEX.format("1.2"))), "1.2.1"),
        ((("History-Info", "<sip:1@x>; INDEX = 1.1 ;rc=1"),), "1.1.1"),
        ((("History-Info", "<sip:1@x>"),), "1"),
        ((("History-Info", "<sip:1@x>;index=one"),), "1"),
        ((("Subject", INDEX.format("7")),), "1"),
        ((("History-Info", '"a;index=8" <sip:1@x;index=9?Reason=x%3bindex=3>;index=1.1'),), "1.1.1"),
    ],
)
def test_the_history_goes_on_below_what_came(came: Baggage, index: str) -> None:
    ((name, value),) = history(dialled(step(), baggage=came), HOST)
    assert name == "History-Info"
    assert value == (f"<sip:102@{HOST}>;index={index}, <sip:103@{HOST};cause=302>;index={index}.1;mp={index}")


def test_no_history_of_a_call_that_nobody_sent_on() -> None:
    assert history(dialled(), HOST) == ()
    assert diversions(dialled(), HOST) == ()


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("2001:db8::1", "[2001:db8::1]"),
        ("fe80::1%eth0", "[fe80::1]"),
        ("[2001:db8::1]:5070", "[2001:db8::1]:5070"),
        ("sip.example:5070", "sip.example:5070"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_hosts_as_they_are_written(host: str, written: str) -> None:
    call = dialled(step())
    assert diversions(call, host)[0][1].startswith(f"<sip:102@{written}>;")
    assert history(call, host)[0][1].startswith(f"<sip:102@{written}>;index=1, <sip:103@{written};cause=302>")


def test_a_notice_with_a_host_of_ipv6() -> None:
    assert Forwarding("102", "103").as_rfc3261("2001:db8::1").startswith("<sip:103@[2001:db8::1]>;")


def test_the_shown_number_stands_in_both() -> None:
    call = dialled(step())
    assert diversions(call, HOST, lambda number: "+4930" + number)[0][1].startswith("<sip:+4930102@")
    assert "<sip:+4930102@" in history(call, HOST, lambda number: "+4930" + number)[0][1]


# --- silent steps


def test_a_silent_step_is_told_by_where_it_ends() -> None:
    first, silent, second = step("102", "900"), step("900", "103", silent=True), step("103", "104")
    assert told([first, silent, second]) == (step("102", "103"), second)
    assert told([silent, second]) == (second,)
    assert told([first, silent, step("103", "105", silent=True)]) == (step("102", "105"),)
    assert told([silent]) == ()
    assert told([]) == ()


@given(st.lists(st.booleans(), max_size=8))
def test_what_is_told_is_a_chain(silences: list[bool]) -> None:
    steps = [step(str(at), str(at + 1), silent=silent) for at, silent in enumerate(silences)]
    heard = told(steps)
    assert len(heard) == silences.count(False)
    assert [each.to for each in heard[:-1]] == [each.by for each in heard[1:]]
    assert not heard or heard[-1].to == str(len(silences))


# --- how far it goes


def test_sent_on() -> None:
    sent = sent_on(dialled(), step(), PAYER)
    assert (sent.to_number, sent.payer, sent.steps, sent.hops_left) == ("103", PAYER, (step(),), 69)
    assert sent.phone == ""


@pytest.mark.parametrize(
    ("call", "onward", "cause"),
    [
        (dialled(), step("102", "102"), Cause.LOOP),
        (dialled(step("102", "103")), step("103", "102"), Cause.LOOP),
        (dialled(step("102", "103"), step("103", "104")), step("104", "102"), Cause.LOOP),
        (dialled(hops=1), step(), Cause.LOOP),
        (
            dialled(*(step(str(at), str(at + 1)) for at in range(10, 10 + MAX_STEPS))),
            step(str(10 + MAX_STEPS), "99"),
            Cause.FORWARDS,
        ),
    ],
)
def test_sent_on_no_more(call: Dialled, onward: Diverted, cause: Cause) -> None:
    with pytest.raises(RefusedError) as refused:
        sent_on(call, onward, PAYER)
    assert refused.value.ending.cause is cause
    assert refused.value.steps == (*call.steps, onward)
