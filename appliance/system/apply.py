"""Makes the box what was wanted: host name, time zone, time servers, network, further servers. Run as root; doing it twice changes nothing.

hostname(5), localtime(5), timesyncd.conf(5); the network is `apply_network`'s, the servers are `apply_servers`'.
"""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.apply_network import apply_network
from appliance.system.apply_servers import apply_servers
from appliance.system.files import write_atomically
from appliance.system.network_files import time_file

if TYPE_CHECKING:
    from appliance.system.wanted import Wanted

__all__ = ["Box"]

TIME_FILE = "run/systemd/timesyncd.conf.d/10-branchbox.conf"
TIME_UNIT = "systemd-timesyncd.service"
TOOL_SECONDS = 20.0
"A tool that has not answered by then waits for something that will not come."


@dataclass(slots=True)
class Box:
    """The machine below `root`. With another root than `/` only files change: no tool, no system call."""

    root: Path = Path("/")
    said: list[str] = field(default_factory=list)
    "What was done, a line each, in English: it goes to the journal."
    failed: bool = False

    @property
    def is_real(self) -> bool:
        return self.root == Path("/")

    def apply(self, wanted: Wanted) -> None:
        """Set all of it. What fails is said and noted in `failed`; the rest is still done."""
        # The network first: whether it failed must be its own.
        for step in (
            apply_network,
            Box._set_host_name,
            Box._set_time_zone,
            Box._set_time_servers,
            apply_servers,
        ):
            try:
                step(self, wanted)
            except OSError as error:
                self.fail(str(error))

    def run(self, *command: str) -> bool:
        """Run a tool of the system and say so; False when it is missing, fails or hangs."""
        if not self.is_real:
            self.said.append(f"would run: {' '.join(command)}")
            return True
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=TOOL_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def fail(self, what: str) -> None:
        """Say that this could not be done."""
        self.failed = True
        self.said.append(f"not done: {what}")

    def put(self, name: str, content: str | None, mode: int = 0o644) -> bool:
        """Make a file below root say this, or not be there; whether anything changed. OSError."""
        path = self.root / name
        if content is None:
            there = path.exists()
            path.unlink(missing_ok=True)
            return there
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.encode(), mode)
        return True

    def _set_host_name(self, wanted: Wanted) -> None:
        if self.is_real and socket.gethostname() != wanted.host_name:
            socket.sethostname(wanted.host_name)
            self.said.append(f"host name: {wanted.host_name}")
        self.put("etc/hostname", f"{wanted.host_name}\n")

    def _set_time_zone(self, wanted: Wanted) -> None:
        target = Path("usr/share/zoneinfo", wanted.time_zone)
        if not (self.root / target).is_file():
            msg = f"time zone {wanted.time_zone} is not known here"
            raise FileNotFoundError(msg)
        link, goal = self.root / "etc/localtime", Path("..") / target
        if link.is_symlink() and link.readlink() == goal:
            return
        scratch = link.with_name(".localtime.new")
        try:
            scratch.unlink(missing_ok=True)
            scratch.symlink_to(goal)
            scratch.replace(link)
        except OSError:
            if not self.run("timedatectl", "set-timezone", wanted.time_zone):
                raise
        self.said.append(f"time zone: {wanted.time_zone}")

    def _set_time_servers(self, wanted: Wanted) -> None:
        if self.put(TIME_FILE, time_file(wanted.ntp)):
            self.said.append(f"time servers: {' '.join(wanted.ntp) or 'as DHCP says'}")
            # --no-block: at start-up it may wait for what waits for us.
            self.run("systemctl", "--no-block", "try-restart", TIME_UNIT)
