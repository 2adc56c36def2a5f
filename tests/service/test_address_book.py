"""appliance/service/address_book.py: what people are told to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.service.address_book import AddressBook
from appliance.service.options import Options

OWN = ["192.0.2.5", "198.51.100.7", "2001:db8::5"]


def book(sip: str, web: tuple[str, int], own: list[str]) -> AddressBook:
    options = Options(Path("var"), (sip, 5060), (sip, 5061), web, (30000, 34999))
    return AddressBook(options, lambda: own)


@pytest.mark.parametrize(
    ("host", "own", "expected"),
    [
        ("0.0.0.0", OWN, OWN),
        ("::", OWN, OWN),
        ("192.0.2.5", OWN, ["192.0.2.5"]),
        ("0.0.0.0", [], ["127.0.0.1"]),
        ("0.0.0.0", OWN[2:], OWN[2:]),
    ],
)
def test_phones_are_told_every_address_that_is_listened_on(
    host: str, own: list[str], expected: list[str]
) -> None:
    assert book(host, ("0.0.0.0", 443), own).addresses() == expected


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        (("0.0.0.0", 443), "https://192.0.2.5/"),
        (("0.0.0.0", 8443), "https://192.0.2.5:8443/"),
        (("::", 8443), "https://192.0.2.5:8443/"),
        (("2001:db8::5", 8443), "https://[2001:db8::5]:8443/"),
        (("::1", 443), "https://[::1]/"),
    ],
)
def test_the_consoles_address_is_one_to_type(web: tuple[str, int], expected: str) -> None:
    assert book("0.0.0.0", web, OWN).console_url() == expected


def test_a_listening_address_for_people_has_brackets_where_it_needs_them() -> None:
    shown = book("2001:db8::5", ("::", 8443), OWN)
    assert shown.where(shown.sip) == "[2001:db8::5]:5060"
    assert shown.where(("192.0.2.5", 5060)) == "192.0.2.5:5060"
