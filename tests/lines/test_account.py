"""appliance/lines/account.py: carriers differ in each field. RFC 3261 §10.2, §19.1."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import ConfigError
from tests.lines.carrier import PASSWORD, account


def test_the_plainest_account() -> None:
    it = account()
    assert str(it.registrar_uri()) == "sip:carrier.example"
    assert str(it.address_of_record()) == "<sip:101@carrier.example>"
    assert (it.route(), str(it.next_hop()), it.digest_name) == ("", "sip:carrier.example", "101")
    assert (it.registered_user, it.fixed_contact()) == ("101", None)


@pytest.mark.parametrize(
    ("fields", "registrar", "next_hop", "route"),
    [
        ({"port": 5070}, "sip:carrier.example:5070", "sip:carrier.example:5070", ""),
        ({"port": 5070, "domain": "d.example"}, "sip:d.example", "sip:carrier.example:5070", ""),
        ({"server": "2001:db8::1"}, "sip:[2001:db8::1]", "sip:[2001:db8::1]", ""),
        ({"server": "[2001:db8::1]", "port": 1}, "sip:[2001:db8::1]:1", "sip:[2001:db8::1]:1", ""),
        ({"proxy": "p.example"}, "sip:carrier.example", "sip:p.example", "<sip:p.example;lr>"),
        (
            {"proxy": "192.0.2.7:5080", "domain": "d.example", "port": 5070},
            "sip:d.example", "sip:192.0.2.7:5080", "<sip:192.0.2.7:5080;lr>",
        ),
        ({"uri_parameter": "user=phone"}, "sip:carrier.example", "sip:carrier.example", ""),
        (
            {"uri_parameter": ";user=phone;x", "register_uri_parameter": True},
            "sip:carrier.example;user=phone;x", "sip:carrier.example", "",
        ),
    ],
)  # fmt: skip
def test_where_it_goes(fields: dict[str, Any], registrar: str, next_hop: str, route: str) -> None:
    it = account(**fields)
    assert (str(it.registrar_uri()), str(it.next_hop()), it.route()) == (registrar, next_hop, route)


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"domain": "d.example", "port": 5070}, "<sip:101@d.example>"),
        ({"from_user": "+1101"}, "<sip:+1101@carrier.example>"),
        ({"from_display": 'The "Office" 王'}, '"The \\"Office\\" 王" <sip:101@carrier.example>'),
        ({"uri_parameter": "user=phone"}, "<sip:101@carrier.example;user=phone>"),
        ({"account": "101@CARRIER.example"}, "<sip:101@carrier.example>"),
        ({"account": "me@mail.example"}, "<sip:me%40mail.example@carrier.example>"),
        ({"account": "a b>;x"}, "<sip:a%20b%3E;x@carrier.example>"),
    ],
)
def test_who_we_are(fields: dict[str, Any], address: str) -> None:
    assert str(account(**fields).address_of_record()) == address


def test_names_of_digest_and_contact() -> None:
    it = account(auth_name="a@b", contact_user="line1", from_user="x")
    assert (it.digest_name, it.registered_user) == ("a@b", "line1")
    assert account(account="101@carrier.example").digest_name == "101@carrier.example"


@pytest.mark.parametrize(
    ("given", "address"),
    [("seen", None), ("pbx.example", ("pbx.example", 0)), ("[2001:db8::1]:5070", ("2001:db8::1", 5070))],
)
def test_an_address_for_the_contact(given: str, address: tuple[str, int] | None) -> None:
    assert account(contact_address=given).fixed_contact() == address


def test_the_password_is_not_shown() -> None:
    it = account()
    for text in (repr(it), str(it), f"{it}", repr([it])):
        assert PASSWORD not in text
        assert "a pass" not in text
    assert "server='carrier.example'" in repr(it)


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("server", "", "error.not_a_server"),
        ("server", "a:5060", "error.not_a_server"),
        ("server", "a b", "error.not_a_server"),
        ("server", "a;lr", "error.not_a_server"),
        ("server", "u@a", "error.not_a_server"),
        ("server", "a>", "error.not_a_server"),
        ("server", "[x]", "error.not_a_server"),
        ("proxy", "a:0", "error.not_a_server"),
        ("proxy", "a:70000", "error.not_a_server"),
        ("proxy", "sip:a", "error.not_a_server"),
        ("domain", "a?b=c", "error.not_a_server"),
        ("contact_address", "a/b", "error.not_a_server"),
        ("account", "", "error.value_missing"),
        ("from_display", "a\r\nb", "error.control_character"),
        ("password", "\x00", "error.control_character"),
        ("uri_parameter", "a>b", "error.not_uri_parameters"),
        ("uri_parameter", "a;a", "error.not_uri_parameters"),
        ("uri_parameter", "a?b", "error.not_uri_parameters"),
        ("port", -1, "error.out_of_range"),
        ("port", 65_536, "error.out_of_range"),
        ("expiry", 29, "error.out_of_range"),
        ("transport", "ws", "error.not_a_choice"),
    ],
)
def test_what_cannot_be(field: str, value: Any, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        account(**{field: value})
    assert (caught.value.path, caught.value.key) == (f"lines.l1.{field}", key)
