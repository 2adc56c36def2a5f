"""appliance/call/way_out.py: RFC 3261 §8.1.1, RFC 3323, RFC 3325, RFC 3966."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest

from appliance.call.destination import Shown
from appliance.call.events import Dialled
from appliance.call.leg_options import LegOptions
from appliance.call.way_out import LineWay, TrunkWay
from appliance.config.line import Line
from appliance.config.trunk import Trunk
from appliance.lines.credentials import Credentials
from appliance.lines.feature import Feature, Habit
from appliance.lines.learned import Learned
from appliance.lines.lines import account_of
from appliance.lines.refusal import Refusal

LINE = Line(name="ims", server="10.0.0.1:5070", domain="ims.example", account="+862412345678", password="p")
TRUNK = Trunk(name="hq", peers=("192.0.2.9:5070",))
CALL = Dialled(from_number="101", from_name="张三", to_number="9139", hops_left=69, content=None, baggage=())


def line_way(**settings: object) -> LineWay:
    line = msgspec.structs.replace(LINE, **settings)
    credentials = Credentials(account_of(line), random.Random(1))
    return LineWay(line=line, base=LegOptions(), domain="ims.example", credentials=credentials)


def trunk_way(**settings: object) -> TrunkWay:
    trunk = msgspec.structs.replace(TRUNK, **settings)
    return TrunkWay(trunk=trunk, base=LegOptions(), domain="192.0.2.9:5070", host="192.0.2.1")


@pytest.mark.parametrize(
    ("settings", "caller"),
    [
        ({}, '"张三" <sip:+862412345678@ims.example>'),
        ({"from_user": "+8624999"}, '"张三" <sip:+8624999@ims.example>'),
        ({"from_display": "Office"}, '"Office" <sip:+862412345678@ims.example>'),
        ({"shows": "extension"}, '"张三" <sip:101@ims.example>'),
        ({"shows": "extension", "caller_prefix": "+86248888"}, '"张三" <sip:+86248888101@ims.example>'),
        ({"shows": "extension", "caller_cut": 1, "caller_prefix": "7"}, '"张三" <sip:701@ims.example>'),
        ({"shows": "fixed", "caller_number": "+8624000"}, '"张三" <sip:+8624000@ims.example>'),
        ({"account": "user@ims.example"}, '"张三" <sip:user@ims.example>'),
    ],
)
def test_who_is_shown_on_a_line(settings: dict[str, object], caller: str) -> None:
    shown = line_way(**settings).shown(CALL, "139")
    assert (shown.caller, shown.callee, shown.headers) == (caller, "<sip:139@ims.example>", ())


def test_a_hidden_caller_is_told_to_the_carrier_alone() -> None:
    shown = line_way(hide_caller=True).shown(CALL, "139")
    assert shown.caller == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert shown.headers == (
        ("P-Preferred-Identity", '"张三" <sip:+862412345678@ims.example>'),
        ("Privacy", "id"),
    )


@pytest.mark.parametrize("settings", [{}, {"caller_prefix": "+8624"}, {"hide_caller": True}])
def test_who_is_hidden_from_us_is_hidden_further_on(settings: dict[str, object]) -> None:
    shown = trunk_way(**settings).shown(msgspec.structs.replace(CALL, from_number="", from_name=""), "139")
    assert shown.caller == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert shown.contact_user == "anonymous"
    assert shown.headers == ((("Privacy", "id"),) if "hide_caller" in settings else ())


HIDDEN = msgspec.structs.replace(
    CALL, from_number="", from_name="", asserted="8613900000000", baggage=(("Privacy", "id"),)
)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "8613900000000"),
        ({"caller_prefix": "+"}, "+8613900000000"),
        ({"hide_caller": True}, "8613900000000"),
        ({"shows": "fixed", "caller_number": "+8624000"}, "+8624000"),
    ],
)
def test_who_is_hidden_from_users_is_asserted_to_a_trunk(settings: dict[str, object], named: str) -> None:
    """RFC 3325 §7, §9.3: it stays within the network whose servers trust each other."""
    shown = trunk_way(**settings).shown(HIDDEN, "139")
    assert shown.caller == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert shown.contact_user == "anonymous"
    assert shown.headers == (("P-Asserted-Identity", f"<sip:{named}@192.0.2.1>"),)


def test_who_is_hidden_from_users_is_named_to_no_line_and_no_phone() -> None:
    assert "8613900000000" not in repr(line_way(shows="extension").shown(HIDDEN, "139"))
    assert "8613900000000" not in repr(Shown.at_home(HIDDEN, "101", "192.0.2.1"))


def test_who_does_not_ask_for_it_any_more_is_named_to_nobody() -> None:
    """Without Privacy: id nothing would tell the other server to keep it."""
    shown = trunk_way().shown(msgspec.structs.replace(HIDDEN, baggage=()), "139")
    assert "8613900000000" not in repr(shown)


@pytest.mark.parametrize(
    ("number", "caller"),
    [
        ("", '"Anonymous" <sip:anonymous@anonymous.invalid>'),
        ("+8613900000000", "<sip:+8613900000000@192.0.2.1>"),
        ("1>@x y", "<sip:1%3E%40x%20y@192.0.2.1>"),
    ],
)
def test_a_stranger_is_shown_to_our_phones(number: str, caller: str) -> None:
    shown = Shown.at_home(msgspec.structs.replace(CALL, from_number=number, from_name=""), "101", "192.0.2.1")
    assert (shown.caller, shown.callee) == (caller, "<sip:101@192.0.2.1>")


def test_a_register_has_the_parameter_only_where_that_is_asked_for() -> None:
    settings: dict[str, object] = {"uri_parameter": "user=phone"}
    assert "user=phone" not in str(account_of(line_way(**settings).line).address_of_record())
    asked = account_of(line_way(register_uri_parameter=True, **settings).line)
    assert "user=phone" in str(asked.address_of_record())
    assert "user=phone" in str(asked.registrar_uri())


def test_the_request_uri_parameter() -> None:
    assert line_way().uri("139") == "sip:139@ims.example"
    assert line_way(uri_parameter="user=phone").uri("139") == "sip:139@ims.example;user=phone"
    assert trunk_way(uri_parameter="user=phone").uri("139") == "sip:139@192.0.2.9:5070;user=phone"


def test_a_number_is_no_way_to_write_headers() -> None:
    assert line_way().uri("*21#") == "sip:*21%23@ims.example"
    assert line_way().uri("1>\r\nX: y") == "sip:1%3E%0D%0AX%3A%20y@ims.example"


def test_the_contact_of_a_line() -> None:
    assert line_way().shown(CALL, "1").contact_user == "+862412345678"
    assert line_way(contact_user="c").shown(CALL, "1").contact_user == "c"


@pytest.mark.parametrize(
    ("number_format", "number", "uri"),
    [
        ("sip", "0139", "sip:0139@192.0.2.9:5070"),
        ("e164", "86139", "sip:+86139@192.0.2.9:5070"),
        ("e164", "+86139", "sip:+86139@192.0.2.9:5070"),
        ("tel", "+86139", "tel:+86139"),
        ("tel", "205", "tel:205;phone-context=192.0.2.9"),
    ],
)
def test_number_formats_of_a_trunk(number_format: str, number: str, uri: str) -> None:
    way = trunk_way(number_format=number_format)
    assert way.uri(number) == uri
    assert way.shown(CALL, number).callee == f"<{uri}>"


def test_who_is_shown_on_a_trunk() -> None:
    assert trunk_way().shown(CALL, "1").caller == '"张三" <sip:101@192.0.2.1>'
    assert (
        replace(trunk_way(), host="2001:db8::1").shown(CALL, "1").caller == '"张三" <sip:101@[2001:db8::1]>'
    )
    fixed = trunk_way(shows="fixed", caller_number="555")
    assert fixed.shown(CALL, "1").caller == '"张三" <sip:555@192.0.2.1>'


def test_only_a_line_has_something_to_prove() -> None:
    assert (line_way().name, trunk_way().name) == ("line:ims", "trunk:hq")
    assert line_way().attempt("INVITE") is not None
    assert trunk_way().attempt("INVITE") is None


def refused(status: int, method: str = "INVITE", used: frozenset[Feature] = frozenset()) -> Refusal:
    return Refusal(method=method, status=status, reason="No", used=used)


def test_what_a_way_does_without_is_remembered_once_that_has_helped() -> None:
    learned = Learned()
    learned.follow({"line:ims": None})
    way = replace(line_way(), learned=learned)
    assert way.after(refused(486), unheard=True) is None
    lesser = way.after(refused(405, "PRACK"), unheard=True)
    assert lesser is not None
    assert not lesser.options.reliable
    assert learned.of("line:ims") == ()
    lesser.worked(frozenset())
    (lesson,) = learned.of("line:ims")
    assert (lesson.habit, lesson.said) == (Habit("100rel", on=False), "405 No to PRACK")
    assert lesser.after(refused(405, "PRACK"), unheard=True) is None, "a trial is not tried again"


def test_a_callee_who_is_busy_shows_that_nothing_was_wrong() -> None:
    learned = Learned()
    learned.follow({"line:ims": None})
    way = replace(line_way(uri_parameter="user=phone"), learned=learned)
    lesser = way.after(refused(404, used=frozenset({"user-phone"})), unheard=True)
    assert lesser is not None
    assert lesser.after(refused(486), unheard=True) is None
    assert [each.habit for each in learned.of("line:ims")] == [Habit("user-phone", on=False)]


@pytest.mark.parametrize(
    ("parameter", "habit", "number", "uri"),
    [
        ("user=phone", Habit("user-phone", on=False), "139", "sip:139@ims.example"),
        ("a=b;User=Phone", Habit("user-phone", on=False), "139", "sip:139@ims.example;a=b"),
        ("a=b", Habit("user-phone", on=False), "139", "sip:139@ims.example;a=b"),
        ("", Habit("user-phone", on=True), "139", "sip:139@ims.example;user=phone"),
        ("a=b", Habit("user-phone", on=True), "+139", "sip:+139@ims.example;a=b;user=phone"),
        ("user=phone", Habit("user-phone", on=True), "139", "sip:139@ims.example;user=phone"),
        ("", Habit("user-phone", on=True), "alice", "sip:alice@ims.example"),
        ("", Habit("plus", on=False), "+139", "sip:139@ims.example"),
        ("", Habit("100rel", on=False), "+139", "sip:+139@ims.example"),
    ],
)
def test_how_habits_of_a_line_write_a_number(parameter: str, habit: Habit, number: str, uri: str) -> None:
    way = replace(line_way(uri_parameter=parameter), habits=frozenset({habit}))
    assert way.uri(number) == uri
    assert way.shown(CALL, number).callee == f"<{uri.partition(';')[0]}>"


@pytest.mark.parametrize(
    ("number_format", "off", "number", "uri"),
    [
        ("tel", "tel", "+86139", "sip:+86139@192.0.2.9:5070"),
        ("tel", "tel", "205", "sip:205@192.0.2.9:5070"),
        ("tel", "plus", "+86139", "tel:86139;phone-context=192.0.2.9"),
        ("tel", "user-phone", "205", "tel:205;phone-context=192.0.2.9"),
        ("e164", "plus", "86139", "sip:86139@192.0.2.9:5070"),
        ("e164", "tel", "86139", "sip:+86139@192.0.2.9:5070"),
        ("sip", "plus", "+86139", "sip:86139@192.0.2.9:5070"),
    ],
)
def test_how_habits_of_a_trunk_write_a_number(
    number_format: str, off: Feature, number: str, uri: str
) -> None:
    way = replace(trunk_way(number_format=number_format), habits=frozenset({Habit(off, on=False)}))
    assert way.uri(number) == uri
    assert way.shown(CALL, number).callee == f"<{uri}>"
