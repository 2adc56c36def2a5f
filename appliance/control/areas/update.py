"""Area `update`: how the last update went, and asking for another. Done by root in `branchbox update --requested`."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from appliance import __version__
from appliance.backup.on_stick import copy_bundle
from appliance.control.area import Area, Done, Nothing, Request, Verb
from appliance.control.parts import moment
from appliance.errors import ConfigError
from appliance.system import box
from appliance.system.update.offer import is_newer, running_version
from appliance.system.update.state import Outcome, read_state

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA", "Update"]

COPIED = "update.bundle.part"
"In the data folder, while it comes from a stick."
RELEASES = "BRANCHBOX_RELEASES"
"The folder of updates, as the unit names it; from a checkout there is none."


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands."""

    version: str
    "What runs."
    security_level: int = 0
    trial: str | None = None
    "The version on trial."
    last: str | None = None
    "The version that was tried last."
    outcome: Outcome | None = None
    missing: list[str] = []
    "The checks that `last` did not pass."
    refused: str | None = None
    "The locale key of the reason why the last one that was asked for was not taken."
    params: dict[str, str] = {}
    "What the reason's placeholders stand for."
    offered: str | None = None
    "A newer version that was found where it is looked for."
    offered_made_on: str = ""
    "The day on which that was built; empty: it does not say."
    offered_notes: dict[str, str] = {}
    "What is new in it, by language."
    offered_at: str = ""
    "The address to install it from."
    looked_at: datetime | None = None
    "When somebody looked last."
    seen_at: datetime | None = None
    "When there was a good update last, newer or not."
    problem: str = ""
    "The locale key of the reason why nothing could be seen."
    problem_params: dict[str, str] = {}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where an update is: one of the three."""

    source: str = ""
    "An http or https address."
    file: str = ""
    "The absolute path of a file on the disk that has the data, which is moved away. Only on the box itself."
    stick: str = ""
    "A file on a USB stick, as `stick list` tells of it; it is copied."


async def show(_: Parts, __: Request[Nothing]) -> Update:
    folder = os.environ.get(RELEASES)
    if not folder:
        return Update(version=__version__)
    state = await anyio.to_thread.run_sync(read_state, Path(folder))
    looked = state.looked
    offered = (
        looked.version
        if looked and looked.version and is_newer(looked.version, running_version(state))
        else None
    )
    return Update(
        version=__version__,
        offered=offered,
        offered_made_on=looked.made_on if looked and offered else "",
        offered_notes=looked.notes if looked and offered else {},
        offered_at=looked.address if looked and offered else "",
        looked_at=moment(looked.at) if looked else None,
        seen_at=moment(looked.seen_at) if looked else None,
        problem=looked.problem if looked else "",
        problem_params=looked.params if looked else {},
        security_level=state.security_level,
        trial=state.trial.version if state.trial else None,
        last=state.last.version if state.last else None,
        outcome=state.last.outcome if state.last else None,
        missing=list(state.last.missing) if state.last else [],
        refused=state.refused.key if state.refused else None,
        params=state.refused.params if state.refused else {},
    )


async def install(parts: Parts, request: Request[Source]) -> Done:
    folder, wanted = parts.store.folder, request.values
    source, file = wanted.source.strip(), wanted.file
    if file and not request.is_local:
        raise ConfigError("update", "error.only_on_the_box")
    try:
        if wanted.stick:
            box.check_appliance()
            copied = folder / COPIED
            await anyio.to_thread.run_sync(copy_bundle, Path(wanted.stick), copied)
            await anyio.to_thread.run_sync(box.request_uploaded_update, folder, copied)
        elif file:
            await anyio.to_thread.run_sync(box.request_uploaded_update, folder, Path(file))
        else:
            await anyio.to_thread.run_sync(box.request_update, folder, source)
    except OSError as error:
        name = str(error.filename or box.REQUEST_FILE)
        raise ConfigError("update", "error.cannot_write", file=name, reason=error.strerror) from error
    return Done()


AREA = Area(
    "update",
    "Updates of the box",
    (
        Verb("show", show, Nothing, Update, "What is on trial, and how the last update went"),
        Verb("install", install, Source, Done, "Fetch a signed update and try it"),
    ),
)
