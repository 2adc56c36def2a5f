"""Restore a backup: choose a file, see what it holds and would change, and only then put it in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from webui import form
from webui.places import title_of
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

PASSPHRASE = form.secret("passphrase", omit_empty=True)
TOKEN = form.text("token", longest=60, required=True)
FILES = ("certs", "prompts", "voicemail", "recordings")
NAMES = {
    "extensions": "console.nav.extensions",
    "records": "console.nav.records",
    "system": "console.nav.system",
    "dial-plan": "console.ways.plan",
    "music": "console.music.title",
    "backup-schedule": "console.backups.title",
    "lines": "console.ways.lines",
    "trunks": "console.ways.trunks",
    "routes": "console.ways.routes",
}
"Of what a backup holds; services have names of their own."


def show(visit: Visit) -> Answer:
    return _draw(visit, form.Reading())


def look(visit: Visit) -> Answer:
    """Of a file that was sent, or of one that the schedule has made; only its name comes from the browser."""
    reading = form.read([PASSPHRASE], visit.form)
    file = _file(visit)
    if file is None:
        reading.errors["file"] = form.FieldError("console.form.required")
        return _draw(visit, reading)
    try:
        looked = visit.perform_on_the_box("backup", "look", file=file, **reading.values)
    except ConfigError as error:
        name = error.path.rpartition(".")[2]
        where = name if name == "passphrase" else "file"
        reading.errors[where] = form.FieldError(error.key, **error.params)
        return _draw(visit, reading)
    counted = {name: number for name, number in looked["holds"].items() if number}
    return visit.page(
        "restore_preview.html",
        looked=looked,
        holds=[(_name(visit, each), number) for each, number in counted.items()],
        changes=[(_name(visit, each["area"]), each) for each in looked["changes"]],
    )


def restore(visit: Visit) -> Answer:
    reading = form.read([TOKEN], visit.form)
    if not reading.good:
        return visit.back_to("/system/restore")
    done = visit.perform_on_the_box("backup", "restore", **reading.values)
    # The password may be another now.
    visit.console.sessions.end_others(visit.browser_id)
    notice = "console.backups.restored_restart" if done["restart_needed"] else "console.backups.restored"
    return visit.back_to("/system#backup", notice)


def _file(visit: Visit) -> str | None:
    if visit.upload is not None and visit.upload.file is not None:
        return str(visit.upload.file)
    chosen = visit.form.get("chosen", "")
    known = [each["file"] for each in visit.perform("backup", "list")] if chosen else []
    return next((file for file in known if file == chosen), None)


def _draw(visit: Visit, reading: form.Reading) -> Answer:
    kept: list[dict[str, Any]] = visit.perform("backup", "list")
    names = [(each["file"], each["file"].rpartition("/")[2]) for each in kept]
    return visit.page("restore.html", 200 if reading.good else 400, form=reading, kept=names)


def _name(visit: Visit, what: str) -> str:
    if what in FILES:
        return visit.say(f"console.backups.files.{what}")
    if what in NAMES:
        return visit.say(NAMES[what])
    return visit.say("console.system.password") if what == "administrators" else title_of(visit, what)


ROUTES = (
    Route("GET", "/system/restore", show),
    Route("POST", "/system/restore", look, takes_file=True),
    Route("POST", "/system/restore/apply", restore),
)
