"""Prompts: take a WAV file under a name, listen to it, remove it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from appliance.errors import ConfigError
from webui import form
from webui.answer import Answer
from webui.pages.system import draw
from webui.routes import Route

if TYPE_CHECKING:
    from webui.visit import Visit

__all__ = ["ROUTES"]

NAME = form.text("name", longest=32, required=True)


def take(visit: Visit) -> Answer:
    upload = visit.upload
    reading = form.read([NAME], visit.form)
    if upload is None or upload.file is None:
        reading.errors["file"] = form.FieldError("console.form.required")
    if upload is None or upload.file is None or not reading.good:
        return draw(visit, "prompts", reading)
    try:
        visit.perform_on_the_box("prompts", "set", str(reading.values["name"]), file=str(upload.file))
    except ConfigError as error:
        field = "name" if error.key == "error.bad_prompt_name" else "file"
        reading.errors[field] = form.FieldError(error.key, **error.params)
        return draw(visit, "prompts", reading)
    return visit.back_to("/system#prompts", "console.prompts.taken")


def remove(visit: Visit, name: str) -> Answer:
    try:
        visit.perform("prompts", "remove", name)
    except ConfigError as error:
        return draw(
            visit, "prompts", form.Reading(errors={"file": form.FieldError(error.key, **error.params)})
        )
    return visit.back_to("/system#prompts", "console.prompts.removed")


def listen(visit: Visit, name: str) -> Answer:
    with TemporaryDirectory(prefix="branchbox-prompt-") as folder:
        file = Path(folder) / "prompt.wav"
        visit.perform_on_the_box("prompts", "save", name, file=str(file))
        return Answer(file.read_bytes(), 200, (("Content-Type", "audio/wav"),))


ROUTES = (
    Route("POST", "/system/prompts", take, takes_file=True),
    Route("POST", "/system/prompts/<name>/remove", remove),
    Route("GET", "/system/prompts/<name>/listen", listen),
)
