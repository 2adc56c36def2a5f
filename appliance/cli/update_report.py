"""How updates stand, for a person: what is on offer with its date and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.cli.table import as_text

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = ["update_report"]


def update_report(update: dict[str, Any], language: Language) -> str:
    """The lines of `ctl update show`; the notes stand below, for they have lines of their own."""
    notes: dict[str, str] = update.get("offered_notes") or {}
    shown = {name: value for name, value in update.items() if name != "offered_notes"}
    text = notes.get(language, notes.get("en", ""))
    return "\n\n".join([as_text(shown), text] if text else [as_text(shown)])
