"""Addresses of servers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config.server_address import server_address, written


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("223.5.5.5", ("223.5.5.5", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:DB8:0::1]", ("2001:db8::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("fe80::1%eth0", ("fe80::1%eth0", 53)),
    ],
)
def test_read(text: str, address: tuple[str, int]) -> None:
    assert server_address(text, 53) == address


@pytest.mark.parametrize(
    "text",
    ["", "dns.example", "223.5.5", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:５３", "[1.2.3.4", "[]:53", "::", "0.0.0.0", "224.0.0.1", "1.2.3.4:5:3", "1.2.3.4 "],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):
        server_address(text, 53)


@given(st.ip_addresses().filter(lambda each: not each.is_multicast and int(each)), st.integers(1, 65_535))
def test_what_is_written_reads_as_the_same(host: object, port: int) -> None:
    assert server_address(written((str(host), port)), 53) == (str(host), port)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        host, port = server_address(text, 53)
    except ValueError:
        return
    assert server_address(written((host, port)), 53) == (host, port)
