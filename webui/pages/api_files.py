"""Files for the JSON API: an update, music on hold, a prompt. The file itself is the body; it is read for whoever has a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError, PeerError
from webui.answer import json_answer
from webui.bearer import NO_TOKEN, error_answer, token_of
from webui.pages.api import status_of
from webui.routes import Access, Route
from webui.upload import MOST_BUNDLE

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]


def update(visit: Visit) -> Answer:
    """Taken for a trial: whether it is a good one, `GET /api/v1/update` tells some minutes later."""
    return _put(visit, "update", "install", None, 202)


def music(visit: Visit) -> Answer:
    return _put(visit, "music", "set", None, 200, title=visit.query.get("title", "music.wav"))


def prompt(visit: Visit, key: str) -> Answer:
    return _put(visit, "prompts", "set", key, 200)


def _put(visit: Visit, area: str, verb: str, key: str | None, status: int, **values: Any) -> Answer:
    token_id = token_of(visit)
    if token_id is None or visit.upload is None:
        return error_answer(NO_TOKEN, 401, visit)
    try:
        # The file is where the console put it, so that it may be named to control.
        taken = {"file": str(visit.upload.file), **values}
        return json_answer(visit.console.perform(area, verb, key, taken, f"local:api:{token_id}"), status)
    except (ConfigError, PeerError) as error:
        return error_answer(error, status_of(error), visit)


ROUTES = (
    Route("PUT", "/api/v1/update/file", update, Access.BEARER, takes_file=True, most_upload=MOST_BUNDLE),
    Route("PUT", "/api/v1/music/file", music, Access.BEARER, takes_file=True),
    Route("PUT", "/api/v1/prompts/<key>/file", prompt, Access.BEARER, takes_file=True),
)
