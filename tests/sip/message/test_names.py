"""Header names: any case, compact forms. RFC 3261 §7.3.1, §7.3.3."""

from __future__ import annotations

import pytest

from appliance.errors import PeerError
from appliance.sip.message.names import COMPACT, DISPLAY, KEYS, header_key, is_token


@pytest.mark.parametrize("name", ["Call-ID", "call-id", "CALL-ID", "cAlL-Id", "i", "I", "Call-ID  ", "i\t"])
def test_all_spellings_have_one_key(name: str) -> None:
    assert header_key(name) == "call-id"


def test_each_compact_form_stands_for_a_name_we_can_write() -> None:
    for letter, key in COMPACT.items():
        assert header_key(letter) == header_key(letter.upper()) == key
        assert header_key(DISPLAY[key]) == key


def test_the_table_of_spellings_agrees_with_the_rule() -> None:
    for spelling, key in KEYS.items():
        assert COMPACT.get(spelling.lower(), spelling.lower()) == key


@pytest.mark.parametrize("name", ["", " ", "a b", "a:b", "nämlich", "a\x00", "<a>", " Via"])
def test_what_is_no_token_is_no_name(name: str) -> None:
    with pytest.raises(PeerError):
        header_key(name)


def test_unknown_names_are_taken() -> None:
    assert header_key("X-Thing") == "x-thing"
    assert header_key("C%6Fntact") == "c%6fntact"


def test_tokens() -> None:
    assert is_token("!interesting-Method0123456789_*+`.%indeed'~")
    assert not is_token("")
