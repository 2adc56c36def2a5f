"""Area `provision`: a whole settings file with the administrator's password, as it is on the card, from a machine on a line.

Everything that can be refused is, before anything is changed: the settings are one change, the password comes last. When the
power goes in between, a box that was new is still new, and the same file can be sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread

from appliance.control.area import Area, Request, Verb
from appliance.control.areas.admin import check_password, is_set_up, put_hash
from appliance.control.areas.export import Text
from appliance.control.areas.import_ import Imported, applied, parse
from appliance.control.areas.placeholders import refuse_placeholders, secrets
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.control.parts import Parts

__all__ = ["AREA"]

ADMINISTRATOR = "administrator"


async def apply(parts: Parts, request: Request[Text]) -> Imported:
    """Put a file in force whole, or nothing of it."""
    document = await anyio.to_thread.run_sync(parse, request.values.text)
    passwords = _passwords(document.pop(ADMINISTRATOR, {}))
    set_up = await is_set_up(parts)
    if set_up:
        if "password" not in passwords:
            raise ConfigError(ADMINISTRATOR + ".password", "serial.item.no_password")
        await check_password(parts, request.actor, passwords["password"])
    refuse_placeholders({**document, ADMINISTRATOR: passwords}, secrets(parts.config.current))
    name = "new_password" if set_up else "password"
    wanted = passwords.get(name)
    hashed = None if wanted is None else await parts.login.make(f"{ADMINISTRATOR}.{name}", wanted)
    imported = await applied(parts, document)
    if hashed is not None:
        await put_hash(parts, hashed)
    if hashed is not None and not set_up:
        parts.setup_code.spend()
    return imported


def _passwords(table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ConfigError(ADMINISTRATOR, "error.not_a_table")
    for name, value in table.items():
        path = f"{ADMINISTRATOR}.{name[:64]}"
        if name not in ("password", "new_password"):
            raise ConfigError(path, "error.unknown_setting", name=name[:64])
        if not isinstance(value, str):
            raise ConfigError(path, "error.not_a_text")
    return table


AREA = Area(
    "provision",
    "A whole settings file, with the administrator's password",
    (
        Verb(
            *("apply", apply, Text, Imported, "Put a TOML text in force, whole or not at all"),
            changes=True,
            local=True,
        ),
    ),
)
