"""An area of settings that is made from a struct: how many of it there are, under which keys, and what they must hold to.

Services bring such areas with them (`Feature.areas`); lines, trunks and routes are some, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    import msgspec

    from appliance.config.snapshot import Snapshot

__all__ = ["Per", "SettingsArea"]

Per = Literal["item", "extension", "box", "fixed"]
"""`item`: people make and remove them. `extension`: each extension has one. `box`: there is one. `fixed`: there are those of
`SettingsArea.fixed`, always."""


def _nothing(_item: Any, _snapshot: Snapshot) -> None:
    """Every value that has the right type will do."""


@dataclass(frozen=True, slots=True, eq=False)
class SettingsArea:
    """The settings of one kind. But for `per="item"` there is a default for each key, and only what differs is stored."""

    name: str
    "In `ctl`, in the TOML file and in the API: `time-conditions`."
    kind: type[msgspec.Struct]
    """Frozen and kw_only, its fields flat: texts, numbers, truths, choices, tuples of texts, none of them None. Its field
    `name` is the key (an extension's number where there is one for each); `per="box"` has no key."""
    per: Per
    verify: Callable[[Any, Snapshot], None] = _nothing
    """Raises ConfigError for one that cannot be. It sees the whole of the new settings, and is asked again only when this
    one changes: what it names elsewhere may go away later."""
    most: int = 1000
    "How many there may be."
    fixed: Mapping[str, Any] = field(default_factory=dict)
    "By key, with their defaults, in the order of a list; for `per` fixed only."
    secrets: frozenset[str] = frozenset()
    "Settings that are taken and never shown."
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    "Of a setting that is a list: what may be in it."
    columns: tuple[str, ...] = ()
    """What a table of them shows beside the key: settings, or what `control` tells of their state; empty: that is for the
    table to choose."""

    def key_of(self, item: Any) -> str:
        """The key that an item stands under."""
        return "" if self.per == "box" else str(item.name)

    def has(self, key: str, extensions: Container[str]) -> bool:
        """Whether there is something for this key without anybody having made it."""
        match self.per:
            case "item":
                return False
            case "extension":
                return key in extensions
            case "box":
                return key == ""
            case "fixed":
                return key in self.fixed

    def default(self, key: str) -> Any:
        """What nobody has changed yet. KeyError for a key that has no default."""
        match self.per:
            case "extension":
                return self.kind(name=key)
            case "box" if key == "":
                return self.kind()
            case "fixed":
                return self.fixed[key]
        raise KeyError(key)

    def differing(self, items: Mapping[str, Any]) -> dict[str, Any]:
        """Those that are worth keeping, in the order of their keys."""
        if self.per == "item":
            return dict(items)
        return {key: item for key, item in items.items() if item != self.default(key)}
