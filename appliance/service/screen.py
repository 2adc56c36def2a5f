"""What a screen at the box shows: how to reach it, and while it is new the code to set it up with.

A file in the service's folder in /run, which a unit of the image puts on the first virtual terminal. In English and
ASCII, for the kernel's terminal has no other letters.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from appliance.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.control.control import Control

__all__ = ["Screen", "ScreenText", "screen_file"]

logger = logging.getLogger(__name__)

FILE = "screen"
FILE_MODE = 0o640
"""The code is in it. The group is the service's own; that of a further server's folder is the first one's, which shows it to
the administrator."""
LOOK_S = 10.0
"A lease by DHCP comes without news."
PAUSE_S = 1.0
"Between two looks, however much goes on."


def screen_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where to write; None where nobody would show it."""
    folder = environment.get("RUNTIME_DIRECTORY", "")
    return Path(folder, FILE) if folder.startswith("/") and ":" not in folder else None


class ScreenText:
    """Composes it."""

    def __init__(
        self, control: Control, host_name: Callable[[], str], url: Callable[[], str], fingerprint: str
    ) -> None:
        """`url` is the console's now; `fingerprint` its certificate's."""
        self._control = control
        self._host_name = host_name
        self._url = url
        self._fingerprint = fingerprint
        self._set_up = False

    async def compose(self) -> str:
        """The text now. Once somebody has set the box up there is no code in it, ever."""
        code = None if self._set_up else await self._control.first_code()
        self._set_up = code is None
        host = self._host_name()
        lines = ["", f"  Branchbox - {host}", "", *_console(self._url(), host)]
        if code is not None:
            lines += [
                "",
                f"  One-time code:  {code}",
                "",
                "  Open the console and type the code to set this box up.",
            ]
            lines += ["  The browser warns once; the certificate's SHA-256 is", *_halves(self._fingerprint)]
        return "\n".join([*lines, ""])


class Screen:
    """Keeps the file up to date. Does nothing without a file."""

    def __init__(self, file: Path | None, text: ScreenText, control: Control) -> None:
        self._file = file
        self._text = text
        self._feed = control.feed
        self._shown = ""

    async def run(self) -> None:
        """For ever."""
        if self._file is None:
            return
        while True:
            seen = self._feed.changes
            await self._show(self._file)
            await anyio.sleep(PAUSE_S)
            with anyio.move_on_after(LOOK_S):
                await self._feed.wait(seen)

    async def _show(self, file: Path) -> None:
        text = await self._text.compose()
        if text == self._shown:
            return
        try:
            await anyio.to_thread.run_sync(write_atomically, file, text.encode("ascii", "replace"), FILE_MODE)
        except OSError as error:
            logger.warning("the screen is not up to date: %s", error)
            return
        self._shown = text


def _console(url: str, host: str) -> list[str]:
    if urlsplit(url).hostname in ("127.0.0.1", "::1"):
        return ["  There is no network address yet. Connect the network cable."]
    return [f"  Console:        {url}", f"                  {_local(url, host)}"]


def _local(url: str, host: str) -> str:
    """The same by the name that mDNS knows (RFC 6762)."""
    port = urlsplit(url).port
    return f"https://{host.lower()}.local{f':{port}' if port else ''}/"


def _halves(fingerprint: str) -> list[str]:
    """Two lines, each of which fits a terminal."""
    middle = len(fingerprint) // 2 + 1
    return [f"  {fingerprint[:middle]}", f"  {fingerprint[middle:]}"]
