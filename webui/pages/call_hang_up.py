"""End a call from outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError, PeerError
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def save(visit: Visit, call_id: str) -> Answer:
    try:
        visit.perform("calls", "hang-up", call_id)
    except (ConfigError, PeerError):
        # Most often the call has just ended by itself, which is what was wanted.
        return visit.back_with_refusal("/calls", "console.calls.gone")
    return visit.back_to("/calls", "console.calls.hung_up")


ROUTES = (Route("POST", "/calls/<call_id>/hang-up", save),)
