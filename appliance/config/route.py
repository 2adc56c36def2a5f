"""A route: where calls to some numbers go, for some callers, at some times."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Literal, cast, get_args

import msgspec

from appliance.config.extension import LEVEL_RANGE
from appliance.config.hours import Hours
from appliance.config.pattern import MAX_NUMBER, Pattern, is_dialable
from appliance.errors import ConfigError

__all__ = [
    "FAIL_OVER_CAUSES",
    "FAIL_OVER_DEFAULT",
    "LEVEL_RANGE",
    "MAX_ROUTES",
    "Names",
    "Route",
    "Target",
    "check_references",
    "extensions_of",
    "verify",
]

# What the time to find a route is measured for.
MAX_ROUTES = 1_000
NAME = re.compile(r"[a-z0-9_-]{1,32}")
MAX_LIST = 32

FAIL_OVER_CAUSES = (
    "bad_request",
    "busy",
    "failed",
    "forbidden",
    "loop",
    "media",
    "no_answer",
    "not_found",
    "not_registered",
    "overload",
    "prack_refused",
    "refused",
    "unavailable",
    "unreachable",
)
"Words of `call/cause`: how a destination may refuse a call that another one could take."
# The carrier's fault. What the callee says (busy, no answer, refused) it would say by another way too.
FAIL_OVER_DEFAULT = ("failed", "not_registered", "overload", "unreachable")

Kind = Literal["extension", "feature", "line", "trunk"]


class Target(msgspec.Struct, frozen=True):
    """One destination of a route, or one origin of calls."""

    kind: Kind
    name: str
    "An extension's number, or what a line, trunk or feature is called; empty: the extension with the number dialled."

    @classmethod
    def parse(cls, text: str) -> Target:
        """`KIND:NAME`, or `extension` alone. ValueError otherwise."""
        kind, colon, name = text.partition(":")
        known = kind in get_args(Kind) and (NAME.fullmatch(name) if colon else kind == "extension")
        if not known:
            msg = "not written as line:NAME"
            raise ValueError(msg)
        return cls(cast("Kind", kind), name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def is_outside(self) -> bool:
        """Whether it is out of the house, where calls cost money."""
        return self.kind in ("line", "trunk")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Of the routes that match a number, the one that says most about it decides (see `call/dial_plan`)."""

    name: str
    "1 to 32 of a-z, 0-9, - and _."
    pattern: str
    "The numbers it is for, without the out prefix; see `config/pattern`."
    callers: tuple[str, ...] = ()
    """Patterns of extensions' numbers, `line:NAME`, `trunk:NAME`. Empty: every extension. Calls that come from a line or trunk
    use no route that does not name it, or strangers would telephone at the owner's expense."""
    times: tuple[str, ...] = ()
    "When it is open, in local time; see `config/hours`. Empty: always."
    strip: int = 0
    "How many characters are cut from the front of the number, no more than each number of the pattern has."
    prepend: str = ""
    "Put before what is left then."
    replace: str = ""
    "Dialled in place of the number, whatever it is. Empty: it is not replaced."
    to: tuple[str, ...]
    """Destinations, tried in this order: `line:NAME`, `trunk:NAME`, `extension:NUMBER`, `feature:NAME`; `extension` alone is the
    extension with the number as it is after the changes above."""
    fail_over_on: tuple[str, ...] = FAIL_OVER_DEFAULT
    "Out of FAIL_OVER_CAUSES: after which the next destination is tried. Empty: none is."
    level: int = 0
    "0 to 9: an extension needs at least this right. Lines and trunks have none: for them it is enough to be named."
    emergency: bool = False
    "Its numbers are emergency numbers: any extension may call them at any time. Then the pattern has no `.` or `!`."
    enabled: bool = True


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for routes to refer to."""

    lines: Container[str] = frozenset()
    trunks: Container[str] = frozenset()
    extensions: Container[str] = frozenset()
    features: Container[str] = frozenset()

    def have(self, target: Target) -> bool:
        """Whether the target exists."""
        match target.kind:
            case "line":
                return target.name in self.lines
            case "trunk":
                return target.name in self.trunks
            case "extension":
                return not target.name or target.name in self.extensions
            case "feature":
                return target.name in self.features


def verify(route: Route) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    path = f"routes.{route.name[:32]}"
    if not NAME.fullmatch(route.name):
        raise ConfigError(path + ".name", "error.bad_route_name")
    _verify_matching(path, route)
    _verify_number(path, route)
    _verify_destinations(path, route)
    low, high = LEVEL_RANGE
    if not low <= route.level <= high:
        raise ConfigError(path + ".level", "error.out_of_range", low=low, high=high)


def extensions_of(route: Route) -> frozenset[str]:
    """The extensions that a route names as destinations."""
    found = (each.partition(":") for each in route.to)
    return frozenset(name for kind, _, name in found if kind == "extension" and name)


def check_references(route: Route, names: Names) -> None:
    """Raise ConfigError for the first destination or caller of a route that does not exist."""
    for field, texts in (
        ("to", route.to),
        ("callers", [each for each in route.callers if ":" in each]),
    ):
        for text in texts:
            if not _is_known(text, names):
                raise ConfigError(
                    "routes." + route.name + "." + field, "error.no_such_destination", name=text
                )


def _is_known(text: str, names: Names) -> bool:
    try:
        return names.have(Target.parse(text))
    except ValueError:
        # Another version has stored it: it leads nowhere here (`call/routing_table`), and must not block other changes.
        return True


def _verify_matching(path: str, route: Route) -> None:
    try:
        pattern = Pattern.parse(route.pattern)
    except ValueError as error:
        raise ConfigError(path + ".pattern", "error.bad_pattern") from error
    if route.emergency and pattern.end:
        # `.` would make every number one that needs no right.
        raise ConfigError(path + ".pattern", "error.emergency_pattern")
    _check_length(path + ".callers", route.callers)
    for text in route.callers:
        if not _is_caller(text):
            raise ConfigError(path + ".callers", "error.bad_caller", value=text[:64])
    _check_length(path + ".times", route.times)
    for text in route.times:
        try:
            Hours.parse(text)
        except ValueError as error:
            raise ConfigError(path + ".times", "error.bad_hours", value=text[:64]) from error


def _is_caller(text: str) -> bool:
    try:
        return Target.parse(text).is_outside if ":" in text else bool(Pattern.parse(text))
    except ValueError:
        return False


def _verify_number(path: str, route: Route) -> None:
    shortest = Pattern.parse(route.pattern).shortest
    if not 0 <= route.strip <= shortest:
        raise ConfigError(path + ".strip", "error.out_of_range", low=0, high=shortest)
    for field, text in (("prepend", route.prepend), ("replace", route.replace)):
        if len(text) > MAX_NUMBER:
            raise ConfigError(path + "." + field, "error.too_long", limit=MAX_NUMBER)
        if text and not is_dialable(text):
            raise ConfigError(path + "." + field, "error.not_dialable")
    if route.replace and (route.strip or route.prepend):
        raise ConfigError(path + ".replace", "error.replace_stands_alone")
    if not route.replace and not route.prepend and route.strip == shortest:
        raise ConfigError(path + ".strip", "error.nothing_left_to_dial")


def _verify_destinations(path: str, route: Route) -> None:
    if not route.to:
        raise ConfigError(path + ".to", "error.value_missing", name="to")
    _check_length(path + ".to", route.to)
    for text in route.to:
        try:
            Target.parse(text)
        except ValueError as error:
            raise ConfigError(path + ".to", "error.bad_destination", value=text[:64]) from error
    if not set(route.fail_over_on) <= set(FAIL_OVER_CAUSES):
        choices = ", ".join(FAIL_OVER_CAUSES)
        raise ConfigError(path + ".fail_over_on", "error.not_a_choice", choices=choices)


def _check_length(path: str, texts: tuple[str, ...]) -> None:
    if len(texts) > MAX_LIST:
        raise ConfigError(path, "error.too_many", limit=MAX_LIST)
