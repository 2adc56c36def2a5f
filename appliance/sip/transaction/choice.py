"""Which machine a request's transaction runs.

RFC 3261 §17.1, §17.2: by method, and by whether the transport repeats what is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sip.transaction.invite_client import INVITE_CLIENT, INVITE_CLIENT_RELIABLE
from appliance.sip.transaction.invite_server import INVITE_SERVER, INVITE_SERVER_RELIABLE
from appliance.sip.transaction.non_invite_client import NON_INVITE_CLIENT, NON_INVITE_CLIENT_RELIABLE
from appliance.sip.transaction.non_invite_server import NON_INVITE_SERVER, NON_INVITE_SERVER_RELIABLE

if TYPE_CHECKING:
    from appliance.sip.transaction.machine import Machine

__all__ = ["client_machine", "server_machine"]


def client_machine(method: str, *, reliable: bool) -> Machine:
    """For a request of ours."""
    if method == "INVITE":
        return INVITE_CLIENT_RELIABLE if reliable else INVITE_CLIENT
    return NON_INVITE_CLIENT_RELIABLE if reliable else NON_INVITE_CLIENT


def server_machine(method: str, *, reliable: bool) -> Machine:
    """For a request that came."""
    if method == "INVITE":
        return INVITE_SERVER_RELIABLE if reliable else INVITE_SERVER
    return NON_INVITE_SERVER_RELIABLE if reliable else NON_INVITE_SERVER
