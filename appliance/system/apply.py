"""Makes the box what was wanted: host name, time zone, network. Run as root; doing it twice changes nothing.

systemd.network(5), hostname(5), localtime(5).
"""

from __future__ import annotations

import re
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.files import write_atomically

if TYPE_CHECKING:
    from appliance.system.wanted import StaticNetwork, Wanted

__all__ = ["Box"]

NETWORK_FILE = "run/systemd/network/10-branchbox.network"
"In /run: the root may be read-only, and `system-apply` runs at every start."
NETWORK_FOLDERS = (
    "etc/systemd/network",
    "run/systemd/network",
    "usr/lib/systemd/network",
    "lib/systemd/network",
)
WIRED = "en* eth* usb*"
TOOL_SECONDS = 20.0
"A tool that has not answered by then waits for something that will not come."
_DHCP = re.compile(r"^\s*DHCP\s*=\s*(?:yes|true|ipv4)\s*$", re.MULTILINE)
_MATCHES_WIRED = re.compile(r"^\s*(?:Name\s*=.*(?<![\w-])e(?:\*|n|th)|Type\s*=.*\bether\b)", re.MULTILINE)


@dataclass(slots=True)
class Box:
    """The machine below `root`. With another root than `/` only files change: no tool, no system call."""

    root: Path = Path("/")
    said: list[str] = field(default_factory=list)
    "What was done, a line each, in English: it goes to the journal."
    failed: bool = False

    @property
    def _is_real(self) -> bool:
        return self.root == Path("/")

    def apply(self, wanted: Wanted) -> None:
        """Set all three. What fails is said and noted in `failed`; the rest is still done."""
        for step in (self._set_host_name, self._set_time_zone, self._set_network):
            try:
                step(wanted)
            except OSError as error:
                self.failed = True
                self.said.append(f"not done: {error}")

    def run(self, *command: str) -> bool:
        """Run a tool of the system and say so; False when it is missing, fails or hangs."""
        if not self._is_real:
            self.said.append(f"would run: {' '.join(command)}")
            return True
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=TOOL_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def _set_host_name(self, wanted: Wanted) -> None:
        if self._is_real and socket.gethostname() != wanted.host_name:
            socket.sethostname(wanted.host_name)
            self.said.append(f"host name: {wanted.host_name}")
        self._write("etc/hostname", f"{wanted.host_name}\n")

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

    def _set_network(self, wanted: Wanted) -> None:
        path = self.root / NETWORK_FILE
        if wanted.network is not None:
            changed = self._write(NETWORK_FILE, static_network(wanted.network, self._interface()))
        elif self._has_dhcp():
            changed = path.exists()
            path.unlink(missing_ok=True)
        else:
            # Without any file networkd leaves the card alone, and the box is gone from the network.
            changed = self._write(NETWORK_FILE, _network_file(WIRED, ["DHCP=yes", "MulticastDNS=yes"]))
        if changed:
            self.said.append(f"network: {'DHCP' if wanted.network is None else wanted.network.address}")
            self._reload()

    def _reload(self) -> None:
        if self._is_real and not Path("/run/systemd/netif/state").exists():
            return  # early in the boot: networkd will read the file when it starts
        if not self.run("networkctl", "reload"):
            self.failed = True
            self.said.append("not done: networkctl reload")
        elif self._is_real:
            for interface in _wired(self.root):
                self.run("networkctl", "reconfigure", interface)

    def _has_dhcp(self) -> bool:
        """Whether the image's own files give a wired card DHCP."""
        for folder in NETWORK_FOLDERS:
            for file in (self.root / folder).glob("*.network"):
                text = file.read_text(encoding="utf-8", errors="replace")
                if file != self.root / NETWORK_FILE and _DHCP.search(text) and _MATCHES_WIRED.search(text):
                    return True
        return False

    def _interface(self) -> str:
        """The one wired card that gets the address: two with the same would answer for each other."""
        return next(iter(_wired(self.root)), WIRED)

    def _write(self, name: str, content: str) -> bool:
        """Write a file below root when it differs; whether it did."""
        path = self.root / name
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.encode())
        return True


def static_network(network: StaticNetwork, interface: str) -> str:
    """The text of a systemd.network file for a fixed address."""
    lines = [f"Address={network.address}/{network.prefix}"]
    if network.gateway is not None:
        lines.append(f"Gateway={network.gateway}")
    lines += [f"DNS={server}" for server in network.dns]
    return _network_file(interface, [*lines, "MulticastDNS=yes"])


def _network_file(interfaces: str, lines: list[str]) -> str:
    body = "\n".join(lines)
    return f"# Written by branchbox system-apply.\n[Match]\nName={interfaces}\n\n[Network]\n{body}\n"


def _wired(root: Path) -> list[str]:
    """Wired network cards that are real devices, in the kernel's order."""
    found: list[tuple[int, str]] = []
    for card in (root / "sys/class/net").glob("*"):
        if (card / "device").exists() and not (card / "wireless").exists():
            try:
                found.append((int((card / "ifindex").read_text(encoding="ascii")), card.name))
            except (OSError, ValueError):
                continue  # the card went away between two looks
    return [name for _, name in sorted(found)]
