"""The way a response goes back, and what a server writes into the topmost Via to make it so.

RFC 3261 §18.2.1, §18.2.2; RFC 3581 §4.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from appliance.sip.message.grammar import Params, split_list
from appliance.sip.message.via import Via
from appliance.sip.transport.flow import Flow

if TYPE_CHECKING:
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Address

__all__ = ["DEFAULT_PORT", "HOST_CACHE", "answerable", "fallback_address", "note_source", "reply_flow"]

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"§18.2.2, RFC 7118 §5: the port of a sent-by without one."

HOST_CACHE = 4_096
"Hosts whose address was read before, some 200 octets each: reading one takes longer than all else done with it."
LIMITED_BROADCAST = IPv4Address("255.255.255.255")
_RPORT = re.compile(r"(;[ \t]*rport)(?:[ \t]*=[ \t]*[0-9]*)?[ \t]*(?=[;,]|$)", re.IGNORECASE)
_RECEIVED = re.compile(r";[ \t]*received[ \t]*=[^;,]*", re.IGNORECASE)


def answerable(address: Address) -> bool:
    """Whether anything may be sent there: one host's address, and a port."""
    host, port = address
    return 0 < port < 65_536 and _is_one_host(host)


@lru_cache(HOST_CACHE)
def _is_one_host(host: str) -> bool:
    try:
        ip: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return not (ip.is_multicast or ip.is_unspecified or ip == LIMITED_BROADCAST)


def reply_flow(via: Via, flow: Flow) -> Flow | None:
    """Where the answer to a request goes that came over `flow`; None when no answer may go there."""
    if flow.transport != "udp":
        return flow  # §18.2.2: over the connection that the request came by
    params = via.params
    if "maddr" in params:
        # §18.2.2 lets maddr name a multicast group; an answer to many is a weapon, so one host it must be.
        remote = ((params["maddr"] or "").strip("[]"), via.port or DEFAULT_PORT["udp"])
    elif "rport" in params:
        return flow  # RFC 3581 §4; no flow leads to where nothing may be sent
    else:
        remote = (flow.remote[0], via.port or DEFAULT_PORT["udp"])
    if remote == flow.remote:
        return flow
    if not answerable(remote):
        return None
    return Flow("udp", flow.local, remote)


def fallback_address(via: Via, flow: Flow) -> Address:
    """§18.2.2: when the connection is gone, a new one goes to the source address and the sent-by port."""
    return flow.remote[0], via.port or DEFAULT_PORT[flow.transport]


def note_source(request: Request, flow: Flow) -> None:
    """Note where a request came from, and write `received` and `rport` into its topmost Via.

    The rest of the Via stays byte for byte.
    """
    request.source = flow.remote
    via = request.via
    host, port = flow.remote
    rport = "rport" in via.params
    # §18.2.1: received, when sent-by does not say where it came from; RFC 3581 §4: always beside rport.
    if via.host == host and not rport and "received" not in via.params:
        return
    first = request.headers.get("Via") or ""
    if "\r" in first or "\n" in first:
        return  # refused already, for other reasons too; it goes back as it came
    top, *below = [first] if "," not in first else split_list(first, "Via")
    # A sender that fills these in itself would have the answer go where it likes.
    if "received" in via.params:
        top = _RECEIVED.sub("", top)
    if rport:
        top = _fill_rport(top, port)
    seen = host.partition("%")[0]
    noted = f"{top};received={seen}"
    params = {**via.params, "received": seen}
    if rport:
        params["rport"] = str(port)
    # Said here too, and not read again: all but these two stands as it stood.
    restated = Via(via.transport, via.host, via.port, Params(params))
    request.restate_via(", ".join((noted, *below)) if below else noted, restated)


def _fill_rport(value: str, port: int) -> str:
    padded = f"{value};"
    if ";rport;" in padded:  # as nearly all write it
        return padded.replace(";rport;", f";rport={port};", 1)[:-1]
    return _RPORT.sub(rf"\g<1>={port}", value, count=1)
