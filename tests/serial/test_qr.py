"""The QR code on a terminal: what is drawn is the code, light on dark, and it fits.

Not tested here: a camera. That the modules are those of the encoder is.
"""

from __future__ import annotations

import pytest
import segno

from appliance.serial.qr import COLUMNS, LINES, qr_lines

URLS = [
    "https://192.0.2.5",
    "https://192.168.100.100",
    "https://192.168.100.100:8443",
    "https://branchbox.local",
]
LONG = "https://[2001:db8:1234:5678:9abc:def0:1234:5678]:8443"


def dark(lines: list[str], *, unicode: bool) -> list[list[bool]]:
    """The modules that a camera sees: what is not printed is dark."""
    if not unicode:
        return [[line[at : at + 2] == "  " for at in range(0, len(line), 2)] for line in lines]
    upper = {"█": False, "▀": False, "▄": True, " ": True}
    lower = {"█": False, "▀": True, "▄": False, " ": True}
    return [[half[each] for each in line] for line in lines for half in (upper, lower)]


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("url", URLS)
def test_what_is_drawn_is_the_code(url: str, unicode: bool) -> None:
    lines = qr_lines(url, unicode=unicode)
    if lines is None:
        assert not unicode
        assert len(url) > 25  # what the smallest code holds
        return
    assert len(lines) < LINES
    assert max(map(len, lines)) <= COLUMNS
    drawn = dark(lines, unicode=unicode)
    code = segno.make_qr(url.upper(), error="l", boost_error=False)
    size = len(code.matrix)
    border = (len(drawn[0]) - size) // 2
    assert border >= 1
    inner = [row[border : border + size] for row in drawn[border : border + size]]
    assert inner == [[bool(module) for module in row] for row in code.matrix]
    assert not any(module for row in drawn[:border] for module in row)


def test_the_longest_address_fits_in_blocks_and_not_in_letters() -> None:
    lines = qr_lines(LONG, unicode=True)
    assert lines is not None
    assert len(lines) < LINES
    assert qr_lines(LONG, unicode=False) is None
