"""What the API offers, and its description for machines.

OpenAPI 3.1. Fields come from control's own account of its areas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["AREA_VERBS", "KEY_VERBS", "SINGLES", "VERBS", "document"]

KEYED = ("list", "show", "add", "set", "remove")
VERBS: dict[str, tuple[str, ...]] = {
    "status": ("show",),
    "system": ("show", "set"),
    "extensions": KEYED,
    "lines": KEYED,
    "trunks": KEYED,
    "routes": KEYED,
    "dial-plan": ("show", "set"),
    "registrations": ("list",),
    "calls": ("list", "show"),
    "records": ("list", "show"),
    "trace": ("show",),
    "dns-check": ("list", "show"),
    "export": ("show",),
    "import": ("apply",),
    "update": ("show",),
}
"""What an HTTP method stands for. `admin` and `backup` are not offered: a stolen token must not change the password,
make more tokens, or have files written on the box."""

AREA_VERBS: dict[str, tuple[str, ...]] = {"extensions": ("add-many",), "update": ("install",)}
KEY_VERBS: dict[str, tuple[str, ...]] = {"calls": ("hang-up",), "routes": ("test",)}

SINGLES = ("status", "system", "dial-plan", "export", "update")
"Areas that hold one thing only: no key, and GET shows it."

RECORD_FILTERS = (("number", "string"), ("before", "string"), ("limit", "integer"))

METHODS = {"list": "get", "show": "get", "add": "post", "apply": "post", "set": "patch", "remove": "delete"}

ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "required": ["path", "key", "params", "message"],
            "properties": {
                "path": {"type": "string", "description": "Which setting is to blame; empty for none."},
                "key": {"type": "string", "description": "The same in every language and version."},
                "params": {"type": "object"},
                "message": {
                    "type": "string",
                    "description": "For people, in the language of Accept-Language.",
                },
            },
        }
    },
}


def document(version: str, describe: Callable[[], dict[str, Any]] | None) -> dict[str, Any]:
    """The OpenAPI document. `describe` is `Control.describe`; without it the fields stay open."""
    told = describe() if describe else {}
    paths: dict[str, Any] = {}
    for area, verb, method, path in _addresses():
        paths.setdefault(path, {})[method] = _operation(
            area, verb, method, path, told.get(area, {}).get(verb, {})
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Branchbox", "version": version},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": ERROR},
        },
    }


def _addresses() -> Iterator[tuple[str, str, str, str]]:
    """Area, verb, HTTP method and path of everything that is offered."""
    for area, verbs in VERBS.items():
        for verb in verbs:
            keyed = area not in SINGLES and verb in {"show", "set", "remove"}
            yield area, verb, METHODS[verb], f"/{area}/{{key}}" if keyed else f"/{area}"
    for area, verbs in AREA_VERBS.items():
        for verb in verbs:
            yield area, verb, "post", f"/{area}/{verb}"
    for area, verbs in KEY_VERBS.items():
        for verb in verbs:
            yield area, verb, "post", f"/{area}/{{key}}/{verb}"


def _operation(area: str, verb: str, method: str, path: str, takes: dict[str, Any]) -> dict[str, Any]:
    refused = {
        "description": "Refused: 400, 401, 404 or 409.",
        "content": _json({"$ref": "#/components/schemas/Error"}),
    }
    done = {"description": "Done.", "content": _json({})}
    operation: dict[str, Any] = {
        "operationId": f"{area}_{verb}".replace("-", "_"),
        "tags": [area],
        "responses": {"201" if verb in {"add", "add-many"} else "200": done, "default": refused},
    }
    schema = dict(takes)
    if summary := schema.pop("summary", None):
        operation["summary"] = summary
    if "{key}" in path:
        operation["parameters"] = [
            {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
    elif area == "records" and verb == "list":
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": kind}} for name, kind in RECORD_FILTERS
        ]
    if method in {"post", "patch"}:
        operation["requestBody"] = {"content": _json(schema or {"type": "object"})}
    return operation


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
