"""Restarting and resetting the box: asked for by the exchange in a file, done by root in `system-apply`."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, get_args

from appliance.errors import ConfigError
from appliance.system.files import read_bounded, write_atomically
from appliance.system.update.fetch import is_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "REQUEST_FILE",
    "UPLOADED_FILE",
    "Action",
    "check_appliance",
    "forget_request",
    "on_appliance",
    "read_request",
    "request",
    "request_update",
    "request_uploaded_update",
    "requested_update",
    "wipe",
]

REQUEST_FILE = "request.json"
UPDATE_FILE = "wanted-update.json"
"Where the update that is asked for comes from."
UPLOADED_FILE = "update.bundle"
"The update itself, when it came through a browser."
APPLIANCE_VARIABLE = "BRANCHBOX_APPLIANCE"
"The image's service unit sets it to 1: only there does root wait for requests."

Action = Literal["restart-service", "reboot", "factory-reset", "update"]
ACTIONS: tuple[Action, ...] = get_args(Action)
KEPT = frozenset({REQUEST_FILE, "lost+found"})


def on_appliance(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in the image, where requests are heard."""
    return environment.get(APPLIANCE_VARIABLE) == "1"


def check_appliance(environment: Mapping[str, str] = os.environ) -> None:
    """ConfigError where nobody would hear a request, before work is done for it."""
    if not on_appliance(environment):
        raise ConfigError("", "error.not_an_appliance")


def request(data_dir: Path, action: Action, environment: Mapping[str, str] = os.environ) -> None:
    """Ask root for `action`. ConfigError where nobody would hear it, as when run from a checkout. OSError."""
    check_appliance(environment)
    write_atomically(data_dir / REQUEST_FILE, json.dumps({"action": action}).encode())


def request_update(data_dir: Path, source: str, environment: Mapping[str, str] = os.environ) -> None:
    """Ask root for the update behind `source`, an http or https address. ConfigError, OSError."""
    if not is_url(source):
        raise ConfigError("source", "update.no_address")
    if on_appliance(environment):
        write_atomically(data_dir / UPDATE_FILE, json.dumps({"source": source}).encode(), 0o600)
    request(data_dir, "update", environment)


def request_uploaded_update(data_dir: Path, file: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Ask root for the update in `file`, which is moved away and must lie on the same disk. ConfigError, OSError."""
    if on_appliance(environment):
        file.replace(data_dir / UPLOADED_FILE)
        write_atomically(data_dir / UPDATE_FILE, json.dumps({"uploaded": True}).encode(), 0o600)
    request(data_dir, "update", environment)


def requested_update(data_dir: Path) -> str | None:
    """What was asked for, once: an address, or the file that was uploaded; None when nothing was. For root, which believes
    nothing of it."""
    path = data_dir / UPDATE_FILE
    try:
        value = json.loads(read_bounded(path))
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        with suppress(OSError):
            path.unlink()
    if isinstance(value, dict) and value.get("uploaded") is True:
        return str(data_dir / UPLOADED_FILE)
    source = value.get("source") if isinstance(value, dict) else None
    return source if isinstance(source, str) and is_url(source) else None


def read_request(data_dir: Path) -> Action | None:
    """What was asked for; None when nothing, or nothing we know, was."""
    try:
        value = json.loads(read_bounded(data_dir / REQUEST_FILE))
    except (OSError, ValueError, RecursionError):
        return None
    asked = value.get("action") if isinstance(value, dict) else None
    return next((action for action in ACTIONS if action == asked), None)


def forget_request(data_dir: Path) -> None:
    """The request is done, or not to be done. OSError."""
    path = data_dir / REQUEST_FILE
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def wipe(data_dir: Path) -> list[str]:
    """Delete everything in `data_dir` but the request itself; gives the names of what would not go.

    The request stays until the caller forgets it: when power is lost in between, the next start goes on.
    `shutil.rmtree` follows no symbolic links, also when they are swapped in while it works.
    """
    left: list[str] = []
    for entry in sorted(data_dir.iterdir()):
        if entry.name in KEPT:
            continue
        try:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        except OSError:
            left.append(entry.name)
    return left
