"""Log out: the session ends here, and the browser gets an id that means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.answer import redirect
from webui.routes import Access, Route
from webui.session import new_id, set_cookie

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def save(visit: Visit) -> Answer:
    visit.console.sessions.end(visit.browser_id)
    # Pages are not kept anyway (no-store); this also empties what a browser keeps for "back".
    return redirect("/log-in").with_header(*set_cookie(new_id())).with_header("Clear-Site-Data", '"cache"')


ROUTES = (Route("POST", "/log-out", save, Access.ANYONE),)
