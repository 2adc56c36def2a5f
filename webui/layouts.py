"""In which order a form shows the settings of an area, and which of them at first sight.

What is not named here is shown all the same, in the last group; an area that is not here has one group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webui.form import Reading
    from webui.settings import Setting

__all__ = ["FIRST", "LAYOUTS", "REST", "Group", "laid_out"]

FIRST, REST = "first", "rest"
"The group that is open, and the one for what no other names."

_CALLER = (
    "shows",
    "caller_number",
    "caller_cut",
    "caller_prefix",
    "from_user",
    "from_display",
    "hide_caller",
)
_INCOMING = ("numbers", "caller_from")
LAYOUTS: dict[str, dict[str, tuple[str, ...]]] = {
    "lines": {
        FIRST: ("name", "server", "account", "password", "auth_name", "incoming", "enabled"),
        "caller": _CALLER,
        "incoming": _INCOMING,
        "server": ("transport", "port", "proxy", "domain", "realm", "contact_user", "expiry"),
    },
    "trunks": {
        FIRST: ("name", "peers", "incoming", "enabled"),
        "caller": _CALLER[:4] + _CALLER[6:],
        "incoming": _INCOMING,
        "server": (
            "transport",
            "port",
            "networks",
            "share",
            "keep_alive",
            "domain",
            "certificate",
            "number_format",
        ),
    },
    "routes": {
        FIRST: ("name", "pattern", "to", "level", "enabled"),
        "when": ("callers", "times", "emergency"),
        "number": ("strip", "prepend", "replace"),
    },
    "dial-plan": {FIRST: ("out_prefix", "emergency")},
    "update-check": {FIRST: ("address", "automatic", "at")},
    "backup-schedule": {
        FIRST: ("every", "at", "weekday", "to", "keep", "voicemail", "recordings", "passphrase")
    },
}


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are shown together."""

    name: str
    settings: tuple[Setting, ...]
    is_open: bool


def laid_out(area: str, settings: Sequence[Setting], reading: Reading) -> list[Group]:
    """The groups of a form. One is open that holds an error, or what somebody has chosen."""
    by_name = {each.name: each for each in settings}
    groups = {
        group: [by_name.pop(name) for name in names if name in by_name]
        for group, names in LAYOUTS.get(area, {FIRST: [*by_name]}).items()
    }
    groups[REST] = list(by_name.values())
    return [
        Group(name, tuple(each), name == FIRST or any(_stands_out(one, reading) for one in each))
        for name, each in groups.items()
        if each
    ]


def _stands_out(setting: Setting, reading: Reading) -> bool:
    typed = reading.typed.get(setting.name, "")
    return setting.name in reading.errors or typed != setting.text(setting.default)
