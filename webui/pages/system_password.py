"""Change the administrator's password; everybody else is logged out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.set_up import SHORTEST_PASSWORD
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.secret("current"), form.secret("password", shortest=SHORTEST_PASSWORD), form.secret("again"))


def save(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if reading.good and reading.values["password"] != reading.values["again"]:
        reading.errors["again"] = form.FieldError("console.form.not_the_same")
    if not reading.good:
        return draw(visit, "password", reading)
    try:
        visit.perform(
            "admin", "set-password", current=reading.values["current"], password=reading.values["password"]
        )
    except ConfigError as error:
        if error.key == "error.wrong_password":
            reading.errors["current"] = form.FieldError(error.key)
            return draw(visit, "password", reading)
        return draw(visit, "password", form.refused(reading, error))
    visit.console.sessions.end_others(visit.browser_id)
    return visit.back_to("/system", "console.system.password_saved")


ROUTES = (Route("POST", "/system/password", save),)
