"""The calls that were: newest first, a page at a time, of one number if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["PAGE", "ROUTES"]

PAGE = 50
"Records a page."


def show(visit: Visit) -> Answer:
    number = visit.query.get("number", "").strip()[:40]
    before = visit.query.get("before", "")
    asked: dict[str, Any] = {"limit": PAGE + 1}
    if number:
        asked["number"] = number
    if before:
        asked["before"] = before[:64]
    rows = visit.perform("records", "list", **asked)
    # One more than a page was asked for: it tells that there is a next page, and is not shown.
    older = rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    return visit.page(
        "records.html", records=rows[:PAGE], number=number, older=older, newer="before" in asked
    )


ROUTES = (Route("GET", "/records", show),)
