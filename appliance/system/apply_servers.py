"""Starts and ends the further virtual servers, and opens the firewall for their ports alone. Run as root.

The units' names are systemd's (systemd.unit(5)); `further` and `consoles` are sets of image/overlay/etc/nftables.conf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.config.server import Server
    from appliance.system.apply import Box
    from appliance.system.wanted import Wanted

__all__ = ["apply_servers"]

FOLDER = "data/servers"
UNIT = "branchbox@{}.service"
FIREWALL = "run/branchbox-system/servers.nft"


def apply_servers(box: Box, wanted: Wanted) -> None:
    """Those that are wanted run, no other; the data of one that is gone stays where it is. OSError."""
    running = [server for server in wanted.servers if server.enabled]
    _open(box, running)
    names = {server.name for server in running}
    for file in sorted((box.root / FOLDER).glob("*.conf")):
        if file.stem not in names:
            box.run("systemctl", "--no-block", "stop", UNIT.format(file.stem))
            box.put(f"{FOLDER}/{file.name}", None)
            box.said.append(f"server {file.stem}: ended")
    for server in running:
        changed = box.put(f"{FOLDER}/{server.name}.conf", _environment(server))
        # --no-block: at start-up it waits for this to end. Whether it starts is the unit's to tell.
        box.run("systemctl", "--no-block", "restart" if changed else "start", UNIT.format(server.name))
        if changed:
            box.said.append(f"server {server.name}: SIP {server.sip}, console {server.web}")


def _environment(server: Server) -> str:
    return (
        f"BRANCHBOX_SIP=0.0.0.0:{server.sip}\n"
        f"BRANCHBOX_TLS=0.0.0.0:{server.tls}\n"
        f"BRANCHBOX_WEB=0.0.0.0:{server.web}\n"
        f"BRANCHBOX_RTP={server.rtp}\n"
    )


def _open(box: Box, servers: Iterable[Server]) -> None:
    """Let in what goes to these. Everything is said each time: at start-up the kernel knows of nobody."""
    telephony = [
        element
        for each in servers
        for element in (f"udp . {each.sip}", f"tcp . {each.sip}", f"tcp . {each.tls}", f"udp . {each.rtp}")
    ]
    lines = ["flush set inet branchbox further", "flush set inet branchbox consoles"]
    if telephony:
        lines.append(f"add element inet branchbox further {{ {', '.join(telephony)} }}")
        lines.append(
            f"add element inet branchbox consoles {{ {', '.join(str(each.web) for each in servers)} }}"
        )
    if not telephony and not (box.root / FIREWALL).exists():
        return
    box.put(FIREWALL, "\n".join(lines) + "\n", 0o600)
    if not box.run("nft", "--file", f"/{FIREWALL}"):
        box.fail("the firewall does not take the ports of further servers")
