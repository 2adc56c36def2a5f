"""The JSON API: `/api/v1/AREA[/KEY]`, the same areas and verbs as `branchbox ctl`.

RFC 8259, RFC 9110 §9 (methods), RFC 5789 (PATCH). GET lists or shows, POST adds, PATCH sets, DELETE removes;
any other verb is POST to `/api/v1/AREA/VERB` or `/api/v1/AREA/KEY/VERB`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError, PeerError
from webui.answer import json_answer
from webui.bearer import NO_TOKEN, error_answer, token_of
from webui.openapi import METHODS, document, offers
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "status_of"]

NOT_FOUND = ConfigError("", "error.not_found")
CONFLICTS = ("_taken", "_exists")
"How the keys of refusals end that are about what is there already (409)."


def area_get(visit: Visit, area: str) -> Answer:
    """A list; or the one thing there is."""
    one = offers(visit.console.describe(), area, "show", keyed=False)
    return _answer(visit, area, "show" if one else "list", None, _query(visit))


def area_post(visit: Visit, area: str) -> Answer:
    return _answer(visit, area, "apply" if area == "import" else "add", None)


def area_patch(visit: Visit, area: str) -> Answer:
    return _answer(visit, area, "set", None)


def key_get(visit: Visit, area: str, key: str) -> Answer:
    return _answer(visit, area, "show", key, {})


def key_post(visit: Visit, area: str, key: str) -> Answer:
    """What looks like a key is a verb here: `POST /api/v1/extensions/add-many`."""
    return _answer(visit, area, key, None, by_name=True)


def key_patch(visit: Visit, area: str, key: str) -> Answer:
    return _answer(visit, area, "set", key)


def key_delete(visit: Visit, area: str, key: str) -> Answer:
    return _answer(visit, area, "remove", key, {})


def key_verb(visit: Visit, area: str, key: str, verb: str) -> Answer:
    return _answer(visit, area, verb, key, by_name=True)


def describe(visit: Visit) -> Answer:
    if token_of(visit) is None:
        return error_answer(NO_TOKEN, 401, visit)
    version = str(visit.perform("status", "show").get("version", ""))
    return json_answer(document(version, visit.console.describe()))


def status_of(error: ConfigError | PeerError) -> int:
    """The HTTP status for a refusal."""
    if isinstance(error, PeerError):
        return error.status if error.status in {401, 403, 404, 409} else 409
    if error.key == "error.not_found":
        return 404
    return 409 if error.key.endswith(CONFLICTS) else 400


def _answer(
    visit: Visit,
    area: str,
    verb: str,
    key: str | None,
    values: dict[str, Any] | None = None,
    *,
    by_name: bool = False,
) -> Answer:
    """One request to control; `values` None means: from the body. `by_name`: the address names the verb."""
    token_id = token_of(visit)
    if token_id is None:
        return error_answer(NO_TOKEN, 401, visit)
    known = offers(visit.console.describe(), area, verb, keyed=key is not None)
    if not known or by_name == (verb in METHODS):
        return error_answer(NOT_FOUND, 404, visit)
    try:
        taken = _body(visit) if values is None else values
        result = visit.console.perform(area, verb, key, taken, f"api:{token_id}")
    except (ConfigError, PeerError) as error:
        return error_answer(error, status_of(error), visit)
    return json_answer(result, 201 if verb in {"add", "add-many"} else 200)


def _query(visit: Visit) -> dict[str, Any]:
    """Filters of a list. Control takes the text of a number for a number."""
    return dict(visit.query)


def _body(visit: Visit) -> dict[str, Any]:
    raw = visit.body()
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError("", "console.api.not_json") from error
    if not isinstance(value, dict):
        raise ConfigError("", "console.api.not_json")
    return value


ROUTES = (
    Route("GET", "/api/v1/openapi.json", describe, Access.BEARER),
    Route("GET", "/api/v1/<area>", area_get, Access.BEARER),
    Route("POST", "/api/v1/<area>", area_post, Access.BEARER),
    Route("PATCH", "/api/v1/<area>", area_patch, Access.BEARER),
    Route("GET", "/api/v1/<area>/<key>", key_get, Access.BEARER),
    Route("POST", "/api/v1/<area>/<key>", key_post, Access.BEARER),
    Route("PATCH", "/api/v1/<area>/<key>", key_patch, Access.BEARER),
    Route("DELETE", "/api/v1/<area>/<key>", key_delete, Access.BEARER),
    Route("POST", "/api/v1/<area>/<key>/<verb>", key_verb, Access.BEARER),
)
