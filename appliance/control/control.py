"""`perform`: every request of every face comes through here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from appliance.control.area import LOCAL, Area, Key, Nothing, Request, Verb, not_found
from appliance.control.areas import areas_with
from appliance.control.areas.admin import is_set_up
from appliance.control.values import read_values
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from appliance.control.feed import Feed
    from appliance.control.parts import Parts

__all__ = ["Control", "describe"]

logger = logging.getLogger(__name__)


class Control:
    """The API over the parts it is given. Its methods run on the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        areas = (*areas_with(parts.features), self._about_areas())
        self._verbs = {(area.name, verb.name): verb for area in areas for verb in area.verbs}
        self._described = describe(areas)

    @property
    def feed(self) -> Feed:
        """Where pages wait for news, and where the exchange says that there is some."""
        return self._parts.feed

    async def perform(
        self, area: str, verb: str, key: str | None, values: Mapping[str, Any], actor: str
    ) -> Any:
        """Do one thing and return its result as plain JSON values.

        Raises ConfigError or PeerError when it is refused; then nothing was changed.
        """
        known = _find(self._verbs, area, verb)
        path = _path(known, area, key)
        if known.local and not actor.startswith(LOCAL):
            raise ConfigError(path, "error.only_on_the_box")
        request = Request(path, key or "", read_values(path, known.takes, values), actor)
        result = await known.run(self._parts, request)
        if known.changes:
            # Who did what to whom; never the other values, which may hold a password.
            number = getattr(request.values, "number", "")
            logger.info("%s: %s %s %s", actor, area, verb, request.key or number or "")
            self._parts.feed.changed()
        # Out as JSON and in again: lists, texts and numbers alone, the same for every face.
        return msgspec.json.decode(msgspec.json.encode(result))

    def columns(self, area: str, verb: str) -> tuple[str, ...]:
        """What of a verb's list people want in a table; empty: all of it."""
        known = self._verbs.get((area, verb))
        return () if known is None else known.columns

    async def first_code(self) -> str | None:
        """The set-up code while nobody has set the box up, a new one where none is good; None afterwards."""
        if await is_set_up(self._parts):
            return None
        return self._parts.setup_code.good or self._parts.setup_code.renew()

    def describe(self) -> dict[str, dict[str, Any]]:
        """What can be asked, as `describe` tells it of all areas. Nobody may write into it."""
        return self._described

    def _about_areas(self) -> Area:
        """`describe` for those who come over the socket: the serial menu is made from it."""

        async def list_(_: Parts, __: Request[Nothing]) -> list[str]:
            return [*self._described]

        async def show(_: Parts, request: Request[Nothing]) -> dict[str, Any]:
            if request.key not in self._described:
                raise not_found(request.path)
            return self._described[request.key]

        verbs = (
            Verb("list", list_, Nothing, list[str], "The names of all areas"),
            Verb("show", show, Nothing, dict[str, Any], "The verbs of one, with the schemas", Key.NEEDED),
        )
        return Area("areas", "What there is to ask for", verbs)


def describe(areas: Iterable[Area]) -> dict[str, dict[str, Any]]:
    """`{area: {verb: the JSON schema of its values}}`, for machines to read.

    Beside the schema stand `summary`, `key` (`none`, `optional` or `needed`), `local` and, of a list, `columns`.
    """
    return {area.name: {verb.name: _schema(verb) for verb in area.verbs} for area in areas}


def _find(known: Mapping[tuple[str, str], Verb[Any]], area: str, verb: str) -> Verb[Any]:
    found = known.get((area, verb))
    if found is not None:
        return found
    verbs = [each for name, each in known if name == area]
    if verbs:
        raise ConfigError(area, "error.unknown_verb", verb=str(verb)[:64], verbs=", ".join(verbs))
    names = ", ".join(sorted({name for name, _ in known}))
    raise ConfigError("", "error.unknown_area", area=str(area)[:64], areas=names)


def _path(verb: Verb[Any], area: str, key: str | None) -> str:
    if key is None or key == "":
        if verb.key is Key.NEEDED:
            raise ConfigError(area, "error.key_missing", verb=verb.name)
        return area
    if verb.key is Key.NONE:
        raise ConfigError(area, "error.key_unexpected", verb=verb.name)
    return f"{area}.{key[:64]}"


def _schema(verb: Verb[Any]) -> dict[str, Any]:
    # The values of a verb are flat, so that there is one schema and nothing for it to refer to.
    (_,), components = msgspec.json.schema_components([verb.takes])
    schema: dict[str, Any] = components[verb.takes.__name__]
    about = {"summary": verb.summary, "key": verb.key.value, "local": verb.local, "columns": [*verb.columns]}
    return {**schema, **about, "additionalProperties": False}
