"""Two dialog peers on a bad line: whatever is lost, doubled or overtaken, and whatever they want, they end in one state.

RFC 3261 §12 to §15; RFC 5407 §3. What is lost on the way, and in which order the rest arrives, is Hypothesis' choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.sip.dialog import InviteState, OfferState, UsageTimer
from tests.sip.dialog.peers import Parcel, Peer, Sent, dialled

T = TypeVar("T")


def pick(some: Sequence[T], which: int) -> T:
    return some[which % len(some)]


class TwoPeers:
    """The line's whims and the peers' wishes. Each takes a number that says which parcel, or which peer."""

    def __init__(self) -> None:
        self.line, *peers = dialled()
        self.peers: list[Peer] = peers
        self.offer = 0
        self.may_end = False
        "Whether somebody hung up, or nothing came through for as long as anybody waits."

    def enabled(self) -> Iterator[Callable[[int], None]]:
        """What may happen now; twice what is to happen more often."""
        if self.line.parcels:
            yield from (self.deliver, self.deliver, self.deliver_one_copy)
        if self.fragile():
            yield self.lose
        if self.waiting():
            yield self.lose_for_good
        if self.timers():
            yield self.time_passes
        if self.able():
            yield from (self.invite, self.invite)
        if self.asked():
            yield from (self.accept, self.accept, self.refuse)
        if self.talking():
            yield self.hang_up

    def fragile(self) -> list[Parcel]:
        return [parcel for parcel in self.line.parcels if parcel.fragile]

    def waiting(self) -> list[Sent]:
        return [sent for sent in self.line.open if not sent.over]

    def asked(self) -> list[Peer]:
        return [peer for peer in self.peers if peer.asked is not None]

    def talking(self) -> list[Peer]:
        return [peer for peer in self.peers if peer.agreed and not peer.ended]

    def able(self) -> list[Peer]:
        return [peer for peer in self.talking() if peer.usage.may_invite]

    def timers(self) -> list[tuple[Peer, UsageTimer]]:
        return [(peer, timer) for peer in self.peers for timer in UsageTimer if timer in peer.timers]

    # --- the line

    def deliver(self, which: int) -> None:
        self.line.deliver(which % len(self.line.parcels))

    def deliver_one_copy(self, which: int) -> None:
        self.line.deliver(which % len(self.line.parcels), keep=True)

    def lose(self, which: int) -> None:
        self.line.parcels.remove(pick(self.fragile(), which))

    def lose_for_good(self, which: int) -> None:
        # What ends a call is rare, so that calls live long enough to get into trouble.
        if which == 7:
            self.line.give_up(self.waiting()[0])
            self.may_end = True

    def time_passes(self, which: int) -> None:
        peer, timer = pick(self.timers(), which)
        peer.fire(timer)
        # §13.3.1.4: no ACK for 64*T1 seconds.
        self.may_end = self.may_end or (timer is UsageTimer.ACCEPTED and timer not in peer.timers)

    # --- the peers

    def invite(self, which: int) -> None:
        self.offer += 1
        pick(self.able(), which).invite(str(self.offer).encode())

    def accept(self, which: int) -> None:
        pick(self.asked(), which).answer(200)

    def refuse(self, which: int) -> None:
        peer = pick(self.asked(), which)
        if peer.agreed:  # else there is no dialog yet
            peer.answer(488)

    def hang_up(self, which: int) -> None:
        if which >= 6:
            self.talking()[0 if which == 6 else -1].bye()
            self.may_end = True

    # --- what must be

    def check(self) -> None:
        """A timer runs where one is needed, and nowhere else."""
        for peer in self.peers:
            accepted = peer.usage.state is InviteState.ACCEPTED
            assert (UsageTimer.ACCEPTED in peer.timers) == accepted
            assert (UsageTimer.RETRY in peer.timers) == (peer.usage.state is InviteState.RETRYING)

    def settle(self) -> None:
        """Nothing is lost any more, and everybody answers what they are asked."""
        while True:
            if self.line.parcels:
                self.line.deliver(0)
            elif asked := self.asked():
                asked[0].answer(200)
            elif timers := self.timers():
                peer, timer = timers[0]
                peer.fire(timer)
            else:
                return

    def check_end(self) -> None:
        """Both are in one state: in the call, which nobody has ended, or out of it."""
        if not any(peer.ended for peer in self.peers):
            assert self.peers[0].agreed == self.peers[1].agreed
        # RFC 4028 §10: who does not know yet that the other is gone learns it by the next refresh.
        for peer in self.peers:
            peer.invite(b"refresh")
            self.settle()
        states = {peer.usage.state for peer in self.peers}
        assert states == {InviteState.IDLE} or (self.may_end and states == {InviteState.ENDED})
        assert {peer.offers.state for peer in self.peers} == {OfferState.STABLE}
        assert not any(peer.timers for peer in self.peers)


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 7)), min_size=40, max_size=40))
def test_both_end_in_one_state(steps: list[tuple[int, int]]) -> None:
    two = TwoPeers()
    for what, which in steps:
        enabled = list(two.enabled())
        if not enabled:
            break
        pick(enabled, what)(which)
        two.check()
    two.settle()
    two.check_end()
