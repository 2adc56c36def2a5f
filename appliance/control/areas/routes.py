"""Area `routes`: where calls to numbers outside go, and the reasons why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.call.decision import Decision, FromExtension, FromOutside
from appliance.call.routing_table import TableRoute
from appliance.config.route import FAIL_OVER_CAUSES
from appliance.control.area import Key, Request, Verb
from appliance.control.areas.keyed import KeyedArea
from appliance.errors import ConfigError
from appliance.locale import say

if TYPE_CHECKING:
    from collections.abc import Container

    from appliance.call.decision import Caller
    from appliance.config.route import Route
    from appliance.control.parts import Parts

__all__ = ["AREA", "ROUTES"]


class Question(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Who would call, and when."""

    from_: str = ""
    "An extension's number, `line:NAME` or `trunk:NAME`; empty: an extension with the right 9."
    at: str = ""
    "Local time, such as 2026-05-04T08:30; empty: now."


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call would go."""

    decision: Decision
    because: list[str]
    "The steps in words, in the language of the box."


async def test(parts: Parts, request: Request[Question]) -> Explained:
    """Explain where a call would go."""
    asked = request.values
    now = parts.config.current
    at = _moment(request.path + ".at", asked.at, now.system.time_zone)
    caller = _caller(parts, request.path + ".from", asked.from_)
    decision = parts.exchange.router.decide(request.key, caller, at)
    because = [say(step.key, now.system.language, **step.params) for step in decision.steps]
    return Explained(decision=decision, because=because)


def _moment(path: str, text: str, time_zone: str) -> datetime:
    zone = ZoneInfo(time_zone)
    if not text:
        return datetime.now(zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(path, "error.bad_time") from error
    return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)


def _caller(parts: Parts, path: str, text: str) -> Caller:
    now = parts.config.current
    kind, colon, name = text.partition(":")
    if colon:
        known: Container[str] = now.lines if kind == "line" else now.trunks if kind == "trunk" else ()
        if name not in known:
            raise ConfigError(path, "error.not_found")
        return FromOutside(text)
    if not text:
        return FromExtension("", 9)
    extension = now.extensions.get(text)
    if extension is None:
        raise ConfigError(path, "error.not_found")
    return FromExtension(extension.number, extension.level)


def _precedence(route: Route) -> tuple[bool, Any]:
    """The route that decides first goes first; at the end those that this version cannot read."""
    try:
        return False, TableRoute.of(route).precedence
    except ValueError:
        return True, route.name


ROUTES = KeyedArea(
    "routes",
    "Where calls to numbers outside go",
    choices={"fail_over_on": FAIL_OVER_CAUSES},
    order=_precedence,
    columns=("name", "enabled", "pattern", "callers", "times", "level", "to"),
)
_TEST: Verb[Any] = Verb(
    "test", test, Question, Explained, "Explain where a call to a number would go", key=Key.NEEDED
)
AREA = ROUTES.area(_TEST)
