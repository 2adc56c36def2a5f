"""The INVITE usage of a dialog: the 2xx until its ACK, the ACK for every 2xx, and one INVITE at a time.

RFC 3261 §13.2.2.4 (ACK), §13.3.1.4 (2xx), §14 (re-INVITE and glare); RFC 6141; RFC 5407 §3.

Inputs are methods; each returns the effects to run, in order. A timer goes out as `StartTimer` and comes
back through `fired`. One table, `_ALLOWED`, says which input is legal in which state: another one is our
defect (`LocalError`) when we caused it, and the peer's fault (`PeerError` with its answer) when it did.
"""

from __future__ import annotations

__all__ = [
    "Acknowledged",
    "EndDialog",
    "GiveUp",
    "InviteState",
    "InviteUsage",
    "RetryInvite",
    "SendAccepted",
    "SendAck",
    "StartTimer",
    "StopTimer",
    "UsageEffect",
    "UsageTimer",
]

from enum import Enum

import msgspec

from appliance.errors import LocalError, PeerError
from appliance.sip.message import Request
from appliance.sip.transaction.timers import LIFETIME, T1, T2


class InviteState(Enum):
    """What goes on in the dialog. The initial INVITE and every re-INVITE take the same way."""

    IDLE = "idle"
    "No INVITE is open."
    RECEIVED = "received"
    "The peer's INVITE waits for our final response."
    ACCEPTED = "accepted"
    "Our 2xx waits for the peer's ACK."
    SENT = "sent"
    "Our INVITE waits for the peer's final response."
    ANSWERED = "answered"
    "The peer's 2xx waits for our ACK, which waits for an answer to the offer in it."
    RETRYING = "retrying"
    "Our re-INVITE met the peer's and comes again after a while."
    ENDED = "ended"
    "The dialog is over; nothing happens any more."


class UsageTimer(Enum):
    """The two timers of the usage; at most one of each runs."""

    ACCEPTED = "accepted"
    "When to send the 2xx again, or to give up."
    RETRY = "retry"
    "When to send the re-INVITE again that got 491."


class StartTimer(msgspec.Struct, frozen=True):
    timer: UsageTimer
    delay: float
    "Seconds from now."


class StopTimer(msgspec.Struct, frozen=True):
    timer: UsageTimer


class SendAccepted(msgspec.Struct, frozen=True):
    """Send the 2xx once more, through its server transaction."""


class SendAck(msgspec.Struct, frozen=True):
    ack: Request


class Acknowledged(msgspec.Struct, frozen=True):
    """The ACK of our 2xx has come, for the first time."""


class RetryInvite(msgspec.Struct, frozen=True):
    """Make the re-INVITE anew and send it."""


class GiveUp(msgspec.Struct, frozen=True):
    """No ACK came in time: the session SHOULD be ended with a BYE."""


class EndDialog(msgspec.Struct, frozen=True):
    """The peer does not know the dialog any more, or does not answer in it."""


UsageEffect = (
    StartTimer | StopTimer | SendAccepted | SendAck | Acknowledged | RetryInvite | GiveUp | EndDialog
)

_S = InviteState
_ALLOWED: dict[str, frozenset[InviteState]] = {
    "reject": frozenset({_S.RECEIVED}),
    "accept": frozenset({_S.RECEIVED}),
    "send_invite": frozenset({_S.IDLE}),
    "acknowledge": frozenset({_S.ANSWERED}),
}


