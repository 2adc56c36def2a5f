"""First use: the one-time code from the serial console or the log, a language, the administrator's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.locale import LANGUAGES
from webui import form, words
from webui.answer import redirect
from webui.pages.language import language_cookie
from webui.pages.log_in import enter, is_set_up
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "SHORTEST_PASSWORD"]

SHORTEST_PASSWORD = 8
"Characters; control asks for no fewer."

FIELDS = (
    form.text("code", longest=40, required=True),
    form.secret("password", shortest=SHORTEST_PASSWORD),
    form.secret("again"),
    form.choice("language", LANGUAGES),
)


def show(visit: Visit) -> Answer:
    if is_set_up(visit):
        return redirect("/log-in")
    return _draw(visit, form.Reading(typed={"language": visit.language}))


def save(visit: Visit) -> Answer:
    if is_set_up(visit):
        return redirect("/log-in")
    reading = form.read(FIELDS, visit.form)
    if reading.good and reading.values["password"] != reading.values["again"]:
        reading.errors["again"] = form.FieldError("console.form.not_the_same")
    if not reading.good:
        return _draw(visit, reading, 400)
    code, password, language = (reading.values[name] for name in ("code", "password", "language"))
    try:
        visit.perform("admin", "set-up", code=code, password=password)
        visit.perform("system", "set", language=language)
    except ConfigError as error:
        return _draw(visit, form.refused(reading, error), 400)
    chosen = language if words.is_language(language) else visit.language
    return enter(visit, chosen, "console.set_up.done").with_header(*language_cookie(chosen))


def _draw(visit: Visit, reading: form.Reading, status: int = 200) -> Answer:
    return visit.page("set_up.html", status, form=reading, shortest=SHORTEST_PASSWORD)


ROUTES = (
    Route("GET", "/set-up", show, Access.ANYONE),
    Route("POST", "/set-up", save, Access.ANYONE),
)
