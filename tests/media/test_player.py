"""media/player.py on virtual time: what a leg is sent, when, and who is heard meanwhile."""

from __future__ import annotations

import logging
from random import Random

import anyio
import pytest

from appliance.clock import Clock
from appliance.errors import LocalError
from appliance.media.leg import LegMedia
from appliance.media.player import MOST_BEHIND, Players
from appliance.media.relay import Relay
from appliance.media.rtp import Packet
from appliance.media.sound import FRAME_SAMPLES, Sound
from appliance.media.tone import sine
from tests.media.fakes import OFFER, FakeSockets, StillTimers, rtcp_packet, rtp_packet

OURS = "203.0.113.1"
PHONE = ("192.0.2.10", 49170)
OTHER = ("192.0.2.20", 5000)
ANSWER = OFFER.replace(b"192.0.2.10", b"192.0.2.20").replace(b"49170", b"5000")


def sound(frames: int = 50) -> Sound:
    """Each frame differs from the one before."""
    return Sound(sine(441, frames * FRAME_SAMPLES).tobytes())


class Lab:
    """Two joined legs with fake sockets, and a clock."""

    def __init__(self, clock: Clock | StillTimers) -> None:
        self.sockets = FakeSockets()
        self.relay = Relay((30000, 30099), clock, Random(1), self.sockets)
        self.players: Players = self.relay.players
        self.leg, self.partner = self.relay.open_leg(OURS, PHONE[0]), self.relay.open_leg(OURS, OTHER[0])
        self.leg.expect(OFFER)
        self.partner.describe(OFFER)
        self.relay.join(self.leg, self.partner)
        self.partner.expect(ANSWER)
        self.leg.describe(ANSWER)
        self.player = self.players.open(self.leg)

    def packets(self, to: tuple[str, int] = PHONE) -> list[Packet]:
        """What was sent there since asked last."""
        found = [
            data for socket in self.sockets.open.values() for data, target in socket.sent if target == to
        ]
        for socket in self.sockets.open.values():
            socket.sent.clear()
        return [Packet.parse(data) for data in found]

    def heard(self) -> bool:
        """Whether the partner's packet arrives at the phone."""
        self.packets()
        receive(self.partner, rtp_packet(), OTHER)
        return len(self.packets()) == 1


def receive(leg: LegMedia, data: bytes, source: tuple[str, int], *, rtcp: bool = False) -> None:
    pair = leg._pairs[0]
    assert pair is not None
    (pair.rtcp if rtcp else pair.rtp).receive(data, source, 1.0)


def due(lab: Lab, timers: StillTimers, seconds: float) -> None:
    """Let that time pass at once, as when the process was kept waiting."""
    timers.time += seconds
    while callback := timers.pop_due(timers.time):
        callback()


@pytest.mark.parametrize("paced_by", ["a timer", "its task"])
async def test_fifty_packets_a_second_are_numbered_and_timed(paced_by: str) -> None:
    clock = Clock()
    lab = Lab(clock)
    music = sound(30)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run if paced_by == "a timer" else lab.players.run)
        await anyio.sleep(1.0)
        lab.player.start(music, loop=True)
        await anyio.sleep(9.99)
        packets = lab.packets()
        tasks.cancel_scope.cancel()
    assert len(packets) == 500
    first = packets[0]
    for at, packet in enumerate(packets):
        assert packet == Packet(
            payload_type=0,
            sequence=(first.sequence + at) % 2**16,
            timestamp=(first.timestamp + 160 * at) % 2**32,
            ssrc=first.ssrc,
            payload=music.frame(at % 30, "PCMU"),
            marker=at == 0,
        )


@pytest.mark.parametrize("paced_by", ["a timer", "its task"])
async def test_a_sound_ends_says_so_and_lets_the_partner_be_heard(paced_by: str) -> None:
    clock = Clock()
    lab = Lab(clock)
    ended = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run if paced_by == "a timer" else lab.players.run)
        await anyio.sleep(1.0)
        begun = clock.now()
        lab.player.start(sound(25), on_end=ended.set)
        assert not lab.heard()
        await ended.wait()
        assert clock.now() - begun == pytest.approx(0.5)
        assert lab.heard()
        assert (len(lab.players), clock.pending, lab.player.sound) == (0, 0, None)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("paced_by", ["a timer", "its task"])
async def test_one_sound_after_another_keeps_the_pace(paced_by: str) -> None:
    clock = Clock()
    lab = Lab(clock)
    left = [sound(5) for _ in range(10)]
    ended = anyio.Event()

    def go_on() -> None:
        if left:
            lab.player.start(left.pop(), on_end=go_on)
        else:
            ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run if paced_by == "a timer" else lab.players.run)
        await anyio.sleep(1.0)
        begun = clock.now()
        go_on()
        await ended.wait()
        # A sound's end and the next one's beginning are two ticks.
        assert clock.now() - begun == pytest.approx(10 * 6 * 0.02, abs=0.0201)
        tasks.cancel_scope.cancel()
    packets = lab.packets()
    assert (len(packets), sum(each.marker for each in packets)) == (50, 10)


