"""Outbound: a phone that keeps flows of its own to us, each a binding under its `reg-id`.

RFC 5626 §4.2 (what a phone sends), §6 (what a registrar checks), §4.4 (Flow-Timer).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.sip.message import NameAddr, Params, Request

__all__ = ["ANSWER", "FLOW_TIMER", "applies", "flow_key"]

FLOW_TIMER = 120
"Seconds between keep-alives that a phone is asked for: routers forget silent TCP flows after some minutes."

ANSWER = (("Require", "outbound"), ("Flow-Timer", str(FLOW_TIMER)))
"§6: what tells the phone that its flows are kept apart."

# §10: reg-id = 1*DIGIT, 1 to 2**31-1
_REG_ID = re.compile(r"[0-9]{1,10}")
_MAX_REG_ID = 2**31 - 1


def flow_key(params: Params) -> tuple[str, str] | None:
    """The phone and which of its flows a contact stands for; None when it is no flow of a known phone."""
    reg_id = params.get("reg-id")
    instance = params.get("+sip.instance")
    return (instance, reg_id) if reg_id and instance else None


def applies(request: Request, contacts: Sequence[NameAddr]) -> bool:
    """Whether the contacts of a REGISTER are flows. If not, a `reg-id` in them means nothing.

    PeerError 400 for what breaks the rules of flows, 439 when the proxy before us keeps none.
    """
    if not any("reg-id" in contact.params for contact in contacts):
        return False
    if not any(_is_flow(contact.params) for contact in contacts):
        return False
    if "outbound" not in request.tokens("Supported") + request.tokens("Require"):
        return False
    default = "0" if request.expires == 0 else None
    if sum(contact.params.get("expires", default) != "0" for contact in contacts) > 1:
        raise PeerError(400, "One Contact for Each Flow")
    if not _first_hop_keeps_flows(request):
        raise PeerError(439, "First Hop Lacks Outbound Support")
    return True


def _is_flow(params: Params) -> bool:
    key = flow_key(params)
    return key is not None and _REG_ID.fullmatch(key[1]) is not None and 0 < int(key[1]) <= _MAX_REG_ID


def _first_hop_keeps_flows(request: Request) -> bool:
    # The first hop is us; or the proxy that wrote its Path first, which then is the last one.
    if len(request.vias) < 2:
        return True
    path = request.paths
    return bool(path) and "ob" in path[-1].uri.params
