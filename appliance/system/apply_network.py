"""Puts a network into force: its files, networkd, wpa_supplicant, the end of a trial. Run as root.

Everything lies in /run: the root may be read-only, and `system-apply` runs at every start.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.system.network_files import (
    NETWORK_FILES,
    Cards,
    automatic_file,
    network_files,
    vlan_card,
    wifi_file,
)
from appliance.system.probation import REPORT_FILE, boot_id

if TYPE_CHECKING:
    from appliance.config.network import NetworkSettings
    from appliance.system.apply import Box
    from appliance.system.wanted import TrialNetwork, Wanted

__all__ = ["apply_network", "cards"]

FOLDER = "run/systemd/network"
FOLDERS = ("etc/systemd/network", FOLDER, "usr/lib/systemd/network", "lib/systemd/network")
WIFI_FILE = "run/branchbox-system/wifi.conf"
WIFI_UNIT = "branchbox-wifi@{}.service"
PROBATION_TIMER = "branchbox-probation.timer"
"Root's own: it starts `system-apply` again when a trial is over, also when the exchange is no longer there."
_DHCP = re.compile(r"^\s*DHCP\s*=\s*(?:yes|true|ipv4)\s*$", re.MULTILINE)
_MATCHES_WIRED = re.compile(r"^\s*(?:Name\s*=.*(?<![\w-])e(?:\*|n|th)|Type\s*=.*\bether\b)", re.MULTILINE)


def apply_network(box: Box, wanted: Wanted) -> None:
    """What is on trial, or else what was confirmed. OSError."""
    trial = wanted.trial_at(boot_id(), time.monotonic())
    network = wanted.network if trial is None else trial.network
    found = cards(box.root)
    changed = _write_files(box, network, found)
    stale = _stale_vlans(box, network)
    if changed or stale:
        box.said.append(f"network: {_summary(network)}{' on trial' if trial else ''}")
        _reload(box, found, stale)
    _apply_wifi(box, network, found)
    _report(box, trial)


def cards(root: Path) -> Cards:
    """Network cards that are real devices, in the kernel's order."""
    found: list[tuple[int, str, bool]] = []
    for card in (root / "sys/class/net").glob("*"):
        if (card / "device").exists():
            try:
                index = int((card / "ifindex").read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue  # the card went away between two looks
            found.append((index, card.name, (card / "wireless").exists()))
    found.sort()
    return Cards(
        tuple(name for _, name, wireless in found if not wireless),
        tuple(name for _, name, wireless in found if wireless),
    )


def _write_files(box: Box, network: NetworkSettings, found: Cards) -> bool:
    files = network_files(network, found)
    if NETWORK_FILES[0] not in files and not _has_dhcp(box.root):
        files[NETWORK_FILES[0]] = automatic_file()
    changes = [box.put(f"{FOLDER}/{name}", files.get(name)) for name in NETWORK_FILES]
    return any(changes)


def _stale_vlans(box: Box, network: NetworkSettings) -> list[str]:
    """Cards of VLANs that are wanted no more: networkd makes such cards, it does not remove them."""
    kept = vlan_card(network.vlan)
    folder = box.root / "sys/class/net"
    return sorted(each.name for each in folder.glob("vlan*") if each.name != kept)


def _is_early(box: Box) -> bool:
    """Whether this is so early in the boot that networkd will read the files, and cards appear, only later."""
    return box.is_real and not Path("/run/systemd/netif/state").exists()


def _reload(box: Box, found: Cards, stale: list[str]) -> None:
    if _is_early(box):
        return
    for card in stale:
        box.run("ip", "link", "delete", card)
    if not box.run("networkctl", "reload"):
        box.fail("networkctl reload")
        return
    for card in (*found.wired, *found.wireless):
        box.run("networkctl", "reconfigure", card)


def _apply_wifi(box: Box, network: NetworkSettings, found: Cards) -> None:
    text = wifi_file(network)
    changed = box.put(WIFI_FILE, text, mode=0o600)
    if text is not None and not found.wireless and not _is_early(box):
        box.fail("Wi-Fi: there is no card for it")
    if not changed:
        return
    action = "stop" if text is None else "restart"
    for card in found.wireless:
        # --no-block: at start-up this is ordered before the network, and must not wait for what is after it.
        if not box.run("systemctl", "--no-block", action, WIFI_UNIT.format(card)) and text is not None:
            box.fail(f"Wi-Fi on {card}")


def _report(box: Box, trial: TrialNetwork | None) -> None:
    """Tell the exchange what is on trial now: only then does a click in the console prove that one can get there."""
    if trial is not None:
        box.run("systemctl", "--no-block", "restart", PROBATION_TIMER)
    box.put(REPORT_FILE, None if trial is None or box.failed else f"{trial.id}\n")


def _has_dhcp(root: Path) -> bool:
    """Whether the image's own files give a wired card DHCP."""
    for folder in FOLDERS:
        for file in (root / folder).glob("*.network"):
            text = file.read_text(encoding="utf-8", errors="replace")
            if file.name not in NETWORK_FILES and _DHCP.search(text) and _MATCHES_WIRED.search(text):
                return True
    return False


def _summary(network: NetworkSettings) -> str:
    """One line for the journal, without secrets."""
    parts = [network.address if network.network == "static" else "DHCP"]
    parts.append(network.address6 if network.ipv6 == "static" else f"IPv6 {network.ipv6}")
    parts += [f"VLAN {network.vlan}"] if network.vlan else []
    return ", ".join([*parts, network.link])
