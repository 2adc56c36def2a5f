"""The whole configuration as one frozen value, and the checks that look across its areas."""

from __future__ import annotations

import msgspec

from appliance.config import extension as extension_checks
from appliance.config import system as system_checks
from appliance.config.extension import Extension
from appliance.config.system import System
from appliance.errors import ConfigError

__all__ = ["MAX_EXTENSIONS", "Snapshot", "verify"]

# What one process is measured for; past it, a second exchange is the answer.
MAX_EXTENSIONS = 10_000


class Snapshot(msgspec.Struct, frozen=True):
    """One state of all settings. Nobody writes into it: an edit makes another one."""

    revision: int
    "Grows with each change that was committed."
    system: System
    extensions: dict[str, Extension]
    "By number."

    def with_extension(self, extension: Extension) -> Snapshot:
        """The same with this extension added or replaced."""
        return self.with_extensions([extension])

    def with_extensions(self, extensions: list[Extension]) -> Snapshot:
        """The same with these extensions added or replaced."""
        return msgspec.structs.replace(
            self, extensions={**self.extensions, **{each.number: each for each in extensions}}
        )

    def without_extension(self, number: str) -> Snapshot:
        """The same without this extension."""
        rest = {key: each for key, each in self.extensions.items() if key != number}
        return msgspec.structs.replace(self, extensions=rest)


def verify(old: Snapshot, new: Snapshot) -> None:
    """Raise ConfigError for the first thing wrong in what is new; what has not changed is not looked at again."""
    if new.system != old.system:
        system_checks.verify(new.system)
        if new.system.realm != old.system.realm:
            raise ConfigError("system.realm", "error.read_only")
    if len(new.extensions) > max(MAX_EXTENSIONS, len(old.extensions)):
        raise ConfigError("extensions", "error.too_many", limit=MAX_EXTENSIONS)
    for number, extension in new.extensions.items():
        if extension is old.extensions.get(number):
            continue
        if extension.number != number:
            raise ConfigError("extensions." + number + ".number", "error.read_only")
        extension_checks.verify(extension)
