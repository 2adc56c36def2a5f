"""What the API offers, and its description for machines.

OpenAPI 3.1. Fields come from control's own account of its areas where it gives one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AREA_VERBS", "KEY_VERBS", "SINGLES", "VERBS", "document"]

VERBS: dict[str, tuple[str, ...]] = {
    "status": ("show",),
    "system": ("show", "set"),
    "extensions": ("list", "show", "add", "set", "remove"),
    "registrations": ("list",),
    "calls": ("list", "show"),
    "records": ("list", "show"),
    "trace": ("show",),
    "export": ("show",),
    "import": ("apply",),
}
"""What an HTTP method stands for. `admin` and `backup` are not offered: a stolen token must not change the password,
make more tokens, or have files written on the box."""

AREA_VERBS: dict[str, tuple[str, ...]] = {"extensions": ("add-many",)}
KEY_VERBS: dict[str, tuple[str, ...]] = {"calls": ("hang-up",)}

SINGLES = ("status", "system", "export")
"Areas that hold one thing only: no key, and GET shows it."

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
    """The OpenAPI document. `describe` gives `{area: {verb: JSON schema of its values}}`."""
    areas = describe() if describe else {}
    paths: dict[str, Any] = {}
    for area, verbs in VERBS.items():
        for verb in verbs:
            keyed = area not in SINGLES and (
                verb in {"set", "remove"} or (verb == "show" and area not in SINGLES)
            )
            _add(paths, areas, area, verb, METHODS[verb], f"/{area}/{{key}}" if keyed else f"/{area}")
    for area, verbs in AREA_VERBS.items():
        for verb in verbs:
            _add(paths, areas, area, verb, "post", f"/{area}/{verb}")
    for area, verbs in KEY_VERBS.items():
        for verb in verbs:
            _add(paths, areas, area, verb, "post", f"/{area}/{{key}}/{verb}")
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


def _add(paths: dict[str, Any], areas: dict[str, Any], area: str, verb: str, method: str, path: str) -> None:
    operation: dict[str, Any] = {
        "operationId": f"{area}_{verb}".replace("-", "_"),
        "tags": [area],
        "responses": {
            "201" if verb in {"add", "add-many"} else "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": {}}},
            },
            "default": {
                "description": "Refused: 400, 401, 404 or 409.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if "{key}" in path:
        key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
        operation["parameters"] = [key]
    if method in {"post", "patch"}:
        schema = _schema(areas, area, verb)
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    paths.setdefault(path, {})[method] = operation


def _schema(areas: dict[str, Any], area: str, verb: str) -> dict[str, Any]:
    verbs = areas.get(area)
    schema = verbs.get(verb) if isinstance(verbs, dict) else None
    return schema if isinstance(schema, dict) else {"type": "object"}