async def test_one_that_starts_as_another_stops_keeps_the_pace() -> None:
    lab = Lab(Clock())
    other = lab.players.open(lab.partner)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lab.players.run)
        await anyio.sleep(1.0)
        for _ in range(50):
            lab.player.start(sound(), loop=True)
            await anyio.sleep(0.05)
            lab.player.stop()
            other.start(sound(), loop=True)
            await anyio.sleep(0.05)
            other.stop()
        tasks.cancel_scope.cancel()
    # Each ticks at once or within 20 ms, and every 20 ms from then on.
    assert 50 * 2 <= len(lab.packets()) <= 50 * 3
    assert len(lab.players) == 0


def test_while_playing_nothing_of_the_partner_is_heard_but_the_leg_is() -> None:
    timers = StillTimers()
    lab = Lab(timers)
    assert lab.heard()
    lab.player.start(sound(), loop=True)
    receive(lab.partner, rtp_packet(), OTHER)
    receive(lab.partner, rtcp_packet(), (OTHER[0], 5001), rtcp=True)
    assert lab.packets() == []
    receive(lab.leg, rtp_packet(), PHONE)
    assert len(lab.packets(OTHER)) == 1
    # A re-INVITE, or another partner, changes nothing in that.
    lab.leg.describe(ANSWER)
    lab.partner.expect(ANSWER.replace(b"5000", b"5004"))
    lab.relay.join(lab.leg, lab.partner)
    assert not lab.heard()
    lab.player.stop()
    lab.player.stop()
    assert lab.heard()
    due(lab, timers, 1.0)
    assert lab.packets() == []
    assert len(timers) == 0


def test_what_the_peer_says_later_counts_from_the_next_packet_on() -> None:
    timers = StillTimers()
    lab = Lab(timers)
    lab.player.start(sound(), loop=True)
    due(lab, timers, 0.02)
    assert {each.payload_type for each in lab.packets()} == {0}
    lab.leg.expect(OFFER + b"a=sendonly\r\n")
    due(lab, timers, 0.02)
    assert lab.packets() == []
    lab.leg.expect(OFFER.replace(b"RTP/AVP 0 8 101", b"RTP/AVP 8 0"))
    due(lab, timers, 0.02)
    (packet,) = lab.packets()
    assert (packet.payload_type, packet.marker) == (8, True)


def test_a_closed_leg_ends_its_player_without_a_word() -> None:
    timers = StillTimers()
    lab = Lab(timers)
    lab.player.start(sound(2), on_end=lambda: pytest.fail("nobody is there"))
    lab.leg.close()
    due(lab, timers, 1.0)
    assert (len(lab.players), len(timers), lab.player.sound) == (0, 0, None)
    lab.player.start(sound(2), on_end=lambda: pytest.fail("nobody is there"))
    due(lab, timers, 1.0)
    assert (len(lab.players), len(timers)) == (0, 0)


def test_a_new_sound_takes_the_place_of_the_old_one() -> None:
    timers = StillTimers()
    lab = Lab(timers)
    lab.player.start(sound(1), on_end=lambda: pytest.fail("it was not played to its end"))
    tone = sound(3)
    lab.players.open(lab.leg).start(tone)
    assert (lab.player.sound, len(lab.players)) == (None, 1)
    due(lab, timers, 0.02)
    assert tone.frame(0, "PCMU") in [each.payload for each in lab.packets()]
    assert not lab.heard()


def test_a_short_wait_is_made_up_for_and_a_long_one_is_not() -> None:
    timers = StillTimers()
    lab = Lab(timers)
    lab.player.start(sound(), loop=True)
    due(lab, timers, 0.0)
    assert len(lab.packets()) == 1
    due(lab, timers, 0.081)
    assert len(lab.packets()) == 4
    due(lab, timers, (MOST_BEHIND + 10) * 0.02)
    packets = lab.packets()
    assert len(packets) == 1
    due(lab, timers, 0.0201)
    assert lab.packets()[0].sequence == (packets[0].sequence + 1) % 2**16


def test_many_play_at_once_on_one_timer(caplog: pytest.LogCaptureFixture) -> None:
    timers = StillTimers()
    lab = Lab(timers)
    others = [lab.relay.open_leg(OURS, PHONE[0]) for _ in range(20)]
    for leg in others:
        leg.expect(OFFER)
        lab.players.open(leg).start(sound(), loop=True)

    def fail() -> None:
        raise ValueError("on purpose")

    lab.player.start(sound(1), on_end=fail)
    assert len(timers) == 1
    due(lab, timers, 0.0)
    due(lab, timers, 0.0201)
    assert [(each.levelno, each.message) for each in caplog.records] == [(logging.ERROR, "a player failed")]
    lab.packets()
    due(lab, timers, 0.0201)
    packets = lab.packets()
    assert len(packets) == 20
    assert len({each.ssrc for each in packets}) == 20


def test_a_sound_without_length_cannot_be_played() -> None:
    with pytest.raises(LocalError):
        Lab(StillTimers()).player.start(Sound(b""), loop=True)
