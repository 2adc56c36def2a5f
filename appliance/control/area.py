"""What an area is made of: verbs, what each takes and gives, and the request that a verb gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.control.parts import Parts

__all__ = ["LOCAL", "Area", "Done", "Key", "Nothing", "Request", "Verb", "not_found"]

V = TypeVar("V", bound=msgspec.Struct)

LOCAL = "local:"
"Every actor that came over the control socket is named so: root or the service's own user, on the box itself."


class Key(Enum):
    """Whether a verb is about one thing that has a key."""

    NONE = "none"
    OPTIONAL = "optional"
    NEEDED = "needed"


class Nothing(msgspec.Struct, frozen=True):
    """A verb that takes no values."""


class Done(msgspec.Struct, frozen=True):
    """Nothing to tell but that it is done."""

    done: bool = True


@dataclass(frozen=True, slots=True)
class Request(Generic[V]):
    """One request, its values already of the right types."""

    path: str
    "Where a refusal points: the area, with the key if there is one."
    key: str
    "Empty when the verb has none or none was given."
    values: V
    actor: str
    "Who asks: `local:UID`, `web:admin`, `web:ADDRESS` before a log-in, `api:TOKEN-ID`."

    @property
    def is_local(self) -> bool:
        """Whether whoever asks is on the box and could read the database anyway."""
        return self.actor.startswith(LOCAL)


@dataclass(frozen=True, slots=True)
class Verb(Generic[V]):
    """One thing that can be asked of an area."""

    name: str
    run: Callable[[Parts, Request[V]], Awaitable[Any]]
    takes: type[V]
    gives: Any
    "The type of the result, as msgspec knows types: what a reader of the area looks for first."
    summary: str
    key: Key = Key.NONE
    changes: bool = False
    "Whether pages that show live state must look again afterwards."
    local: bool = False
    "Whether only somebody on the box itself may ask."
    columns: tuple[str, ...] = ()
    "Of a list: what a table of it shows, so that it fits; empty: that is for the table to choose."


@dataclass(frozen=True, slots=True)
class Area:
    """A name and its verbs."""

    name: str
    summary: str
    verbs: tuple[Verb[Any], ...]


def not_found(path: str) -> ConfigError:
    """The refusal for a key that nothing has."""
    return ConfigError(path, "error.not_found")
