"""The exchange as an end of a call, over real sockets: what it answers, and that its sound arrives."""

from __future__ import annotations

import socket
from array import array
from contextlib import closing
from random import Random
from typing import Any

import anyio
import pytest

from appliance.clock import Clock
from appliance.media.answer import answer_to
from appliance.media.g711 import PAYLOAD_TYPES, Law, decode
from appliance.media.relay import Relay
from appliance.media.rtp import Packet
from appliance.media.sdp import parse_sdp
from appliance.media.sound import Sound
from appliance.media.tone import sine, tone_share
from tests.conftest import REAL_SOCKETS

HOST = "127.0.0.1"


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
async def test_a_phone_that_calls_the_exchange_hears_what_it_plays(law: Law) -> None:
    clock = Clock()
    relay = Relay((20000, 29999), clock, Random())
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as phone:
        phone.bind((HOST, 0))
        phone.setblocking(False)
        offer = (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {phone.getsockname()[1]} RTP/AVP 18 {PAYLOAD_TYPES[law]}\r\n"
        ).encode()
        leg = relay.open_leg(HOST, HOST)
        leg.expect(offer)
        answer = parse_sdp(leg.describe(answer_to(offer))).media[0]
        heard = array("h")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.run)
            tasks.start_soon(relay.run)
            ended = anyio.Event()
            relay.players.open(leg).start(Sound(sine(440, 4000).tobytes()), on_end=ended.set)
            with anyio.fail_after(20):
                while len(heard) < 4000:
                    await anyio.wait_readable(phone)
                    data, source = phone.recvfrom(2048)
                    assert source == (HOST, answer.port)
                    packet = Packet.parse(data)
                    assert packet.payload_type == PAYLOAD_TYPES[law]
                    heard.extend(decode(packet.payload, law))
                await ended.wait()
            tasks.cancel_scope.cancel()
        leg.close()
    assert tone_share(heard, 440) > 0.95
    assert relay.open_ports == 0
