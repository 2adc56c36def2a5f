"""An early dialog of an INVITE of ours, and its offer and answer.

RFC 3261 §12.1.2, §13.2.2.1; RFC 3262 §5.
"""

from __future__ import annotations

__all__ = ["EarlyDialog"]

from typing import TYPE_CHECKING

from appliance.sip.dialog import Dialog, OfferAnswer

if TYPE_CHECKING:
    from appliance.call.events import Content
    from appliance.sip.dialog import ReliableClient


class EarlyDialog:
    """What one phone behind the INVITE has said before the answer."""

    __slots__ = ("answer", "dialog", "offers", "reliable", "settled")

    def __init__(self, dialog: Dialog, *, offered: bool) -> None:
        self.dialog = dialog
        self.offers = OfferAnswer()
        if offered:
            self.offers.send_offer()
        self.reliable: ReliableClient | None = None
        self.settled = False
        "Whether the INVITE's offer and answer have passed, by a reliable response."
        self.answer: Content | None = None
        "What that response said, if it was the answer."
