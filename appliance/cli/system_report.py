"""The box's settings for a person: of a network on trial what differs, and what to do to keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.cli.table import as_text
from appliance.locale import say

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = ["system_report"]


def system_report(system: dict[str, Any], language: Language) -> str:
    """The lines of `ctl system`."""
    trial = system.get("trial")
    if not trial:
        return as_text(system)
    shown = {name: ",".join(each) if isinstance(each, list) else each for name, each in trial.items()}
    changes = [f"{name}={shown[name]}" for name, each in trial.items() if each != system.get(name, each)]
    # Of a passphrase alone nothing is to be seen.
    text = say(
        "cli.trial", language, changes=" ".join(changes) or "wifi_password", seconds=trial["seconds_left"]
    )
    return as_text({**system, "trial": text})
