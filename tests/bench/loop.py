"""`python -m tests.bench.loop`: what a REGISTER and a call cost in one process, message after message.

No socket carries the SIP and nobody has to be woken, so that the figures say what our own code costs, caches warm: the
least of several rounds, as neighbours on the machine only ever add. The functions called for each are counted exactly.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import re
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import tomli_w

from appliance.service import run_command
from appliance.service.options import Options
from appliance.service.service import Service
from appliance.sip.transport.udp import UdpTransport
from appliance.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.endpoint import Endpoint

LOOPBACK = "127.0.0.1"
CALLER, CALLEE = (LOOPBACK, 5061), (LOOPBACK, 5070)
USERS = 100
FIRST_USER = 10000
ROUND = 50
_HEADER = re.compile(rb"^(Via|From|To|Call-ID|CSeq|Contact|WWW-Authenticate): (.*)\r$", re.MULTILINE)
_AUTH = re.compile(rb'realm="([^"]+)", nonce="([^"]+)"')

SDP = (
    b"v=0\r\no=bench 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)


class Phones:
    """A caller and a callee, in the place of the network: what the exchange sends waits in `sent`."""

    def __init__(self, endpoint: Endpoint, udp: UdpTransport) -> None:
        self._endpoint = endpoint
        self._caller, self._callee = udp.flow_to(CALLER), udp.flow_to(CALLEE)
        self._serial = 0
        self.spent = 0.0
        "CPU seconds of the exchange."
        self.sent: list[bytes] = []

    def _give(self, lines: list[str], body: bytes = b"", *, callee: bool = False) -> list[bytes]:
        """Let the exchange have one message; what it sends in answer."""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        head = "\r\n".join(lines) + f"\r\n{kind}Content-Length: {len(body)}\r\n\r\n"
        data, flow = head.encode() + body, self._callee if callee else self._caller
        self.sent.clear()
        before = time.thread_time()
        self._endpoint.receive_datagram(data, flow)
        self.spent += time.thread_time() - before
        return self.sent[:]

    def _head(self, method: str, uri: str, user: int, to: str, seq: str, *more: str) -> list[str]:
        self._serial += 1
        return [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{self._serial};rport",
            "Max-Forwards: 70",
            f"From: <sip:{user}@127.0.0.1>;tag=c{seq}",
            f"To: {to}",
            f"Call-ID: {seq}@127.0.0.1",
            *more,
        ]

    def register(self) -> None:
        """A REGISTER that is challenged, and the one with the answer."""
        self._serial += 1
        user, name = FIRST_USER + self._serial % USERS, f"r{self._serial}"
        uri, to = "sip:127.0.0.1", f"<sip:{user}@127.0.0.1>"
        contact = f"Contact: <sip:{user}@127.0.0.1:5070>"
        head = partial(self._head, "REGISTER", uri, user, to, name)
        challenge = _header(self._give(head("CSeq: 1 REGISTER", contact, "Expires: 3600"))[0])
        proof = _proof(challenge, "REGISTER", uri, user)
        answer = self._give(head("CSeq: 2 REGISTER", contact, "Expires: 3600", proof))
        assert answer[0].startswith(b"SIP/2.0 200")

    def call(self) -> None:
        """A call with digest: 17 messages."""
        self._serial += 1
        user, number = FIRST_USER + self._serial % USERS, FIRST_USER + (self._serial + 1) % USERS
        uri, to, name = f"sip:{number}@127.0.0.1", f"<sip:{number}@127.0.0.1>", f"k{self._serial}"
        more = (f"Contact: <sip:{user}@127.0.0.1:5061>", "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE")
        head = partial(self._head, "INVITE", uri, user, to, name)
        first = head("CSeq: 1 INVITE", *more, "User-Agent: bench")
        refused = _header(self._give(first, SDP)[0])
        ack = ["ACK" + first[0][6:], first[1], *first[2:4], f"To: {refused['To']}", first[5], "CSeq: 1 ACK"]
        self._give(ack)
        proof = _proof(refused, "INVITE", uri, user)
        sent = self._give(head("CSeq: 2 INVITE", *more, proof, "User-Agent: bench"), SDP)
        invite = next(data for data in sent if data.startswith(b"INVITE"))
        self._answer(invite, "180 Ringing")
        accepted = _header(
            next(d for d in self._answer(invite, "200 OK", SDP) if d.startswith(b"SIP/2.0 200"))
        )
        target, within = accepted["Contact"].strip("<>"), accepted["To"]
        self._give(self._head("ACK", target, user, within, name, "CSeq: 2 ACK"))
        sent = self._give(self._head("BYE", target, user, within, name, "CSeq: 3 BYE", "User-Agent: bench"))
        self._answer(next(data for data in sent if data.startswith(b"BYE")), "200 OK")

    def _answer(self, request: bytes, status: str, body: bytes = b"") -> list[bytes]:
        asked = _header(request)
        to = asked["To"] if ";tag=" in asked["To"] else f"{asked['To']};tag=s1"
        lines = [f"SIP/2.0 {status}", f"Via: {asked['Via']}", f"From: {asked['From']}", f"To: {to}"]
        lines += [f"Call-ID: {asked['Call-ID']}", f"CSeq: {asked['CSeq']}"]
        return self._give([*lines, "Contact: <sip:bench@127.0.0.1:5070>"], body, callee=True)


def _header(data: bytes) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in reversed(_HEADER.findall(data))}


def _proof(challenge: dict[str, str], method: str, uri: str, user: int) -> str:
    found = _AUTH.search(challenge["WWW-Authenticate"].encode())
    assert found is not None
    realm, nonce = found[1].decode(), found[2].decode()
    ha1, ha2 = _md5(f"{user}:{realm}:pw{user}"), _md5(f"{method}:{uri}")
    response = _md5(f"{ha1}:{nonce}:00000001:6b8b4567:auth:{ha2}")
    return (
        f'Authorization: Digest username="{user}",realm="{realm}",cnonce="6b8b4567",nc=00000001,qop=auth,'
        f'uri="{uri}",nonce="{nonce}",response="{response}",algorithm=MD5'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def count(work: Callable[[], None]) -> int:
    """How many functions are called, Python's and C's."""
    calls = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


async def measure(rounds: int) -> None:
    """Print both."""
    with tempfile.TemporaryDirectory(prefix="branchbox-loop-") as name:
        nowhere = (LOOPBACK, 0)
        options = Options(Path(name), nowhere, nowhere, nowhere, (30000, 34999))
        store = await Store.open(options.data)
        service = await Service.build(options, store)
        async with anyio.create_task_group() as tasks:
            for task in (service.clock.run, service.relay.run, store.backlog.run):
                tasks.start_soon(task, name="bench")
            extensions = [
                {"number": str(FIRST_USER + at), "password": f"pw{FIRST_USER + at}"} for at in range(USERS)
            ]
            text = tomli_w.dumps({"extensions": extensions})
            await service.control.perform("import", "apply", None, {"text": text}, actor="local:0")
            udp = service.transports._udp[0]  # the bench stands where the network would
            phones = Phones(service.endpoint, udp)
            udp.send = lambda _remote, data: phones.sent.append(data)  # type: ignore[method-assign, assignment]
            gc.collect()
            gc.freeze()
            gc.set_threshold(*run_command.GC_THRESHOLDS)
            for what, work in (("REGISTER", phones.register), ("call", phones.call)):
                least = await _least(phones, work, rounds)
                sys.stdout.write(f"{what}: {least * 1e6:.0f} us, {count(work)} functions called\n")
            tasks.cancel_scope.cancel()
        service.transports.close()
        await store.close()


async def _least(phones: Phones, work: Callable[[], None], rounds: int) -> float:
    least = float("inf")
    for _ in range(rounds):
        phones.spent = 0.0
        for _ in range(ROUND):
            work()
        least = min(least, phones.spent / ROUND)
        await anyio.sleep(0.02)  # records are written, timers run
    return least


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="loop", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    anyio.run(measure, parser.parse_args().rounds, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
