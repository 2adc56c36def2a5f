"""The fields of a form out of control's own account of an area: a setting more there is a field more here.

JSON Schema 2020-12, of it what control writes: type, enum, items, default, writeOnly, required; and x-default-by-language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from webui import form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Setting", "beginning", "beyond_defaults", "settings_of", "shown"]

Kind = Literal["text", "secret", "whole", "flag", "choice", "list", "several"]

HIGHEST = 1_000_000
"Control knows the range of each number and says it beside the field; this only keeps out what is no number."


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an area."""

    name: str
    kind: Kind
    required: bool = False
    default: Any = None
    "None: it has none."
    options: tuple[str, ...] = ()
    spoken: Mapping[str, Any] = field(default_factory=dict)
    "By language: the default where it is another one."

    @property
    def field(self) -> form.Field:
        """How it is read from a form."""
        return _FIELDS[self.kind](self)

    def text(self, value: Any) -> str:
        """A value as a form shows it."""
        if self.kind == "flag":
            return "on" if value else ""
        if self.kind in ("list", "several"):
            return "\n".join(map(str, value or ()))
        return "" if value is None or self.kind == "secret" else str(value)


_FIELDS: dict[Kind, Callable[[Setting], form.Field]] = {
    "text": lambda each: form.text(each.name, longest=form.LONGEST_FIELD, required=each.required),
    "secret": lambda each: form.secret(each.name, omit_empty=True),
    "whole": lambda each: form.whole(each.name, 0, HIGHEST),
    "flag": lambda each: form.flag(each.name),
    "choice": lambda each: form.choice(each.name, each.options),
    "list": lambda each: form.listing(each.name, required=each.required),
    "several": lambda each: form.several(each.name, each.options),
}


def settings_of(schema: Mapping[str, Any]) -> tuple[Setting, ...]:
    """What a verb takes, in control's order."""
    required = schema.get("required", ())
    return tuple(
        _setting(name, told, name in required) for name, told in schema.get("properties", {}).items()
    )


def beginning(settings: Sequence[Setting], language: str) -> dict[str, str]:
    """What stands in the form of a new one, for a reader of that language."""
    return {each.name: each.text(each.spoken.get(language, each.default)) for each in settings}


def shown(settings: Sequence[Setting], values: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form of one that is there."""
    return {each.name: each.text(values.get(each.name, each.default)) for each in settings}


def beyond_defaults(settings: Sequence[Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody chose. The rest is left to control, whose defaults may depend on the box.

    What depends on the language counts as it stands in the form, which may speak another one than the box.
    """
    defaults = {each.name: each.default for each in settings if not (each.required or each.spoken)}
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def _setting(name: str, told: Mapping[str, Any], required: bool) -> Setting:
    kind = _kind(told)
    options = told.get("items", told).get("enum", ())
    spoken = told.get("x-default-by-language", {})
    return Setting(name, kind, required, told.get("default"), tuple(options), spoken)


def _kind(told: Mapping[str, Any]) -> Kind:
    if "enum" in told:
        return "choice"
    if told.get("writeOnly"):
        return "secret"
    match told.get("type"):
        case "array":
            return "several" if "enum" in told["items"] else "list"
        case "boolean":
            return "flag"
        case "integer":
            return "whole"
    return "text"
