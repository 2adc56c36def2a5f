"""media/seam.py, and that legs and players make one stream of whatever a peer hears. RFC 3550 §5.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.rtp import Packet
from appliance.media.seam import Place, Seam, place_of
from tests.media.fakes import OFFER, StillTimers, rtcp_packet
from tests.media.test_player import ANSWER, OTHER, OURS, PHONE, Lab, due, receive, sound

THIRD = ("192.0.2.30", 6000)
CRYPTO = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + b"A" * 40 + b"\r\n"


def packet(sequence: int, timestamp: int, ssrc: int, payload_type: int = 0, *, marker: bool = False) -> bytes:
    return bytes(Packet(payload_type, sequence, timestamp, ssrc, b"\xff" * 160, marker=marker))


def says(leg: object, source: tuple[str, int], sequence: int, timestamp: int, ssrc: int) -> None:
    receive(leg, packet(sequence, timestamp, ssrc), source)  # type: ignore[arg-type]


@pytest.fixture
def timers() -> StillTimers:
    return StillTimers()


@pytest.fixture
def lab(timers: StillTimers) -> Lab:
    timers.time = 1.0
    return Lab(timers)


def places(lab: Lab) -> list[tuple[int, int, int, bool]]:
    return [(each.sequence, each.timestamp, each.ssrc, each.marker) for each in lab.packets()]


def play(lab: Lab, timers: StillTimers, seconds: float) -> None:
    """Music for so long, as while somebody holds."""
    lab.player.start(sound(), loop=True)
    due(lab, timers, 0.0)
    for _ in range(round(seconds / 0.02)):
        due(lab, timers, 0.02)


def test_music_goes_on_where_the_partner_was_and_the_partner_behind_it(lab: Lab, timers: StillTimers) -> None:
    says(lab.partner, OTHER, 700, 64_000, 7)
    assert places(lab) == [(700, 64_000, 7, False)]
    play(lab, timers, 0.04)
    assert places(lab) == [
        (701, 64_160, 7, True),
        (702, 64_320, 7, False),
        (703, 64_480, 7, False),
    ]
    lab.player.stop()
    # It went on counting while nobody heard it, as some do; others stop their clock. Both are heard next.
    for at, (sequence, timestamp) in enumerate(((999, 90_000), (1000, 90_160), (998, 89_840))):
        says(lab.partner, OTHER, sequence, timestamp, 7)
        shift = (sequence - 999, timestamp - 90_000)
        assert places(lab) == [(704 + shift[0], 64_640 + shift[1], 7, at == 0)]


def test_another_partner_goes_on_where_the_first_was(lab: Lab) -> None:
    says(lab.partner, OTHER, 700, 64_000, 7)
    third = lab.relay.open_leg(OURS, THIRD[0])
    third.describe(OFFER)
    third.expect(ANSWER.replace(b"192.0.2.20", b"192.0.2.30").replace(b"5000", b"6000"))
    lab.relay.join(lab.leg, third)
    lab.packets()
    receive(third, packet(5, 4_000_000_000, 8), THIRD)
    receive(third, packet(6, 4_000_000_160, 8), THIRD)
    assert places(lab) == [(701, 64_160, 7, True), (702, 64_320, 7, False)]


def test_whoever_was_heard_all_the_time_is_passed_on_untouched(lab: Lab) -> None:
    """Also when the two are joined anew, and whatever it sends."""
    says(lab.partner, OTHER, 700, 64_000, 7)
    lab.leg.unlink()
    lab.relay.join(lab.leg, lab.partner)
    says(lab.partner, OTHER, 5, 1, 9)
    assert places(lab) == [(700, 64_000, 7, False), (5, 1, 9, False)]


def test_what_was_played_first_goes_before_the_partner(lab: Lab, timers: StillTimers) -> None:
    """A ring-back tone, and then the one who answers."""
    play(lab, timers, 0.0)
    ((sequence, timestamp, ssrc, _),) = places(lab)
    lab.player.stop()
    receive(lab.partner, packet(1, 1, 7, 101), OTHER)  # a key before any sound begins nothing
    assert places(lab) == [(1, 1, 7, False)]
    says(lab.partner, OTHER, 2, 2, 7)
    assert places(lab) == [(sequence + 1 & 0xFFFF, timestamp + 160 & 0xFFFF_FFFF, ssrc, True)]


def test_a_sound_after_a_sound_goes_on(lab: Lab, timers: StillTimers) -> None:
    """A beep in the music, by the same player and by another one."""
    play(lab, timers, 0.02)
    before = places(lab)[-1]
    play(lab, timers, 0.0)
    other = lab.players.open(lab.leg)
    other.start(sound())
    due(lab, timers, 0.02)
    after = places(lab)
    assert [each[0] for each in after] == [before[0] + at & 0xFFFF for at in range(1, len(after) + 1)]
    assert {each[2] for each in after} == {before[2]}


def test_silence_is_told_by_timestamps(lab: Lab, timers: StillTimers) -> None:
    says(lab.partner, OTHER, 700, 64_000, 7)
    lab.packets()
    lab.leg.unlink()
    timers.time += 2.0
    lab.player.start(sound())
    due(lab, timers, 0.0)
    assert places(lab) == [(701, 64_000 + 16_000, 7, True)]


def test_encrypted_sound_arrives_as_it_was_sent(timers: StillTimers) -> None:
    """A changed header would not agree with its authentication."""
    timers.time = 1.0
    lab = Lab(timers)
    relay = lab.relay
    secure = OFFER.replace(b"RTP/AVP", b"RTP/SAVP").replace(b"a=sendrecv\r\n", b"") + CRYPTO
    legs = [relay.open_leg(OURS, host) for host, _ in (PHONE, OTHER, THIRD)]
    first, second, third = legs
    first.expect(secure)
    for leg, (host, port) in ((second, OTHER), (third, THIRD)):
        leg.describe(secure)
        leg.expect(secure.replace(b"192.0.2.10", host.encode()).replace(b"49170", str(port).encode()))
    relay.join(first, second)
    first.describe(secure.replace(b"192.0.2.10", OTHER[0].encode()))
    receive(second, packet(700, 64_000, 7), OTHER)
    relay.join(first, third)
    receive(third, packet(5, 6, 8), THIRD)
    assert places(lab) == [(700, 64_000, 7, False), (5, 6, 8, False)]


def test_what_is_no_rtp_is_left_alone(lab: Lab) -> None:
    pair = lab.leg._pairs[0]
    assert pair is not None
    seam = Seam(pair.rtp, 0, Place(1, 2, 3), 1.0)
    for data in (rtcp_packet(), b"\x80", b"\x00\x01" + bytes(20)):
        seam.send(data)
    sent = [data for socket in lab.sockets.open.values() for data, _ in socket.sent]
    assert sent == [rtcp_packet(), b"\x80", b"\x00\x01" + bytes(20)]
    assert place_of(b"\x80", 0) is None
    assert place_of(packet(1, 2, 3, 8), 0) is None
    assert place_of(packet(1, 2, 3, 8, marker=True), 8) == (1, 2, 3)


PLACES = st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF_FFFF))


@given(PLACES, st.lists(PLACES, min_size=1, max_size=4))
def test_whoever_comes_goes_on_by_one(
    first: tuple[int, int, int], sources: list[tuple[int, int, int]]
) -> None:
    sent: list[Packet] = []

    class Port:
        def send(self, data: bytes) -> None:
            sent.append(Packet.parse(data))

    seam = Seam(Port(), 0, Place(*first), 1.0)  # type: ignore[arg-type]
    for at, (sequence, timestamp, ssrc) in enumerate(sources):
        if at:
            last = sent[-1]
            seam.note(Place(last.sequence, last.timestamp, last.ssrc), 1.0)
        for step in range(2):
            seam.send(packet(sequence + step & 0xFFFF, timestamp + 160 * step & 0xFFFF_FFFF, ssrc))
    assert [each.ssrc for each in sent] == [first[2]] * len(sent)
    for at, each in enumerate(sent, start=1):
        assert each.sequence == first[0] + at & 0xFFFF
        assert each.timestamp == first[1] + 160 * at & 0xFFFF_FFFF
