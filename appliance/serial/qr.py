"""The console's address as a QR code that fits a terminal of 80 columns and 24 lines.

ISO/IEC 18004: alphanumeric mode takes capitals only, and host names and schemes do not mind (RFC 3986 §6.2.2.1).
"""

from __future__ import annotations

import segno

__all__ = ["qr_lines"]

COLUMNS, LINES = 80, 24
PAGE = LINES - 1
"One line is left for the prompt below."


def qr_lines(url: str, *, unicode: bool) -> list[str] | None:
    """The lines to print on a terminal that shows light on dark; None when the code would not fit.

    With `unicode` two modules share a character by half blocks; otherwise a module is two characters of ASCII.
    """
    code = segno.make_qr(url.upper() if url.isascii() else url, error="l", boost_error=False)
    # The quiet zone should be 4 modules wide, but every reader we tried takes 1 where there is no room.
    for border in (4, 2, 1):
        modules = [[bool(module) for module in row] for row in code.matrix_iter(border=border)]
        lines = _half_blocks(modules) if unicode else _ascii(modules)
        if len(lines) <= PAGE and len(lines[0]) <= COLUMNS:
            return lines
    return None


def _half_blocks(modules: list[list[bool]]) -> list[str]:
    # The terminal's own background is the dark; what is printed is the light.
    shapes = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    dark = [True] * len(modules[0])
    pairs = zip(modules[::2], [*modules[1::2], dark], strict=False)
    return ["".join(shapes[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs]


def _ascii(modules: list[list[bool]]) -> list[str]:
    return ["".join("  " if dark else "##" for dark in row) for row in modules]
