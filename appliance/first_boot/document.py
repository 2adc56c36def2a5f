"""What a settings file says: as `ctl import` takes it, and a table `administrator` with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.config.snapshot import verify
from appliance.control.areas.import_ import edited, parse
from appliance.control.areas.placeholders import refuse_placeholders, secrets
from appliance.errors import ConfigError
from appliance.lines.lines import account_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appliance.config.snapshot import Snapshot

__all__ = ["Document", "read", "redacted", "settings"]

Document = dict[str, Any]


def read(content: bytes, now: Snapshot) -> Document:
    """The document, its secrets those of somebody. ConfigError."""
    try:
        # Some editors put a mark of the order of octets before the text.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("", "cli.not_utf8") from error
    document = parse(text)
    refuse_placeholders(document, secrets(now))
    administrator = document.get("administrator", {})
    if not isinstance(administrator, dict):
        raise ConfigError("administrator", "error.not_a_table")
    for name, value in administrator.items():
        if name != "password":
            raise ConfigError("administrator." + name[:64], "error.unknown_setting", name=name[:64])
        if not isinstance(value, str):
            raise ConfigError("administrator.password", "error.not_a_text")
    return document


def settings(now: Snapshot, document: Document) -> Snapshot:
    """The settings with what the document says in them, checked as every change is. ConfigError."""
    new = edited(now, {area: rows for area, rows in document.items() if area != "administrator"})
    verify(now, new)
    for name, line in new.lines.items():
        if line is not now.lines.get(name):
            account_of(line)
    return new


def redacted(document: Mapping[str, Any], hidden: frozenset[str]) -> Document:
    """The same without secrets."""
    return {name: _redacted(value, hidden) for name, value in document.items() if name not in hidden}


def _redacted(value: Any, hidden: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return redacted(value, hidden)
    return [_redacted(each, hidden) for each in value] if isinstance(value, list) else value
