"""Music on hold and tones: take the owner's file, go back to the built-in music, listen, choose the tones."""

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

TONES = form.text("tones", longest=40, required=True)


def take(visit: Visit) -> Answer:
    upload = visit.upload
    if upload is None or upload.file is None:
        return _refused(visit, form.FieldError("console.form.required"))
    try:
        visit.perform_on_the_box("music", "set", file=str(upload.file), title=upload.file_name)
    except ConfigError as error:
        return _refused(visit, form.FieldError(error.key, **error.params))
    return visit.back_to("/system#music", "console.music.taken")


def remove(visit: Visit) -> Answer:
    visit.perform("music", "remove")
    return visit.back_to("/system#music", "console.music.removed")


def listen(visit: Visit) -> Answer:
    """What people on hold hear. Ten minutes are 10 MB."""
    with TemporaryDirectory(prefix="branchbox-music-") as folder:
        file = Path(folder) / "music.wav"
        visit.perform_on_the_box("music", "save", file=str(file))
        return Answer(file.read_bytes(), 200, (("Content-Type", "audio/wav"),))


def set_tones(visit: Visit) -> Answer:
    reading = form.read([TONES], visit.form)
    if not reading.good:
        return draw(visit, "tones", reading)
    try:
        visit.perform("music", "set", **reading.values)
    except ConfigError as error:
        return draw(visit, "tones", form.refused(reading, error))
    return visit.back_to("/system#call-tones", "console.music.tones_saved")


def _refused(visit: Visit, error: form.FieldError) -> Answer:
    return draw(visit, "music", form.Reading(errors={"file": error}))


ROUTES = (
    Route("POST", "/system/music", take, takes_file=True),
    Route("POST", "/system/music/remove", remove),
    Route("POST", "/system/music/tones", set_tones),
    Route("GET", "/system/music/listen", listen),
)
