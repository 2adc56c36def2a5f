"""`branchbox` as tests start it: whatever blocks its event loop while it serves is an error, and the test fails."""

from __future__ import annotations

import sys
from unittest import mock

from blockbuster import BlockBuster

from appliance.main import main
from appliance.service import run_command
from appliance.system.systemd import Notifier

__all__ = ["Watch", "watch_for_blocking"]


def watch_for_blocking() -> BlockBuster:
    """Not yet active. What other packages do by themselves is theirs: a frame of ours must be on the stack."""
    watch = BlockBuster("appliance")
    for function in watch.functions.values():
        # Looking one small file up when a person changes the system's settings is no reason for a thread.
        function.can_block_in("appliance/config/system.py", "_is_time_zone")
    return watch


class Watch(Notifier):
    """Watches from the moment when the exchange serves until it is told to end: files are read and removed outside."""

    _blocking = watch_for_blocking()

    def ready(self) -> None:
        super().ready()
        self._blocking.activate()

    def stopping(self) -> None:
        self._blocking.deactivate()
        super().stopping()


if __name__ == "__main__":
    with mock.patch.object(run_command, "Notifier", Watch):
        sys.exit(main())
