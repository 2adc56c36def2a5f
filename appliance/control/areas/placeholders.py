"""What stands for a secret in a file that is to be filled in, and is nobody's secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config.snapshot import KEYED
from appliance.control.areas.system import SECRETS
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.config.snapshot import Snapshot

__all__ = ["PLACEHOLDER", "refuse_placeholders", "secrets"]

PLACEHOLDER = "CHANGE-ME"
"What stands for each secret in the example. As a password everybody would know it."


def secrets(now: Snapshot) -> frozenset[str]:
    """The names of all settings that are taken and never shown."""
    areas = (*KEYED.values(), *now.areas.values())
    return (SECRETS | {"password"}).union(*(area.secrets for area in areas))


def refuse_placeholders(value: Any, hidden: frozenset[str], path: str = "") -> None:
    """ConfigError for the first secret of a document that nobody has filled in."""
    if isinstance(value, list):
        for each in value:
            refuse_placeholders(each, hidden, path)
    elif isinstance(value, dict):
        for name, each in value.items():
            below = f"{path}.{name[:64]}" if path else name[:64]
            if name in hidden and each == PLACEHOLDER:
                raise ConfigError(below, "error.placeholder", value=PLACEHOLDER)
            refuse_placeholders(each, hidden, below)
