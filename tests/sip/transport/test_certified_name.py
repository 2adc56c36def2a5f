"""appliance/sip/transport/certified_name.py: RFC 5922 §7.1, §7.2."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.sip.transport.certified_name import certified_names, certifies

SUBJECT = ((("organizationName", "Example"),), (("commonName", "cn.example"),))


@pytest.mark.parametrize(
    ("alternatives", "names"),
    [
        ([("DNS", "A.example")], {"a.example"}),
        ([("DNS", "a.example"), ("URI", "sip:b.example")], {"a.example", "b.example"}),
        # §7.1: a user, another scheme, and what is no URI name no domain.
        ([("URI", "sip:alice@a.example"), ("URI", "sips:b.example"), ("URI", "sip:")], set()),
        # §7.2: no wildcards.
        ([("DNS", "*.example"), ("URI", "sip:a.example")], {"a.example"}),
        ([("IP Address", "192.0.2.1"), ("IP Address", "2001:DB8:0:0:0:0:0:1")], {"192.0.2.1", "2001:db8::1"}),
        # §7.1: an alternative name of any kind silences the common name.
        ([("email", "a@a.example")], set()),
        ([], {"cn.example"}),
    ],
)
def test_names(alternatives: list[tuple[str, str]], names: set[str]) -> None:
    certificate: dict[str, Any] = {"subject": SUBJECT}
    if alternatives:
        certificate["subjectAltName"] = tuple(alternatives)
    assert certified_names(certificate) == names


def test_comparing() -> None:
    certificate = {"subjectAltName": (("DNS", "a.example"), ("IP Address", "0:0:0:0:0:0:0:1"))}
    for name in ("a.example", "A.EXAMPLE", "a.example.", "::1", "[::1]"):
        assert certifies(certificate, name)
    for name in ("b.a.example", "example", "*.example", "", "127.0.0.1"):
        assert not certifies(certificate, name)
    assert not certifies({}, "a.example")
