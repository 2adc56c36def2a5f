"""The codes that are dialled for a service, such as *78. Each has a name, a default, and what the box is set to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.config.snapshot import Snapshot

__all__ = ["CODES", "Code", "CodeSetting", "codes_area", "codes_of"]

CODES = "codes"
"The area's name."
# It begins as no extension, group or number outside does, so that it takes nobody's place.
CODE = re.compile(r"[*#][0-9*#]{1,7}")


@dataclass(frozen=True, slots=True)
class Code:
    """A code as a service declares it."""

    name: str
    "`forward_all_on`; its words: `code.NAME`."
    default: str
    "2 to 8 of digits, * and #, the first * or #; empty: off until somebody chooses one."
    argument: bool = False
    "Whether more digits may follow it."


class CodeSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What one of them is set to."""

    name: str
    code: str = ""
    "Empty: off."


def codes_area(codes: Iterable[Code]) -> SettingsArea:
    """The area over these codes."""
    declared = {each.name: each for each in codes}

    def verify(item: CodeSetting, snapshot: Snapshot) -> None:
        if not item.code:
            return
        path = f"{CODES}.{item.name}.code"
        if not CODE.fullmatch(item.code):
            raise ConfigError(path, "error.bad_code")
        for name, code in codes_of(snapshot).items():
            if name != item.name and _clash(declared[item.name], item.code, declared[name], code):
                raise ConfigError(path, "error.code_taken", code=code, name=name)

    fixed = {each.name: CodeSetting(name=each.name, code=each.default) for each in declared.values()}
    return SettingsArea(CODES, CodeSetting, "fixed", verify=verify, most=len(fixed), fixed=fixed)


def codes_of(snapshot: Snapshot) -> dict[str, str]:
    """What to dial, by the code's name, in the order in which the services declare them; empty: that code is off."""
    area = snapshot.areas.get(CODES)
    return {} if area is None else {name: snapshot.setting(CODES, name).code for name in area.fixed}


def _clash(first: Code, dials: str, second: Code, dials_too: str) -> bool:
    """Whether somebody who dials one of them may mean the other: the same, or the beginning of the other where digits may
    follow."""
    if not dials_too:
        return False
    return (
        dials == dials_too
        or (first.argument and dials_too.startswith(dials))
        or (second.argument and dials.startswith(dials_too))
    )
