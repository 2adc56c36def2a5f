"""What a callee's final response other than 2xx comes to: RFC 3261 §21.3 to §21.6."""

from __future__ import annotations

__all__ = ["said_by_phone", "said_outside"]

from typing import TYPE_CHECKING

from appliance.call.cause import ending_told_by_phone, ending_told_outside
from appliance.call.events import HungUp
from appliance.call.inbound import dialled_number
from appliance.call.passing import passing
from appliance.errors import PeerError

if TYPE_CHECKING:
    from appliance.lines.refusal import Refusal
    from appliance.sip.message import Response


def said_by_phone(response: Response) -> HungUp:
    """One of our phones refuses the call, or sends it on."""
    ending = ending_told_by_phone(response.status, response.reason)
    return HungUp(ending, passing(response), _moved_to(response))


def said_outside(response: Response, refusal: Refusal | None) -> HungUp:
    """A line or trunk does. Where a carrier would have a call go is for nobody to pay: its 3xx is a refusal like others."""
    return HungUp(ending_told_outside(response.status, response.reason), passing(response), refusal=refusal)


def _moved_to(response: Response) -> str:
    """§21.3: the number that a phone sends the call to; empty when it does not, or names none that can be dialled."""
    if not 300 <= response.status < 400:
        return ""
    try:
        return dialled_number(str(response.contacts[0].uri)) if response.contacts else ""
    except PeerError:
        return ""
