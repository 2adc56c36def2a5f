"""One call that was, told in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit, record_id: str) -> Answer:
    return visit.page("record.html", record=visit.perform("records", "show", record_id))


ROUTES = (Route("GET", "/records/<record_id>", show),)
