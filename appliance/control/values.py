"""From what a face sent (JSON, a form, `key=value` words) to a verb's values, each error at its own path."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_values"]

V = TypeVar("V", bound=msgspec.Struct)

# What people type on a command line beside the words of JSON.
SPOKEN_BOOLEANS = {"yes": True, "on": True, "no": False, "off": False}


def read_values(path: str, takes: type[V], values: Mapping[str, Any]) -> V:
    """Build `takes` from `values`; text is taken for a number, a truth or a list where one is wanted.

    Raises ConfigError with the path of the first value that is unknown, missing or of a wrong kind.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(takes)}
    for name in values:
        if name not in fields:
            shown = str(name)[:64]
            raise ConfigError(path + "." + shown, "error.unknown_setting", name=shown)
    read: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            read[field.name] = _read(f"{path}.{name}", field.type, values[name])
        elif field.required:
            raise ConfigError(path + "." + name, "error.value_missing", name=name)
    return takes(**read)


def _read(path: str, wanted: Any, value: Any) -> Any:
    kinds = _kinds(wanted)
    if isinstance(value, str):
        if bool in kinds:
            value = SPOKEN_BOOLEANS.get(value.lower(), value)
        elif any(get_origin(kind) is tuple for kind in kinds):
            value = value.replace(",", " ").split()
    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(path, kinds[0]) from error


def _kinds(wanted: Any) -> list[Any]:
    """The types that count in `X | None | UnsetType`, without what is only said of them."""
    if get_origin(wanted) is Annotated:
        return _kinds(get_args(wanted)[0])
    if get_origin(wanted) in (Union, types.UnionType):
        parts = [each for each in get_args(wanted) if each not in (type(None), msgspec.UnsetType)]
        return [kind for each in parts for kind in _kinds(each)]
    return [wanted]


def _refusal(path: str, kind: Any) -> ConfigError:
    if get_origin(kind) is Literal:
        return ConfigError(path, "error.not_a_choice", choices=", ".join(map(str, get_args(kind))))
    if kind is bool:
        return ConfigError(path, "error.not_a_truth")
    if kind in (int, float):
        return ConfigError(path, "error.not_a_number")
    if kind is str:
        return ConfigError(path, "error.not_a_text")
    return ConfigError(path, "error.not_a_list")
