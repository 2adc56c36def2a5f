"""The box the exchange runs on: its certificate, its network, its name and time zone, systemd, restart and reset."""

from __future__ import annotations

from appliance.system import apply_command

__all__ = ["COMMANDS"]

COMMANDS = (apply_command,)
"The commands of this part; `main` adds them to the command line."
