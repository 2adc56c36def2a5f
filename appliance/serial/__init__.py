"""Set-up and care over a serial line: a wizard for a new box, a menu afterwards, and a mode for machines."""

from __future__ import annotations

from appliance.serial import provision, serial_command

__all__ = ["COMMANDS"]

COMMANDS = (serial_command, provision)
"The commands of this part; `main` adds them to the command line."
