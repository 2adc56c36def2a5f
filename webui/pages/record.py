"""One call that was, told in plain words, and its messages for whoever looks for a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit, record_id: str) -> Answer:
    record = visit.perform("records", "show", record_id)
    return visit.page("record.html", record=record, messages=_messages(visit, record_id))


def _messages(visit: Visit, record_id: str) -> list[dict[str, Any]]:
    """Its messages, oldest first; none when the exchange keeps them no more."""
    try:
        messages: list[dict[str, Any]] = visit.perform("trace", "show", record_id)
    except ConfigError:
        return []
    return messages


ROUTES = (Route("GET", "/records/<record_id>", show),)
