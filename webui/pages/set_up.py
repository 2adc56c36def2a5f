"""The one-time code from the serial console or the log, and a password: at first use, and when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.locale import LANGUAGES
from webui import form, words
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
)
LANGUAGE = form.choice("language", LANGUAGES)
"Asked the first time only."


def show(visit: Visit) -> Answer:
    return _draw(visit, form.Reading(typed={"language": visit.language}), first=not is_set_up(visit))


def save(visit: Visit) -> Answer:
    first = not is_set_up(visit)
    reading = form.read((*FIELDS, LANGUAGE) if first else FIELDS, visit.form)
    if reading.good and reading.values["password"] != reading.values["again"]:
        reading.errors["again"] = form.FieldError("console.form.not_the_same")
    if not reading.good:
        return _draw(visit, reading, 400, first=first)
    try:
        visit.perform("admin", "set-up", code=reading.values["code"], password=reading.values["password"])
        if first:
            visit.perform("system", "set", language=reading.values["language"])
    except ConfigError as error:
        return _draw(visit, form.refused(reading, error), 400, first=first)
    # Whoever knew the old password is logged out with it.
    visit.console.sessions.end_others("")
    chosen = reading.values.get("language", visit.language)
    language = chosen if words.is_language(chosen) else visit.language
    notice = "console.set_up.done" if first else "console.system.password_saved"
    return enter(visit, language, notice).with_header(*language_cookie(language))


def _draw(visit: Visit, reading: form.Reading, status: int = 200, *, first: bool) -> Answer:
    return visit.page("set_up.html", status, form=reading, first=first, shortest=SHORTEST_PASSWORD)


ROUTES = (
    Route("GET", "/set-up", show, Access.ANYONE),
    Route("POST", "/set-up", save, Access.ANYONE),
)
