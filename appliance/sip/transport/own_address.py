"""How we name ourselves to a peer: the Via of a request and the Contact of a user.

RFC 3261 §8.1.1.7, §8.1.1.8, §12.1.1 (sips:), §18.1.1; RFC 3581 §3; RFC 5923 §5 (alias); RFC 7118 §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["contact_of", "via_of"]

TRANSPORT = {
    "udp": "",
    "tcp": ";transport=tcp",
    "tls": ";transport=tls",
    "ws": ";transport=ws",
    "wss": ";transport=ws",  # RFC 7118 §5.4: one name for both
}
"The URI parameter that names a transport."
SECURED = {"tls": "", "wss": ";transport=ws"}
"The same in a `sips:` URI, which means TLS by itself (§26.2.2)."
USER_MARKS = "-_.!~*'()&=+$,;?/%"
"§25.1: what a user part may hold unescaped; `%` because it is escaped already."


def via_of(flow: Flow, branch: str) -> str:
    """The Via of a request of ours. It asks for the answer at the port we send from, through any NAT."""
    # RFC 5923: the server we call over TLS may call us back over the same connection.
    alias = ";alias" if flow.transport == "tls" else ""
    return f"SIP/2.0/{flow.transport.upper()} {_host_port(flow.local)};branch={branch};rport{alias}"


def contact_of(flow: Flow, user: str, *, secure: bool = False) -> str:
    """Where the peer on that flow can reach a user of ours; by a `sips:` URI where it wants one and the flow is secured."""
    if not (user.isascii() and user.isalnum()):  # mostly it is a number
        user = quote(user, safe=USER_MARKS, errors="surrogateescape")
    if secure and flow.transport in SECURED:
        return f"<sips:{user}@{_host_port(flow.local)}{SECURED[flow.transport]}>"
    return f"<sip:{user}@{_host_port(flow.local)}{TRANSPORT[flow.transport]}>"


def _host_port(address: Address) -> str:
    host, port = address
    return f"[{host.partition('%')[0]}]:{port}" if ":" in host else f"{host}:{port}"
