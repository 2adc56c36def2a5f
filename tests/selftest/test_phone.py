"""selftest/phone.py, sound.py and datagrams.py: two phones on loopback, the called one being the other's server."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, closing
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from appliance.clock import Clock
from appliance.errors import PeerError
from appliance.media.tone import tone_share
from appliance.selftest.datagrams import PhoneSocket
from appliance.selftest.phone import Account, Phone, answer_challenge
from appliance.selftest.sound import CLEAR_SHARE, Sound
from appliance.sip.endpoint import Endpoint
from appliance.sip.message import Authorization, Challenge, Headers, Response
from appliance.sip.message.digest import digest_response, ha1
from appliance.sip.transport.flow import Flow, TransportError
from tests.conftest import REAL_SOCKETS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.sip.endpoint import ServerTransaction

HOST = "127.0.0.1"
CHALLENGE = Challenge("office", "nonce-1", "SHA-256", ("auth",))


@pytest.fixture
def anyio_backend() -> Any:
    return REAL_SOCKETS


@asynccontextmanager
async def two_phones(password: str = "secret") -> AsyncIterator[tuple[Phone, Phone, Endpoint]]:
    """The caller, the callee, and the callee's endpoint, which is the caller's server."""
    clock = Clock()
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(PhoneSocket(HOST))) for _ in range(2)]
        endpoints = [Endpoint(clock, Random(), each) for each in sockets]
        sounds = [stack.enter_context(closing(Sound(HOST, tone, Random()))) for tone in (440.0, 620.0)]
        server = sockets[1].address
        phones = [
            Phone(Account(number, password, server), endpoint, sound, Random())
            for number, endpoint, sound in zip(("101", "102"), endpoints, sounds, strict=True)
        ]
        runs = [clock.run, *(each.run for each in sockets), *(each.run for each in sounds)]
        async with anyio.create_task_group() as tasks:
            for run in runs:
                tasks.start_soon(run)
            with anyio.fail_after(20):
                yield phones[0], phones[1], endpoints[1]
            tasks.cancel_scope.cancel()


def challenge_register(transaction: ServerTransaction) -> None:
    """A registrar that knows 101 with the password `secret`."""
    text = transaction.request.headers.get("Authorization")
    if text is None:
        transaction.reply(401, headers=[("WWW-Authenticate", str(CHALLENGE))])
        return
    answer = Authorization.parse(text)
    expected = digest_response(ha1("SHA-256", "101", "office", "secret"), "REGISTER", answer)
    transaction.reply(200 if answer.response == expected else 403)


async def test_a_phone_registers_by_digest() -> None:
    async with two_phones() as (caller, _, server):
        server.serve("REGISTER", challenge_register)
        await caller.register()
        assert caller._sequence == 2


async def test_a_wrong_password_is_said_and_not_repeated() -> None:
    async with two_phones("wrong") as (caller, _, server):
        server.serve("REGISTER", challenge_register)
        with pytest.raises(PeerError) as caught:
            await caller.register()
        assert caught.value.status == 403


async def test_two_phones_talk_and_hang_up() -> None:
    async with two_phones() as (caller, callee, server):
        await caller.call("102")
        await callee.established.wait()
        await caller.sound.hear(620.0)
        await callee.sound.hear(440.0)
        assert not callee.ended.is_set()
        await caller.hang_up()
        await callee.ended.wait()
        with pytest.raises(PeerError):
            await callee.hang_up()
        assert not server._dialogs


async def test_a_phone_that_talks_is_busy() -> None:
    async with two_phones() as (caller, _, _):
        await caller.call("102")
        with pytest.raises(PeerError) as caught:
            await caller.call("102")
        assert caught.value.status == 486


async def test_what_was_heard_is_that_tone_and_no_other() -> None:
    async with two_phones() as (caller, _, _):
        await caller.call("102")
        await caller.sound.hear(620.0)
        assert tone_share(caller.sound._heard, 620.0) > CLEAR_SHARE
        assert tone_share(caller.sound._heard, 440.0) < 1 - CLEAR_SHARE


def refusal(status: int, *challenges: str) -> Response:
    name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
    return Response(status, None, Headers([(name, each) for each in challenges]))


@pytest.mark.parametrize(("status", "name"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_the_first_known_hash_is_answered(status: int, name: str) -> None:
    account = Account("101", "secret", (HOST, 5060))
    unknown = str(Challenge("office", "n", "SHA-999", ("auth",)))
    header, value = answer_challenge(
        refusal(status, unknown, str(CHALLENGE)), "INVITE", "sip:102@office", account, "c"
    )
    answer = Authorization.parse(value)
    assert (header, answer.algorithm, answer.uri, answer.nc) == (
        name,
        "SHA-256",
        "sip:102@office",
        "00000001",
    )
    assert answer.response == digest_response(ha1("SHA-256", "101", "office", "secret"), "INVITE", answer)
    with pytest.raises(PeerError):
        answer_challenge(refusal(status, unknown), "INVITE", "sip:102@office", account, "c")


@pytest.mark.parametrize("body", [b"", b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"])
def test_a_description_without_sound_is_refused(body: bytes) -> None:
    with closing(Sound(HOST, 440.0, Random())) as sound, pytest.raises(PeerError):
        sound.aim(body)


def test_the_phones_socket_is_udp_only() -> None:
    with closing(PhoneSocket(HOST)) as line:
        with pytest.raises(TransportError):
            line.flow_to("tcp", (HOST, 1))
        with pytest.raises(TransportError):
            line.send(Flow("udp", line.address, (HOST, 0)), b"x")
