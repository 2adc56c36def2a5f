"""What people type to have checked. RFC 1035 §2.3.4, RFC 3261 §19.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.diagnosis.dns_name import MAX_NAME, NAME, host_of
from appliance.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sip.example", "sip.example"),
        (" SIP.Example. ", "sip.example"),
        ("sip.example:5060", "sip.example"),
        ("sip:101@sip.example:5070;transport=tcp?X=y@z", "sip.example"),
        ("<sips:sip.example;lr>", "sip.example"),
        ("SIP:sip.example", "sip.example"),
        ("_sip._udp.sip.example", "_sip._udp.sip.example"),
        ("localhost", "localhost"),
        ("中国.example", "xn--fiqs8s.example"),
        ("中国。example:5060", "xn--fiqs8s.example"),
    ],
)
def test_the_host_is_taken(text: str, name: str) -> None:
    assert host_of(text) == name


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "error.bad_dns_name"),
        (".", "error.bad_dns_name"),
        ("a..b", "error.bad_dns_name"),
        ("-a.example", "error.bad_dns_name"),
        ("a b.example", "error.bad_dns_name"),
        ("a.example\n", ""),
        ("a.exam\nple", "error.bad_dns_name"),
        ("a.example/../x", "error.bad_dns_name"),
        ("http://a.example/", "error.bad_dns_name"),
        ("sip:", "error.bad_dns_name"),
        ("sip:a@b@c", "error.bad_dns_name"),
        ("x" * 64 + ".example", "error.bad_dns_name"),
        ("x." * 121 + "x", "error.bad_dns_name"),
        ("x." * 100_000, "error.bad_dns_name"),
        ("电" * 300 + ".example", "error.bad_dns_name"),
        ("\udcff.example", "error.bad_dns_name"),
        ("192.0.2.1", "error.address_needs_no_dns"),
        ("192.0.2.1:5060", "error.address_needs_no_dns"),
        ("sip:[2001:db8::1]:5060", "error.address_needs_no_dns"),
        ("[2001:db8::1]", "error.address_needs_no_dns"),
        ("2001:db8::a", "error.address_needs_no_dns"),
    ],
)
def test_what_is_no_name_is_refused(text: str, key: str) -> None:
    if not key:
        assert host_of(text) == "a.example"
        return
    with pytest.raises(ConfigError) as refused:
        host_of(text)
    assert (refused.value.path, refused.value.key) == ("dns-check", key)


@given(st.text(max_size=600))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = host_of(text)
    except ConfigError:
        return
    assert NAME.fullmatch(name)
    assert len(name) <= MAX_NAME
    assert host_of(name) == name
