"""Steps of calls that leave by a line or trunk and are tried once more: for ladders in which the same happens often."""

from __future__ import annotations

from typing import Any

from appliance.lines.feature import Habit
from tests.call.outside_world import OutsideWorld, Server
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, sdp

__all__ = ["EARLY", "WIDE", "again", "habits", "out", "refused", "taken"]

EARLY = sdp("203.0.113.1", 6000)
WIDE = OFFER.replace(b"RTP/AVP 8", b"RTP/AVP 9 8 18 101") + b"a=rtpmap:101 telephone-event/8000\r\n"


def habits(world: OutsideWorld, way: str = "line:a") -> set[Habit]:
    return set(world.learned.habits(way))


def out(
    book: Playbook, caller: Phone, server: Server, *contains: str, offer: bytes = OFFER, **lacks: Any
) -> None:
    """A call that has come as far as a server outside."""
    book >> caller.invite("9555", offer) << server.gets("INVITE", *contains, **lacks) << caller.gets(100)


def again(
    book: Playbook, server: Server, status: int, *contains: str, lacks: tuple[str, ...] = (), **said: Any
) -> None:
    """It refuses, and gets the call once more."""
    book >> server.says(status, **said) << server.gets("ACK") << server.gets("INVITE", *contains, lacks=lacks)


def taken(book: Playbook, caller: Phone, server: Server) -> None:
    """It is answered there, and ends."""
    (
        book
        >> server.says(200, ANSWER)
        << server.gets("ACK")
        << caller.gets(200)
        >> caller.ack()
        >> caller.bye()
        << caller.gets(200)
        << server.gets("BYE")
        >> server.ok()
    )


def refused(book: Playbook, caller: Phone, server: Server, status: int, told: int = 0, **said: Any) -> None:
    """And that was it."""
    book >> server.says(status, **said) << server.gets("ACK") << caller.gets(told or status)
    book >> caller.ack_refusal()
