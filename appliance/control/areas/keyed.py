"""An area of settings of which there are several, made from their struct: list, show, add, set, remove.

What a new one takes, what a change takes and what is shown follow from the struct's fields, so that a setting is
written down in one place, in `config/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, UnsetType

from appliance.config.snapshot import KEYED
from appliance.control.area import Area, Done, Key, Nothing, Request, Verb, not_found
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgspec.structs import FieldInfo

    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["KeyedArea", "given"]

NO_SECRETS: frozenset[str] = frozenset()


def _no_defaults(_: Snapshot) -> Mapping[str, Any]:
    return {}


def _nothing_live(_parts: Parts, _item: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class KeyedArea:
    """How one of `config.snapshot.KEYED` is shown and changed."""

    name: str
    summary: str
    secrets: frozenset[str] = NO_SECRETS
    "Settings that are taken and never shown."
    defaults: Callable[[Snapshot], Mapping[str, Any]] = _no_defaults
    "What a new one has that says nothing of it, where that is no constant."
    live: Callable[[Parts, Any], Mapping[str, Any]] = _nothing_live
    "What is shown beside the settings: the state it is in now."
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    "Of a setting that is a list: what may be in it, for whoever draws a form."
    order: Callable[[Any], Any] = attrgetter("name")
    "What they are sorted by when all are listed."

    @property
    def kind(self) -> type[msgspec.Struct]:
        """The settings' struct."""
        return KEYED[self.name].kind

    def view(self, parts: Parts, item: Any) -> dict[str, Any]:
        """One as it is shown."""
        return {**self.exported(item), **self.live(parts, item)}

    def exported(self, item: Any) -> dict[str, Any]:
        """Its settings, without secrets."""
        settings: dict[str, Any] = msgspec.to_builtins(item)
        return {name: value for name, value in settings.items() if name not in self.secrets}

    def built(self, now: Snapshot, values: Any) -> Any:
        """A new one from what was given."""
        return self.kind(**{**self.defaults(now), **given(values)})

    def changed(self, old: Any, values: Any) -> Any:
        """One with a change in it."""
        return msgspec.structs.replace(old, **given(values))

    def taken_by_new(self) -> type[msgspec.Struct]:
        """What a new one takes: its settings; those with a default may be left out."""
        taken = [self._taken(f, with_default=True) for f in msgspec.structs.fields(self.kind)]
        return self._struct("New", taken)

    def taken_by_change(self) -> type[msgspec.Struct]:
        """What a change takes; what is left out stays as it is."""
        taken = [self._taken(f, with_default=False) for f in msgspec.structs.fields(self.kind)]
        return self._struct("Change", taken)

    def _taken(self, of: FieldInfo, *, with_default: bool) -> tuple[Any, ...]:
        """A field of `_struct`, with what its JSON schema says beside the type."""
        told: dict[str, Any] = {"writeOnly": True} if of.name in self.secrets else {}
        kind = of.type
        if of.name in self.choices:
            kind = tuple[Annotated[str, Meta(extra_json_schema={"enum": [*self.choices[of.name]]})], ...]
        if with_default and of.required:
            return of.name, kind
        if with_default and of.default is not NODEFAULT:
            # As JSON has it: a tuple is a list.
            told["default"] = msgspec.json.decode(msgspec.json.encode(of.default))
        return of.name, Annotated[kind, Meta(extra_json_schema=told)] | UnsetType, UNSET

    def _struct(self, what: str, fields: list[Any]) -> type[msgspec.Struct]:
        return msgspec.defstruct(f"{what}{self.kind.__name__}", fields, frozen=True, kw_only=True)

    def area(self, *more: Verb[Any]) -> Area:
        """The area with its verbs, and some that it has alone."""
        new, change = self.taken_by_new(), self.taken_by_change()
        one, all_ = dict[str, Any], list[dict[str, Any]]
        return Area(
            self.name,
            self.summary,
            (
                Verb("list", self._list, Nothing, all_, "All, with their live state"),
                Verb("show", self._show, Nothing, one, "One of them", key=Key.NEEDED),
                Verb("add", self._add, new, one, "Add one", changes=True),
                Verb("set", self._set, change, one, "Change one", key=Key.NEEDED, changes=True),
                Verb("remove", self._remove, Nothing, Done, "Remove one", key=Key.NEEDED, changes=True),
                *more,
            ),
        )

    async def _list(self, parts: Parts, _: Request[Nothing]) -> list[dict[str, Any]]:
        items = parts.config.current.items(self.name)
        return [self.view(parts, each) for each in sorted(items.values(), key=self.order)]

    async def _show(self, parts: Parts, request: Request[Nothing]) -> dict[str, Any]:
        return self.shown(parts, request)

    async def _add(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        name = request.values.name

        def edit(now: Snapshot) -> Snapshot:
            if name in now.items(self.name):
                raise ConfigError(self.name + "." + name + ".name", "error.name_taken", name=name)
            return now.with_item(self.name, self.built(now, request.values))

        return self.view(parts, (await parts.config.change(edit)).items(self.name)[name])

    async def _set(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        def edit(now: Snapshot) -> Snapshot:
            old = self.known(now, request)
            if request.values.name not in (UNSET, old.name):
                raise ConfigError(request.path + ".name", "error.read_only")
            return now.with_item(self.name, self.changed(old, request.values))

        return self.view(parts, (await parts.config.change(edit)).items(self.name)[request.key])

    async def _remove(self, parts: Parts, request: Request[Nothing]) -> Done:
        def edit(now: Snapshot) -> Snapshot:
            self.known(now, request)
            return now.without_item(self.name, request.key)

        await parts.config.change(edit)
        return Done()

    def shown(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        """The one that a request is about, as it is shown."""
        return self.view(parts, self.known(parts.config.current, request))

    def known(self, snapshot: Snapshot, request: Request[Any]) -> Any:
        """The one that a request is about. ConfigError when there is none."""
        item = snapshot.items(self.name).get(request.key)
        if item is None:
            raise not_found(request.path)
        return item


def given(values: msgspec.Struct) -> dict[str, Any]:
    """The values that somebody gave."""
    read = {name: getattr(values, name) for name in values.__struct_fields__}
    return {name: value for name, value in read.items() if value is not UNSET}
