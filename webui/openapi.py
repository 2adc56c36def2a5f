"""What the API offers, and its description for machines.

OpenAPI 3.1. Fields come from control's own account of its areas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["METHODS", "document", "offers"]

WITHHELD = frozenset({"admin", "backup", "backup-schedule", "box"})
"""Areas that are not offered: a stolen token must not change the password, make more tokens, or have files written on the
box. Nor is what only somebody on the box may ask."""

RECORD_FILTERS = (("number", "string"), ("before", "string"), ("limit", "integer"))

METHODS = {"list": "get", "show": "get", "add": "post", "apply": "post", "set": "patch", "remove": "delete"}
"What an HTTP method stands for; any other verb is a POST to an address of its own."

KEY_PARAMETER = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}

FILES = {
    "/update/file": (
        "update",
        "Take a signed update (the body, 1 GB at most) and try it; GET /update tells what became of it",
        "202",
    ),
    "/music/file": ("music", "Take a WAV file (the body, 64 MB at most) as music on hold", "200"),
    "/prompts/{key}/file": ("prompts", "Take a WAV file (the body, 64 MB at most) under this name", "200"),
}
"""What takes a file: area, summary, status. With a length (no chunks); it lies on the disk while it is worked on."""

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


def offers(told: Mapping[str, Any], area: str, verb: str, *, keyed: bool) -> bool:
    """Whether there is this verb, with a key or without. `told` is what `Control.describe` gives."""
    known = told.get(area, {}).get(verb)
    if known is None or known["local"] or area in WITHHELD:
        return False
    return bool(known["key"] in ("optional", "needed" if keyed else "none"))


def document(version: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, Any] = {}
    for area, verb, method, path in _addresses(told):
        paths.setdefault(path, {})[method] = _operation(area, verb, method, path, told[area][verb])
    for path, (area, summary, status) in FILES.items():
        paths.setdefault(path, {})["put"] = _file_operation(area, summary, path, status)
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


def _addresses(told: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Area, verb, HTTP method and path of everything that is offered."""
    for area, verbs in told.items():
        for verb in verbs:
            for place, keyed in ((f"/{area}", False), (f"/{area}/{{key}}", True)):
                if offers(told, area, verb, keyed=keyed):
                    yield (
                        area,
                        verb,
                        METHODS.get(verb, "post"),
                        place if verb in METHODS else f"{place}/{verb}",
                    )


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
    for name in ("key", "local", "columns"):
        schema.pop(name, None)
    if summary := schema.pop("summary", None):
        operation["summary"] = summary
    if "{key}" in path:
        operation["parameters"] = [KEY_PARAMETER]
    elif area == "records" and verb == "list":
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": kind}} for name, kind in RECORD_FILTERS
        ]
    if method in {"post", "patch"}:
        operation["requestBody"] = {"content": _json(schema or {"type": "object"})}
    return operation


def _file_operation(area: str, summary: str, path: str, status: str) -> dict[str, Any]:
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    operation: dict[str, Any] = {
        "operationId": f"{area}_put_file",
        "tags": [area],
        "summary": summary,
        "requestBody": {"required": True, "content": binary},
        "responses": {
            status: {"description": "Done.", "content": _json({})},
            "default": {
                "description": "Refused: 400, 401, 404, 409, 411 (no length), 413 (too large), 507 (no room).",
                "content": _json({"$ref": "#/components/schemas/Error"}),
            },
        },
    }
    if "{key}" in path:
        operation["parameters"] = [KEY_PARAMETER]
    elif area == "music":
        operation["parameters"] = [{"name": "title", "in": "query", "schema": {"type": "string"}}]
    return operation


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
