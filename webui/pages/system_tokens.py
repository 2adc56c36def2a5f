"""Tokens for programs that use the API: made here, shown once, taken back here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.text("name", longest=60, required=True),)


def add(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, "token", reading)
    try:
        made = visit.perform("admin", "add-token", **reading.values)
    except ConfigError as error:
        return draw(visit, "token", form.refused(reading, error))
    # Drawn at once instead of after a redirect: the token is kept nowhere, not even in the session.
    return draw(visit, new_token=made)


def remove(visit: Visit, token_id: str) -> Answer:
    visit.perform("admin", "remove-token", token_id)
    return visit.back_to("/system", "console.system.token_removed")


ROUTES = (
    Route("POST", "/system/tokens", add),
    Route("POST", "/system/tokens/<token_id>/remove", remove),
)
