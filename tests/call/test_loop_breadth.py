"""A call that goes round between trunks of several peers, none of which has room: how many INVITEs come of one.

RFC 5393 §3 (what a loop that branches costs). Two exchanges on a bench, each with all of its trunk's peers at the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest

from appliance.call.events import Dialled
from appliance.call.inbound import DEFAULT_HOPS
from appliance.call.loops import HEADER, MOST_MARKS, WORN_HOPS, WORN_MARKS, is_worn
from appliance.config.route import FAIL_OVER_CAUSES
from appliance.sip.message import Message, Request
from appliance.sip.transport.flow import Flow
from tests.call.outside_world import OutsideWorld, route, trunk
from tests.call.playbook import EXCHANGE, OFFER, Playbook

PEERS = tuple((f"203.0.113.{each}", 5060) for each in (1, 2))


def between(message: Message) -> Message:
    if isinstance(message, Request):
        if HEADER in message.headers:
            message.headers.remove(HEADER)
        message.headers.set("Max-Forwards", str((message.max_forwards or 0) - 1))
    elif message.status >= 400:
        message.status, message.reason = 500, "Server Internal Error"
    return message


@dataclass
class Pair:
    """What one sends to any of its peers comes to the other, from its peer of that address."""

    near: Playbook
    far: Playbook
    foreign: bool = False
    "Between them is one who drops headers that they do not know, and says 500 whatever was said to them."
    invites: int = 0
    at_phones: list[int] = field(default_factory=list)
    "The final answers to the phone's INVITE."

    @classmethod
    def made(cls, *, near: int = 0, far: int = 0, prepend: str = "", foreign: bool = False) -> Pair:
        boxes = Playbook(max_calls=1000), Playbook(max_calls=1000)
        for box, max_calls in zip(boxes, (near, far), strict=True):
            world = OutsideWorld(box, out_prefix="")
            world.trunk(trunk("other", max_calls=max_calls), *PEERS)
            world.routes(
                *(
                    route(
                        "trunk:other",
                        name=name,
                        pattern="6X.",
                        prepend=prepend,
                        callers=callers,
                        fail_over_on=FAIL_OVER_CAUSES,
                    )
                    for name, callers in (("out", ()), ("on", ("trunk:other",)))
                )
            )
        return cls(*boxes, foreign)

    def call(self) -> None:
        """A phone of the near one calls, until nobody has anything more to say."""
        alice = self.near.phone("101")
        assert self.near >> alice.invite("6650", OFFER)
        self._run()
        for box in (self.near, self.far):
            assert (len(box.exchange), box.relay.open_ports) == (0, 0)

    def _run(self) -> None:
        while self.near.wiretap.sent or self.far.wiretap.sent:
            for box, other in ((self.near, self.far), (self.far, self.near)):
                sent = box.wiretap.sent
                while sent:
                    flow, message = sent.popleft()
                    if flow.remote not in PEERS:
                        if not isinstance(message, Request) and message.status >= 200:
                            self.at_phones.append(message.status)
                        continue
                    if isinstance(message, Request) and message.method == "INVITE":
                        self.invites += 1
                        assert self.invites < 5_000, "it has no end"
                    if self.foreign:
                        message = between(message)
                    other.endpoint.receive_datagram(message.encode(), Flow("udp", EXCHANGE, flow.remote))

    def causes(self) -> Counter[str]:
        return Counter(record.cause for box in (self.near, self.far) for record in box.records)


LIMITS = [(0, 0), (0, 4), (0, 8), (2, 0), (8, 0), (4, 8)]
"How many calls the trunks take: the one here, and the one there."
NUMBERS = pytest.mark.parametrize("prepend", ["", "6"])
"The same number comes back, or one that is longer each time."


@NUMBERS
@pytest.mark.parametrize(("near", "far"), LIMITS)
def test_between_exchanges_of_ours(near: int, far: int, prepend: str) -> None:
    """No more than it takes to know a loop, or to find a trunk full."""
    pair = Pair.made(near=near, far=far, prepend=prepend)
    pair.call()
    assert pair.invites <= len(PEERS) ** WORN_MARKS + MOST_MARKS
    (status,) = pair.at_phones
    if near == far == 0 or not prepend:
        assert (status, set(pair.causes())) == (482, {"loop"})
    else:
        assert (status, set(pair.causes()) - {"overload"}) == (480, {"unavailable", "line_full"})


@NUMBERS
@pytest.mark.parametrize(("near", "far"), LIMITS)
def test_with_somebody_between_who_tells_nobody_why(near: int, far: int, prepend: str) -> None:
    """Max-Forwards alone ends it. With both peers tried at each of 35 exchanges it would not end in a lifetime."""
    pair = Pair.made(near=near, far=far, prepend=prepend, foreign=True)
    pair.call()
    rounds = DEFAULT_HOPS // 2
    branching = (DEFAULT_HOPS - WORN_HOPS) // 2
    assert rounds - 5 < pair.invites or near or far
    assert pair.invites <= len(PEERS) ** branching * rounds
    assert pair.at_phones == [500]


@pytest.mark.parametrize(("hops", "peers"), [(70, 2), (WORN_HOPS + 1, 2), (WORN_HOPS, 1), (3, 1)])
def test_fail_over_in_transit(hops: int, peers: int) -> None:
    """A call from outside is brought to the next peer like any other, as long as it has not come too far."""
    book = Playbook()
    world = OutsideWorld(book, out_prefix="")
    (provider,) = world.trunk(trunk("provider"), ("203.0.113.9", 5060))
    servers = world.trunk(trunk("other"), *PEERS)
    world.routes(route("trunk:other", pattern="6X.", callers=("trunk:provider",)))
    invite = provider.invite("6650", OFFER)
    invite.message.headers.set("Max-Forwards", str(hops))
    book >> invite
    for each in servers[:peers]:
        book << each.gets("INVITE")
        if each is servers[0]:
            book << provider.gets(100)
        book >> each.says(503) << each.gets("ACK")
    book << provider.gets(480) >> provider.ack_refusal()
    book.ends("overload" if peers == 2 else "unavailable")


def test_a_call_of_a_phone_may_begin_with_few_hops() -> None:
    """Some do; that says nothing of a loop."""
    dialled = Dialled("101", "", "6650", 20, None, ())
    assert not is_worn(dialled)
    assert is_worn(msgspec.structs.replace(dialled, way_in="line:a"))
    assert is_worn(msgspec.structs.replace(dialled, passed=("a", "b", "c")))