class InviteUsage:
    """The machine. `random` arguments are numbers from 0 up to, not including, 1."""

    __slots__ = ("_accepted", "_ack", "_elapsed", "_interval", "_owner", "_retries", "state")

    # RFC 3261 §14.1 lets a re-INVITE be tried "once more"; a peer that answers 491 for ever must not keep
    # us at it, and three rounds pass for any honest collision.
    MAX_RETRIES = 3

    def __init__(self, state: InviteState, *, owner: bool) -> None:
        self.state = state
        self._owner = owner  # whether we made the Call-ID, §14.1
        self._accepted = 0  # the CSeq number of the peer's INVITE that got our last 2xx
        self._interval = 0.0
        self._elapsed = 0.0
        self._ack: Request | None = None
        self._retries = 0

    @classmethod
    def received(cls) -> InviteUsage:
        """The usage of a server that has just got the initial INVITE."""
        return cls(InviteState.RECEIVED, owner=False)

    @classmethod
    def sent(cls) -> InviteUsage:
        """The usage of a client that has just sent the initial INVITE."""
        return cls(InviteState.SENT, owner=True)

    @property
    def may_invite(self) -> bool:
        """§14.1: no INVITE MUST be sent while another one is open in the dialog, either way."""
        return self.state is InviteState.IDLE

    def _check(self, event: str) -> None:
        if self.state not in _ALLOWED[event]:
            message = f"{event} in state {self.state.value}"
            raise LocalError(message)

    # --- as a server

    def receive_invite(self, random: float) -> list[UsageEffect]:
        """A re-INVITE has come. PeerError when another INVITE is open."""
        match self.state:
            case InviteState.IDLE:
                self.state = InviteState.RECEIVED
                return []
            case InviteState.RETRYING:
                # §14.1: our own would be tried again "if it still desires": the peer's goes first and ours is
                # dropped, for what it was to change may be settled by then.
                self.state = InviteState.RECEIVED
                return [StopTimer(UsageTimer.RETRY)]
            case InviteState.RECEIVED:
                # §14.2: a second INVITE before the final response to the first MUST get 500 with a
                # Retry-After of between 0 and 10 seconds.
                wait = str(int(random * 11))
                raise PeerError(500, "Server Internal Error", (("Retry-After", wait),))
            case InviteState.SENT | InviteState.ANSWERED | InviteState.ACCEPTED:
                # §14.2: an INVITE that meets ours MUST get 491. RFC 5407 §3.1.5: so does one that overtook
                # the ACK of the INVITE before.
                raise PeerError(491, "Request Pending")
            case _:  # ENDED
                raise PeerError(481, "Call/Transaction Does Not Exist")

    def reject(self) -> None:
        """A final response other than 2xx goes out; the transaction below sees to its ACK."""
        self._check("reject")
        self.state = InviteState.IDLE

    def accept(self, number: int) -> list[UsageEffect]:
        """The 2xx goes out for the first time, to the INVITE of this CSeq number."""
        self._check("accept")
        self.state = InviteState.ACCEPTED
        self._accepted = number
        # §13.3.1.4: the 2xx is sent again at an interval that starts at T1 ...
        self._interval = T1
        self._elapsed = 0.0
        return [StartTimer(UsageTimer.ACCEPTED, T1)]

    def _accepted_fired(self) -> list[UsageEffect]:
        self._elapsed += self._interval
        if self._elapsed >= LIFETIME:
            # §13.3.1.4: without an ACK for 64*T1 seconds the dialog stays, but the session SHOULD end.
            self.state = InviteState.IDLE
            return [GiveUp()]
        # ... and doubles until it reaches T2, over reliable transports too, for the ACK goes end to end.
        self._interval = min(2 * self._interval, T2, LIFETIME - self._elapsed)
        return [SendAccepted(), StartTimer(UsageTimer.ACCEPTED, self._interval)]

    def receive_ack(self, number: int) -> list[UsageEffect]:
        """§13.3.1.4: the ACK of this CSeq number ends the retransmissions. One that comes again says nothing new."""
        # §13.2.2.4: an ACK has its INVITE's number. That of an INVITE before may still be under way.
        if self.state is not InviteState.ACCEPTED or number != self._accepted:
            return []
        self.state = InviteState.IDLE
        return [StopTimer(UsageTimer.ACCEPTED), Acknowledged()]

    # --- as a client

    def send_invite(self) -> None:
        """A re-INVITE goes out. LocalError unless `may_invite`."""
        self._check("send_invite")
        self.state = InviteState.SENT

    def receive_final(self, status: int, random: float, *, retry: bool = False) -> list[UsageEffect]:
        """The final response to our INVITE, or 408 for none. `retry`: the INVITE is our own wish, not passed on.

        One that comes when none is awaited does nothing: see `receive_again` for a 2xx.
        """
        if self.state is not InviteState.SENT:
            return []
        if status < 300:
            self.state = InviteState.ANSWERED
            return []
        if status == 491 and retry and self._retries < self.MAX_RETRIES:
            self._retries += 1
            self.state = InviteState.RETRYING
            return [StartTimer(UsageTimer.RETRY, self._retry_delay(random))]
        self.state = InviteState.IDLE
        # §12.2.1.2: 481 and 408 (also when nothing came at all) SHOULD end the dialog.
        return [EndDialog()] if status in {408, 481} else []

    def receive_again(self, number: int) -> list[UsageEffect]:
        """The 2xx to our INVITE of this CSeq number has come once more, perhaps after we have sent the next INVITE."""
        # §13.2.2.4: the ACK MUST be sent for every retransmission of the 2xx. Until it arrives the peer takes no
        # other INVITE, so that no ACK but the last can be missing.
        ack = self._ack
        return [SendAck(ack)] if ack is not None and ack.cseq.number == number else []

    def _retry_delay(self, random: float) -> float:
        # §14.1: the owner of the Call-ID waits 2.1 to 4 seconds, the other side 0 to 2, in units of 10 ms.
        return (210 + int(random * 191)) / 100 if self._owner else int(random * 201) / 100

    def acknowledge(self, ack: Request) -> list[UsageEffect]:
        """The ACK is complete, answer included if it must carry one; it is kept for `receive_again`."""
        self._check("acknowledge")
        self.state = InviteState.IDLE
        self._ack = ack
        self._retries = 0
        return [SendAck(ack)]

    # --- as either

    def fired(self, timer: UsageTimer) -> list[UsageEffect]:
        """A timer has run out. One that is not expected any more does nothing."""
        if timer is UsageTimer.ACCEPTED and self.state is InviteState.ACCEPTED:
            return self._accepted_fired()
        if timer is UsageTimer.RETRY and self.state is InviteState.RETRYING:
            self.state = InviteState.IDLE
            return [RetryInvite()]
        return []

    def end(self) -> list[UsageEffect]:
        """The dialog is over. The ACK stays, for the peer's 2xx may still come again."""
        was, self.state = self.state, InviteState.ENDED
        match was:
            case InviteState.ACCEPTED:
                return [StopTimer(UsageTimer.ACCEPTED)]
            case InviteState.RETRYING:
                return [StopTimer(UsageTimer.RETRY)]
            case _:
                return []
