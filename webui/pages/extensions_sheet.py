"""The passwords just made, to print or to save: shown until they are put away, or the session ends.

RFC 4180 (CSV). The rows live in the session only; no address holds them, and nothing is written to the card.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from webui.answer import download, redirect
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
"What makes a spreadsheet run a cell instead of showing it."


def show(visit: Visit) -> Answer:
    generated = visit.session.generated if visit.session else None
    if generated is None:
        return redirect("/extensions")
    addresses = visit.perform("status", "show").get("addresses") or [""]
    return visit.page("extensions_sheet.html", rows=generated.rows, server=addresses[0])


def save_csv(visit: Visit) -> Answer:
    generated = visit.session.generated if visit.session else None
    if generated is None:
        return redirect("/extensions")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("number", "name", "password"))
    writer.writerows((number, _harmless(name), password) for number, name, password in generated.rows)
    # With a byte-order mark spreadsheets read the names as UTF-8.
    return download("\ufeff" + text.getvalue(), "extensions.csv", "text/csv; charset=utf-8")


def put_away(visit: Visit) -> Answer:
    if visit.session:
        visit.session.generated = None
    return visit.back_to("/extensions")


def _harmless(name: str) -> str:
    return "'" + name if name.startswith(FORMULA_MARKS) else name


ROUTES = (
    Route("GET", "/extensions/sheet", show),
    Route("POST", "/extensions/sheet/csv", save_csv),
    Route("POST", "/extensions/sheet/put-away", put_away),
)
