"""An area of settings made from their struct: list, show, add, set, remove, as far as they go with how many there are.

What a new one takes, what a change takes and what is shown follow from the struct's fields, so that a setting is
written down in one place, in `config/` or in a service.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, UnsetType

from appliance.control.area import Area, Done, Key, Nothing, Request, Verb, not_found
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgspec.structs import FieldInfo

    from appliance.config.settings_area import SettingsArea
    from appliance.config.snapshot import Snapshot
    from appliance.control.parts import Parts

__all__ = ["BY_LANGUAGE", "KeyedArea", "given"]

BY_LANGUAGE = "x-default-by-language"
"In the schema of what a new one takes: the defaults of a setting that differ in some language, by that language."


def _no_defaults(_: Snapshot) -> Mapping[str, Any]:
    return {}


def _nothing_live(_parts: Parts, _item: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class KeyedArea:
    """How an area of settings is shown and changed."""

    settings: SettingsArea
    summary: str
    defaults: Callable[[Snapshot], Mapping[str, Any]] = _no_defaults
    "What a new one has that says nothing of it, where that is no constant."
    by_language: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same of settings whose default depends on the language: by setting, then by language. Whoever asks in a language of
    his own, as a page does, offers its default; else that of the box counts."""
    live: Callable[[Parts, Any], Mapping[str, Any]] = _nothing_live
    "What is shown beside the settings: the state it is in now."
    order: Callable[[Any], Any] = attrgetter("name")
    "What items are sorted by when all are listed."

    @property
    def name(self) -> str:
        """What it is asked by."""
        return self.settings.name

    def view(self, parts: Parts, item: Any) -> dict[str, Any]:
        """One as it is shown."""
        return {**self.exported(item), **self.live(parts, item)}

    def exported(self, item: Any) -> dict[str, Any]:
        """Its settings, without secrets."""
        settings: dict[str, Any] = msgspec.to_builtins(item)
        return {name: value for name, value in settings.items() if name not in self.settings.secrets}

    def built(self, now: Snapshot, values: Any) -> Any:
        """A new one from what was given."""
        return self.settings.kind(**{**self.defaults(now), **self._spoken(now), **given(values)})

    def _spoken(self, now: Snapshot) -> dict[str, Any]:
        language = now.system.language
        return {name: each[language] for name, each in self.by_language.items() if language in each}

    def changed(self, old: Any, values: Any) -> Any:
        """One with a change in it. ConfigError: the key is not what can be changed."""
        if self.settings.per != "box" and values.name not in (UNSET, old.name):
            raise ConfigError(self.name + "." + old.name + ".name", "error.read_only")
        return msgspec.structs.replace(old, **given(values))

    def taken_by_new(self) -> type[msgspec.Struct]:
        """What a new one takes: its settings; those with a default may be left out."""
        taken = [self._taken(f, with_default=True) for f in msgspec.structs.fields(self.settings.kind)]
        return self._struct("New", taken)

    def taken_by_change(self) -> type[msgspec.Struct]:
        """What a change takes; what is left out stays as it is."""
        taken = [self._taken(f, with_default=False) for f in msgspec.structs.fields(self.settings.kind)]
        return self._struct("Change", taken)

    def _taken(self, of: FieldInfo, *, with_default: bool) -> tuple[Any, ...]:
        """A field of `_struct`, with what its JSON schema says beside the type."""
        told: dict[str, Any] = {"writeOnly": True} if of.name in self.settings.secrets else {}
        kind, choices = of.type, self.settings.choices.get(of.name)
        if choices is not None:
            kind = tuple[Annotated[str, Meta(extra_json_schema={"enum": [*choices]})], ...]
        if with_default and of.required:
            return of.name, kind
        if with_default and of.default is not NODEFAULT:
            # As JSON has it: a tuple is a list.
            told["default"] = msgspec.json.decode(msgspec.json.encode(of.default))
            if of.name in self.by_language:
                told[BY_LANGUAGE] = dict(self.by_language[of.name])
        return of.name, Annotated[kind, Meta(extra_json_schema=told)] | UnsetType, UNSET

    def _struct(self, what: str, fields: list[Any]) -> type[msgspec.Struct]:
        return msgspec.defstruct(f"{what}{self.settings.kind.__name__}", fields, frozen=True, kw_only=True)

    def area(self, *more: Verb[Any]) -> Area:
        """The area with its verbs, and some that it has alone."""
        verbs = self._verbs_of_one() if self.settings.per == "box" else self._verbs_of_several()
        return Area(self.name, self.summary, (*verbs, *more))

    def _verbs_of_one(self) -> tuple[Verb[Any], ...]:
        change, one = self.taken_by_change(), dict[str, Any]
        return (
            Verb("show", self._show, Nothing, one, "What is set"),
            Verb("set", self._set, change, one, "Change it", changes=True),
        )

    def _verbs_of_several(self) -> tuple[Verb[Any], ...]:
        one, all_ = dict[str, Any], list[dict[str, Any]]
        new, change = self.taken_by_new(), self.taken_by_change()
        makes = self.settings.per == "item"
        which = "All that differ from the defaults" if self.settings.per == "extension" else "All"
        remove = "Remove one" if makes else "Give one its defaults again"
        return (
            Verb("list", self._list, Nothing, all_, which, columns=self._columns()),
            Verb("show", self._show, Nothing, one, "One of them", key=Key.NEEDED),
            *((Verb("add", self._add, new, one, "Add one", changes=True),) if makes else ()),
            Verb("set", self._set, change, one, "Change one", key=Key.NEEDED, changes=True),
            Verb("remove", self._remove, Nothing, Done, remove, key=Key.NEEDED, changes=True),
        )

    def _columns(self) -> tuple[str, ...]:
        return ("name", *self.settings.columns) if self.settings.columns else ()

    async def _list(self, parts: Parts, _: Request[Nothing]) -> list[dict[str, Any]]:
        return [self.view(parts, each) for each in self._listed(parts.config.current)]

    def _listed(self, now: Snapshot) -> list[Any]:
        match self.settings.per:
            case "fixed":
                return [now.setting(self.name, key) for key in self.settings.fixed]
            case "extension":
                return sorted(now.items(self.name).values(), key=lambda each: (len(each.name), each.name))
            case _:
                return sorted(now.items(self.name).values(), key=self.order)

    async def _show(self, parts: Parts, request: Request[Nothing]) -> dict[str, Any]:
        return self.shown(parts, request)

    async def _add(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        name = request.values.name

        def edit(now: Snapshot) -> Snapshot:
            if name in now.items(self.name):
                raise ConfigError(self.name + "." + name + ".name", "error.name_taken", name=name)
            return now.with_item(self.name, self.built(now, request.values))

        return self.view(parts, (await parts.config.change(edit)).setting(self.name, name))

    async def _set(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        def edit(now: Snapshot) -> Snapshot:
            return now.with_item(self.name, self.changed(self.known(now, request), request.values))

        return self.view(parts, (await parts.config.change(edit)).setting(self.name, request.key))

    async def _remove(self, parts: Parts, request: Request[Nothing]) -> Done:
        def edit(now: Snapshot) -> Snapshot:
            self.known(now, request)
            return now.without_item(self.name, request.key)

        await parts.config.change(edit)
        return Done()

    def shown(self, parts: Parts, request: Request[Any]) -> dict[str, Any]:
        """The one that a request is about, as it is shown."""
        return self.view(parts, self.known(parts.config.current, request))

    def known(self, now: Snapshot, request: Request[Any]) -> Any:
        """The one that a request is about. ConfigError when there is none."""
        if not now.has_setting(self.name, request.key):
            raise not_found(request.path)
        return now.setting(self.name, request.key)


def given(values: msgspec.Struct) -> dict[str, Any]:
    """The values that somebody gave."""
    read = {name: getattr(values, name) for name in values.__struct_fields__}
    return {name: value for name, value in read.items() if value is not UNSET}
