"""A settings file that came over the line, applied item by item, so that each item's fate can be told. Pure.

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
    from collections.abc import Iterator

__all__ = ["NOT_RUNNING", "apply_settings"]

NETWORK_KEYS = NetworkSettings.__struct_fields__
AREAS = frozenset({"administrator", "system", "extensions"})
NOT_RUNNING = "serial.item.not_running"

Item = dict[str, Any]
"`item`, `accepted`, and for a refusal `key` and `reason` (in English)."


def apply_settings(content: bytes) -> Talk[list[Item]]:
    """Apply a file; gives what came of each item. Before the box is set up, nobody need prove anything."""
    try:
        document = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        return [_refused("file", ConfigError("", "serial.item.bad_file"))]
    items = [_refused(each, ConfigError("", "serial.item.unknown")) for each in document if each not in AREAS]
    administrator = _table(document.get("administrator"))
    try:
        set_up = bool((yield Perform("status", "show"))["set_up"])
        if set_up:
            yield from _prove(administrator)
    except (ConfigError, NotRunningError) as error:
        return [*items, _refused("administrator", error)]
    for name, request in _requests(document, items):
        items.append((yield from _item(name, request)))
    # The password last: until then a box that lost its power is still new, and this can be sent again.
    if not set_up and "password" in administrator:
        items.append((yield from _first_password(administrator["password"])))
    elif set_up and "new_password" in administrator:
        request = Perform("admin", "set-password", None, {"password": administrator["new_password"]})
        items.append((yield from _item("administrator.new_password", request)))
    return items


def _prove(administrator: dict[str, Any]) -> Talk[None]:
    password = administrator.get("password")
    if not isinstance(password, str):
        raise ConfigError("", "serial.item.no_password")
    yield Perform("admin", "log-in", None, {"password": password})


def _first_password(password: object) -> Talk[Item]:
    try:
        made = yield Perform("admin", "new-code")
    except (ConfigError, NotRunningError) as error:
        return _refused("administrator.password", error)
    request = Perform("admin", "set-up", None, {"code": made["code"], "password": password})
    return (yield from _item("administrator.password", request))


def _requests(document: dict[str, Any], items: list[Item]) -> Iterator[tuple[str, Perform]]:
    """The requests that a file stands for, each with the name it is reported by."""
    system = _table(document.get("system"))
    network = {key: system.pop(key) for key in NETWORK_KEYS if key in system}
    for key, value in system.items():
        yield f"system.{key}", Perform("system", "set", None, {key: value})
    if network:
        # One request: an address without its gateway is no step on the way to both.
        yield "system.network", Perform("system", "set", None, network)
    for number, extension in _extensions(document.get("extensions")):
        if isinstance(number, str) and isinstance(extension, dict):
            yield f"extensions.{number}", Perform("extensions", "add", None, {**extension, "number": number})
        else:
            items.append(_refused("extensions", ConfigError("", "serial.item.unknown")))


def _extensions(value: object) -> Iterator[tuple[object, object]]:
    """Both ways to write them: `[extensions.101]`, and `[[extensions]]` with a number."""
    if isinstance(value, list):
        yield from ((each.get("number") if isinstance(each, dict) else None, each) for each in value)
    elif isinstance(value, dict):
        yield from value.items()
    elif value is not None:
        yield None, None


def _item(name: str, request: Perform) -> Talk[Item]:
    try:
        try:
            result = yield request
            # Whoever holds this line is not cut off by what comes over it.
            if request.area == "system" and result.get("trial"):
                yield Perform("system", "confirm")
        except ConfigError as error:
            if error.key != "error.number_taken":
                raise
            # It is there already: the file says what it shall be, so that sending it twice is no mistake.
            yield Perform("extensions", "set", request.values["number"], request.values)
    except (ConfigError, NotRunningError) as error:
        return _refused(name, error)
    return {"item": name, "accepted": True}


def _refused(name: str, error: ConfigError | NotRunningError) -> Item:
    if isinstance(error, NotRunningError):
        error = ConfigError("", NOT_RUNNING)
    reason = Words("en").refusal(ConfigError("", error.key, **error.params)).removeprefix("! ")
    return {"item": name, "accepted": False, "key": error.key, "reason": reason}


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
