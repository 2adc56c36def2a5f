"""The WSGI application: takes a request apart, lets the guard look at it, calls its page, sends the answer.

bottle is used for routing only, and only here; pages know `Visit` and `Answer`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import bottle

from appliance.errors import ConfigError, PeerError
from webui.assets import Assets
from webui.bearer import error_answer, token_of
from webui.guard import SECURITY_HEADERS, refuse
from webui.pages import ROUTES
from webui.request import BodyRefusedError, visit_of
from webui.routes import Access, Route
from webui.session import Sessions, set_cookie
from webui.templating import Templates
from webui.upload import has_file, received, received_alone
from webui.visit import Console, Perform, Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from webui.answer import Answer

__all__ = ["create_app"]

logger = logging.getLogger(__name__)

API_REFUSALS = {
    400: "console.api.cut_off",
    411: "console.api.no_length",
    413: "console.api.too_large",
    507: "console.api.no_room",
}
"What a program is told of a body that is not taken, by HTTP status."


def create_app(
    perform: Perform,
    *,
    describe: Callable[[], dict[str, Any]],
    sessions: Sessions | None = None,
    spool: Path | None = None,
) -> Any:
    """The console as a WSGI application. `spool` is the folder for what is uploaded; None: the system's.

    `perform` is `control.perform` as a blocking call, `describe` control's account of its areas.
    """
    assets = Assets()
    console = Console(perform, Templates(assets), describe, Sessions() if sessions is None else sessions)
    app = bottle.Bottle()
    for route in ROUTES:
        app.route(route.path, route.method, _callback(console, route, spool))
    app.route("/static/<digest>/<name:path>", "GET", lambda digest, name: _send(assets.serve(digest, name)))
    app.default_error_handler = _error_handler(console)
    return app


def _callback(console: Console, route: Route, spool: Path | None) -> Callable[..., Any]:
    def call(**parts: str) -> Any:
        try:
            environ, keeps_alive = bottle.request.environ, route.access is not Access.LIVE
            is_alone = route.access is Access.BEARER
            with_file = route.takes_file and (is_alone or has_file(environ))
            visit = visit_of(console, environ, keeps_alive=keeps_alive, with_form=not with_file)
            if not with_file or not (token_of(visit) if is_alone else visit.session):
                return _send(_answer(visit, route, parts), visit)
            read = received_alone if is_alone else received
            with read(environ, route.most_upload, spool) as upload:
                visit.upload, visit.form = upload, upload.fields
                return _send(_answer(visit, route, parts), visit)
        except BodyRefusedError as error:
            raise bottle.HTTPError(error.status) from error

    return call


def _answer(visit: Visit, route: Route, parts: dict[str, str]) -> Answer:
    try:
        return refuse(route, visit) or route.handler(visit, **parts)
    except ConfigError as error:
        status = 404 if error.key == "error.not_found" else 400
        return _message(visit, status, "console.problem.title", visit.say(error.key, **error.params))
    except PeerError as error:
        return _message(visit, 409, "console.problem.title", error.reason)
    except BodyRefusedError:
        raise
    except Exception:
        # Whatever it was, it is ours; the log has it whole, the reader is told that it is there.
        logger.exception("the page %s %s failed", visit.method, visit.path)
        return _message(visit, 500, "console.broken.title", visit.say("console.broken.text"))


def _message(visit: Visit, status: int, title: str, text: str) -> Answer:
    return visit.page("message.html", status, title=visit.say(title), text=text)


def _error_handler(console: Console) -> Callable[[Any], Any]:
    """For what bottle refuses by itself: an unknown address, a method a page does not have, a huge form."""

    def handle(error: Any) -> Any:
        for name, value in (*SECURITY_HEADERS, ("Cache-Control", "no-store")):
            bottle.response.set_header(name, value)
        visit = visit_of(console, bottle.request.environ, keeps_alive=False, with_form=False)
        if bottle.request.path.startswith("/api/"):
            bottle.response.set_header("Content-Type", "application/json; charset=utf-8")
            refusal = ConfigError("", API_REFUSALS.get(error.status_code, "error.not_found"))
            return error_answer(refusal, error.status_code, visit).body
        kind = {404: "missing", 405: "missing", 507: "no_room"}.get(error.status_code, "refused")
        title, text = f"console.{kind}.title", visit.say(f"console.{kind}.text")
        body: Any = _message(visit, error.status_code, title, text).body
        bottle.response.set_header("Content-Type", "text/html; charset=utf-8")
        return body

    return handle


def _send(answer: Answer, visit: Visit | None = None) -> Any:
    response = bottle.HTTPResponse(answer.body, answer.status)
    for name, value in (*SECURITY_HEADERS, *answer.headers):
        response.add_header(name, value)
    if visit is not None:
        response.set_header("Cache-Control", "no-store")
        if visit.is_new_browser and not any(name == "Set-Cookie" for name, _ in answer.headers):
            response.add_header(*set_cookie(visit.browser_id))
    return response
