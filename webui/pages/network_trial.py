"""The network that is on trial: how long still, on every page, and whether it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def live(visit: Visit) -> Answer:
    return visit.page("network_trial.part.html", asked_again=True)


def keep(visit: Visit) -> Answer:
    return _decide(visit, "confirm", "console.trial.kept")


def undo(visit: Visit) -> Answer:
    return _decide(visit, "undo", "console.trial.undone")


def _decide(visit: Visit, verb: str, notice: str) -> Answer:
    try:
        visit.perform("system", verb)
    except ConfigError as error:
        return visit.back_with_refusal("/system", error.key, **error.params)
    return visit.back_to("/system", notice)


ROUTES = (
    Route("GET", "/system/network/trial", live, Access.LIVE),
    Route("POST", "/system/network/keep", keep),
    Route("POST", "/system/network/undo", undo),
)
