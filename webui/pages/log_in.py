"""Log in with the administrator's password. How often one may try is control's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.answer import redirect
from webui.routes import Access, Route
from webui.session import Notice, set_cookie

if TYPE_CHECKING:
    from appliance.locale import Language
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "enter", "is_set_up"]

FIELDS = (form.secret("password"),)


def show(visit: Visit) -> Answer:
    if visit.session:
        return redirect("/")
    if not is_set_up(visit):
        return redirect("/set-up")
    return visit.page("log_in.html", form=form.Reading())


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return visit.page("log_in.html", 400, form=reading)
    try:
        visit.perform("admin", "log-in", password=reading.values["password"])
    except ConfigError as error:
        status = 429 if "seconds" in error.params else 403
        return visit.page("log_in.html", status, form=form.refused(reading, error))
    return enter(visit, visit.language)


def enter(visit: Visit, language: Language, notice: str = "") -> Answer:
    """Log in: a new session under a new id; whatever id the browser had before counts for nothing."""
    sessions = visit.console.sessions
    sessions.end(visit.browser_id)
    session = sessions.start(language, visit.source)
    if notice:
        session.notice = Notice(notice)
    return redirect("/").with_header(*set_cookie(session.id))


def is_set_up(visit: Visit) -> bool:
    """Whether there is an administrator's password yet."""
    return bool(visit.perform("status", "show").get("set_up", True))


ROUTES = (
    Route("GET", "/log-in", show, Access.ANYONE),
    Route("POST", "/log-in", save, Access.ANYONE),
)
