"""A settings file that came over the line, applied whole or not at all. Pure.

The file is TOML as `branchbox ctl import` takes it, with one table more:

    [administrator]
    password = "..."        # a new box: it becomes the password; later: it proves who sends this
    new_password = "..."    # later: the password from now on

The password itself comes over the line, not a proof of it. The exchange keeps an Argon2id hash, from which no
challenge can be answered; and the line is a cable in the sender's hands, whose other end could as well read the
memory card. What the password keeps out is a forgotten cable on a box that is in use.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from appliance.config.network import NetworkSettings
from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.serial.dialogue import Perform, Talk, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["NOT_RUNNING", "apply_settings"]

NETWORK_KEYS = NetworkSettings.__struct_fields__
NOT_RUNNING = "serial.item.not_running"

Item = dict[str, Any]
"`item`, `accepted`, and for a refusal `key` and `reason` (in English)."


def apply_settings(content: bytes) -> Talk[list[Item]]:
    """Apply a file. Gives what it set, item by item; or the one refusal, and then nothing of it was set."""
    try:
        # Some editors put a mark of the order of octets before the text.
        text = content.decode("utf-8-sig")
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return [_refused(ConfigError("", "serial.item.bad_file"))]
    try:
        yield Perform("provision", "apply", None, {"text": text})
        # Whoever holds this line is not cut off by what comes over it.
        if (yield Perform("system", "show")).get("trial"):
            yield Perform("system", "confirm")
    except (ConfigError, NotRunningError) as error:
        return [_refused(error)]
    return [{"item": name, "accepted": True} for name in _items(document)]


def _items(document: Mapping[str, Any]) -> Iterator[str]:
    """What a file sets, each thing by the name that it is reported by; passwords last, as they are set."""
    for area, table in document.items():
        match table:
            case dict() if area == "system":
                yield from (f"system.{name}" for name in table if name not in NETWORK_KEYS)
                if any(name in NETWORK_KEYS for name in table):
                    yield "system.network"
            case dict() if area != "administrator":
                yield from (f"{area}.{name}" for name in table)
            case list():
                yield from (f"{area}.{row.get('number') or row.get('name')}" for row in table)
    yield from (f"administrator.{name}" for name in document.get("administrator", ()))


def _refused(error: ConfigError | NotRunningError) -> Item:
    if isinstance(error, NotRunningError):
        error = ConfigError("", NOT_RUNNING)
    reason = Words("en").refusal(ConfigError("", error.key, **error.params)).removeprefix("! ")
    return {"item": error.path or "file", "accepted": False, "key": error.key, "reason": reason}
