"""In which language this terminal is spoken to, and how a refusal reads there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from appliance import locale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.errors import ConfigError
    from appliance.locale import Language

__all__ = ["explain", "language"]


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """Chinese where the locale says so (locale(7): LC_ALL, then LC_MESSAGES, then LANG), else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def explain(error: ConfigError, tongue: Language) -> str:
    """One line: where, and why."""
    try:
        reason = locale.say(error.key, tongue, **error.params)
    except (KeyError, IndexError):
        # The exchange that answered may be newer than this command and know reasons that it does not.
        reason = f"{error.key} {error.params}" if error.params else error.key
    return f"{error.path}: {reason}" if error.path else reason
