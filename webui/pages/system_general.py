"""Save the box's language, host name and time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from appliance.locale import LANGUAGES
from webui import form, words
from webui.pages.language import language_cookie
from webui.pages.system import draw, zones_with
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

NTP = form.text("ntp", longest=300)


def save(visit: Visit) -> Answer:
    zones = form.choice("time_zone", zones_with(visit.perform("system", "show")["time_zone"]))
    reading = form.read(
        (form.choice("language", LANGUAGES), form.text("host_name", required=True), zones, NTP), visit.form
    )
    if not reading.good:
        return draw(visit, "general", reading)
    try:
        ntp = str(reading.values["ntp"]).replace(",", " ").split()
        visit.perform("system", "set", **{**reading.values, "ntp": ntp})
    except ConfigError as error:
        return draw(visit, "general", form.refused(reading, error))
    answer = visit.back_to("/system", "console.system.saved")
    language = reading.values["language"]
    if visit.session and words.is_language(language):
        visit.session.language = language
        answer = answer.with_header(*language_cookie(language))
    return answer


ROUTES = (Route("POST", "/system/general", save),)
