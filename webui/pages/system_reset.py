"""Make the box new again: for who proves the password once more and types the word."""

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

WORD = "RESET"
FIELDS = (form.secret("reset_password"), form.text("reset_word", longest=20, required=True))


def reset(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if reading.good and str(reading.values["reset_word"]).upper() != WORD:
        reading.errors["reset_word"] = form.FieldError("console.reset.wrong_word", word=WORD)
    if not reading.good:
        return draw(visit, "reset", reading)
    try:
        visit.perform("admin", "log-in", password=reading.values["reset_password"])
    except ConfigError as error:
        reading.errors["reset_password"] = form.FieldError(error.key, **error.params)
        return draw(visit, "reset", reading)
    try:
        visit.perform_on_the_box("box", "factory-reset")
    except ConfigError as error:
        return draw(visit, "reset", form.refused(reading, error))
    title, text = visit.say("console.reset.done"), visit.say("console.reset.done_text")
    return visit.page("message.html", title=title, text=text)


ROUTES = (Route("POST", "/system/reset", reset),)
