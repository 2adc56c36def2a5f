"""Whose turn it is: the offer/answer exchange of one dialog.

RFC 3264 §4; RFC 3261 §13.2.1, §14; RFC 3311 §5; RFC 6337 §2.

It sees only which messages carry a session description, never what stands in it.
"""

from __future__ import annotations

__all__ = ["OfferAnswer", "OfferState"]

from enum import Enum

from appliance.errors import LocalError, PeerError


class OfferState(Enum):
    """Which side owes an answer."""

    STABLE = "stable"
    "No offer is open."
    SENT = "sent"
    "Our offer waits for the peer's answer."
    RECEIVED = "received"
    "The peer's offer waits for our answer."


class OfferAnswer:
    """At most one offer is open at a time, in either direction."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = OfferState.STABLE

    def send_offer(self) -> None:
        """RFC 3264 §4: no new offer MUST be made while one is open, our own or the peer's."""
        if self.state is not OfferState.STABLE:
            message = f"an offer in state {self.state.value}"
            raise LocalError(message)
        self.state = OfferState.SENT

    def receive_offer(self, random: float = 0.0) -> None:
        """PeerError 491 or 500 while another offer is open. `random`: from 0 up to, not including, 1."""
        match self.state:
            case OfferState.STABLE:
                self.state = OfferState.RECEIVED
            case OfferState.SENT:
                # RFC 3311 §5.2: an offer that meets ours MUST be refused with 491.
                raise PeerError(491, "Request Pending")
            case _:  # RECEIVED
                # RFC 3311 §5.2: a second offer before our answer MUST be refused with 500, and a Retry-After of
                # between 0 and 10 seconds.
                raise PeerError(500, "Offer Pending", (("Retry-After", str(int(random * 11))),))

    def send_answer(self) -> None:
        """LocalError when nothing was offered."""
        if self.state is not OfferState.RECEIVED:
            message = f"an answer in state {self.state.value}"
            raise LocalError(message)
        self.state = OfferState.STABLE

    def receive_answer(self) -> bool:
        """Whether it was one: a description nobody asked for is ignored (RFC 3261 §13.2.1)."""
        if self.state is not OfferState.SENT:
            return False
        self.state = OfferState.STABLE
        return True

    def withdraw(self) -> None:
        """The open offer was refused or never answered: RFC 3261 §14.1, all stays as it was before it."""
        self.state = OfferState.STABLE
