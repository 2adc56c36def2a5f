"""What the service tells systemd: ready, stopping, alive, and one line of status.

sd_notify(3) by hand: a datagram of `NAME=value` lines to the socket in NOTIFY_SOCKET. Without systemd all of it
does nothing.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notifier"]


class Notifier:
    """Speaks to the service manager that started this process, if one did. Never blocks, never raises."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog = _watchdog_seconds(environment)

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds between two calls of `alive`: half of what systemd allows. None when it does not watch us."""
        return None if self._watchdog is None else self._watchdog / 2

    def ready(self) -> None:
        """The service answers now."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service has begun to end; systemd waits for it."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Still turning: the event loop calls this once every `watchdog_interval`."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`, in English."""
        self._send("STATUS=" + " ".join(text.split()))

    def _send(self, assignment: str) -> None:
        # Only socket paths and names in Linux's abstract namespace (`@...`) exist for us; vsock is for machines.
        if self._address[:1] not in ("/", "@"):
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            ) as s:
                s.sendto(assignment.encode(), address)
        except OSError:
            # A manager that cannot listen must not stop the calls; its own watchdog notices.
            return


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    # WATCHDOG_PID names the process that is meant. It is not checked: in a one-file executable systemd starts
    # the unpacker, whose child we are (hence NotifyAccess=all in the unit).
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 1_000_000 if microseconds > 0 else None
