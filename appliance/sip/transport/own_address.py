"""How we name ourselves to a peer: the Via of a request and the Contact of a user.

RFC 3261 §8.1.1.7, §8.1.1.8, §18.1.1; RFC 3581 §3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["contact_of", "via_of"]

USER_MARKS = "-_.!~*'()&=+$,;?/%"
"§25.1: what a user part may hold unescaped; `%` because it is escaped already."


def via_of(flow: Flow, branch: str) -> str:
    """The Via of a request of ours. It asks for the answer at the port we send from, through any NAT."""
    return f"SIP/2.0/{flow.transport.upper()} {_host_port(flow.local)};branch={branch};rport"


def contact_of(flow: Flow, user: str) -> str:
    """Where the peer on that flow can reach a user of ours."""
    transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
    return f"<sip:{quote(user, safe=USER_MARKS)}@{_host_port(flow.local)}{transport}>"


def _host_port(address: Address) -> str:
    host, port = address
    return f"[{host.partition('%')[0]}]:{port}" if ":" in host else f"{host}:{port}"
