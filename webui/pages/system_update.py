"""Ask for an update, by its address or as a file. It is checked and tried without this page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.pages.system import draw
from webui.routes import Route
from webui.upload import MOST_BUNDLE

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

FIELDS = (form.text("source", longest=500),)


def install(visit: Visit) -> Answer:
    reading = form.read(FIELDS, visit.form)
    if not reading.good:
        return draw(visit, "updating", reading)
    try:
        visit.perform("update", "install", source=reading.values["source"])
    except ConfigError as error:
        return draw(visit, "updating", form.refused(reading, error))
    return visit.back_to("/system", "console.update.asked")


def take(visit: Visit) -> Answer:
    upload = visit.upload
    if upload is None or upload.file is None:
        error = form.FieldError("console.form.required")
        return draw(visit, "updating", form.Reading(errors={"file": error}))
    try:
        visit.perform_on_the_box("update", "install", file=str(upload.file))
    except ConfigError as error:
        return draw(
            visit, "updating", form.Reading(errors={"file": form.FieldError(error.key, **error.params)})
        )
    return visit.back_to("/system#update", "console.update.asked")


ROUTES = (
    Route("POST", "/system/update", install),
    Route("POST", "/system/update/file", take, takes_file=True, most_upload=MOST_BUNDLE),
)
