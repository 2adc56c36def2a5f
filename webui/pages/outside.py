"""The world outside: lines and trunks as they are now, the routes in their order, the dial plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def show(visit: Visit) -> Answer:
    routes, plan = visit.perform("routes", "list"), visit.perform("dial-plan", "show")
    return visit.page("outside.html", routes=routes, plan=plan, **_content(visit))


def live(visit: Visit) -> Answer:
    return visit.page("outside.part.html", **_content(visit))


def _content(visit: Visit) -> dict[str, Any]:
    lines, trunks = visit.perform("lines", "list"), visit.perform("trunks", "list")
    for each in trunks:
        each["peers_now"] = [_peer(text) for text in each["peer_states"]]
    for each in (*lines, *trunks):
        each["refused_now"] = [_refused(text) for text in each.get("refused", ())]
    return {"lines": lines, "trunks": trunks}


def _peer(text: str) -> dict[str, str]:
    """One of `peer_states`: the peer, its state, and what it said."""
    name, _, told = text.partition(" ")
    state, _, reason = told.partition(" ")
    return {"name": name, "state": state, "reason": reason}


def _refused(text: str) -> dict[str, str]:
    """One of `refused`: why, and how many calls."""
    cause, _, calls = text.partition(" ")
    return {"cause": cause, "calls": calls}


ROUTES = (
    Route("GET", "/outside", show),
    Route("GET", "/outside/live", live, Access.LIVE),
)
