"""RFC 3665 §3.2 to §3.4: calls by lines and trunks, whose other end is scripted, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from appliance.selftest.phone import Account
from appliance.sip.message import Authorization, Challenge, Message, Request
from appliance.sip.message.digest import digest_response, ha1
from tests.interop.exchange import wait_until
from tests.peers.sip_line import DatagramLine, StreamLine
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

# RFC 5737: nobody lives there.
FAR_PHONE, FAR_PROXY = "192.0.2.101", "192.0.2.102"
REALM = "carrier.example"


class Outside:
    """What the exchange is connected to, for one test. Each server is at an address of its own, which is trusted."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    def add(self, area: str, name: str, **values: object) -> None:
        """A setting, until the test ends."""
        perform = self.stage.exchange.perform
        perform(area, "add", None, {"name": name, **values})
        self._stack.callback(perform, area, "remove", name)

    def server(self, host: str, transport: str = "udp") -> ScriptedPhone:
        """Somebody out there, who is no extension."""
        account = Account("5550100", "the carrier's own", self.stage.exchange.sip)
        return self.stage.phone(transport, account=account, host=host, registered=False)

    def state(self, area: str, name: str) -> str:
        return str(self.stage.exchange.perform(area, "show", name)["state"])


@pytest.fixture
def outside(stage: Stage) -> Iterator[Outside]:
    outside = Outside(stage)
    yield outside
    outside.close()


def lines(message: Message | None, name: str) -> list[str]:
    assert message is not None
    return message.headers.get_all(name)


def test_3_2_session_through_two_proxies(stage: Stage, outside: Outside) -> None:
    far, bob = outside.server("127.0.0.82"), stage.phone()
    outside.add("trunks", "far", peers=far.here, networks="127.0.0.82/32", keep_alive=0)
    invite = far.invite(bob.number, far.offer())
    headers = invite.message.headers
    below = [
        f"SIP/2.0/UDP {FAR_PROXY}:5060;branch=z9hG4bK721e4;received={FAR_PROXY}",
        f"SIP/2.0/UDP {FAR_PHONE}:5060;branch=z9hG4bKb9ed7;received={FAR_PHONE}",
    ]
    route = [f"<sip:{far.here};lr>", f"<sip:{FAR_PROXY};lr>"]
    for via, hop in zip(below, route, strict=True):
        headers.add("Via", via)
        headers.add("Record-Route", hop)
    headers.set("Max-Forwards", "68")
    headers.set("Contact", f"<sip:{far.number}@{FAR_PHONE}>")
    (
        stage
        >> invite
        << far.gets(100)
        << bob.gets("INVITE", "Max-Forwards: 67\r\n", lacks=(FAR_PROXY, FAR_PHONE))
    )
    assert len(lines(bob.last, "Via")) == 1, "what is behind us is nobody's business"
    stage >> bob.says(180) << far.gets(180)
    assert lines(far.last, "Via")[1:] == below
    assert lines(far.last, "Record-Route") == route
    _behind_two_proxies_too(stage, far, bob, route)


def _behind_two_proxies_too(stage: Stage, far: ScriptedPhone, bob: ScriptedPhone, route: list[str]) -> None:
    """The callee's nearer proxy has written its line above the other's; what follows goes by the route sets."""
    near = f"<sip:{bob.here};lr>"
    stage >> bob.says(200, bob.offer(), Record_Route=f"<sip:{FAR_PROXY};lr>, {near}") << bob.gets("ACK")
    assert lines(bob.last, "Route") == [near, f"<sip:{FAR_PROXY};lr>"]
    stage << far.gets(200) >> far.ack()
    stage >> bob.again(bob.offer("a=sendonly")) << far.gets("INVITE", f"INVITE sip:{far.number}@{FAR_PHONE} ")
    assert lines(far.last, "Route") == route
    stage << bob.gets(100) >> far.says(200, far.offer("a=recvonly")) << far.gets("ACK")
    assert lines(far.last, "Route") == route
    stage << bob.gets(200) >> bob.ack() >> far.bye() << far.gets(200) << bob.gets("BYE")
    assert lines(bob.last, "Route") == [near, f"<sip:{FAR_PROXY};lr>"]
    stage >> bob.ok()
    stage.ends(far, "normal")


# A line, whose carrier asks for its password.


def registered(outside: Outside) -> ScriptedPhone:
    """A carrier where we have an account, and its number range behind 72."""
    carrier = outside.server("127.0.0.83")
    account = {"account": "5550199", "password": "the line's own"}
    outside.add("lines", "carrier", server=carrier.here, **account)
    outside.add("routes", "by-line", pattern="72X.", strip=2, to="line:carrier")
    outside.stage << carrier.gets("REGISTER")
    assert carrier.asked is not None
    contact = carrier.asked.headers.get("Contact")
    outside.stage >> carrier.ok(200, Contact=f"{contact};expires=3600")
    wait_until(lambda: outside.state("lines", "carrier") == "registered", "the line")
    return carrier


def challenge(nonce: str, *, stale: bool = False) -> str:
    return str(Challenge(REALM, nonce, qop=("auth",), stale=stale))


def proves(request: Request | None, nonce: str) -> None:
    """Its credentials are the line's, for this challenge."""
    assert request is not None
    (header,) = request.headers.get_all("Proxy-Authorization")
    answer = Authorization.parse(header)
    assert (answer.username, answer.realm, answer.nonce) == ("5550199", REALM, nonce)
    secret = ha1("MD5", "5550199", REALM, "the line's own")
    assert answer.response == digest_response(secret, "INVITE", answer)


def test_3_3_session_with_multiple_authentication(stage: Stage, outside: Outside) -> None:
    carrier, alice = registered(outside), stage.phone()
    stage.call(alice, "725550123", alice.offer()) << carrier.gets("INVITE", "INVITE sip:5550123@")
    (
        stage
        >> carrier.says(407, Proxy_Authenticate=challenge("one"))
        << carrier.gets("ACK")
        << carrier.gets("INVITE")
    )
    proves(carrier.invited, "one")
    # Too old already: that costs one more try.
    again = challenge("two", stale=True)
    stage >> carrier.says(407, Proxy_Authenticate=again) << carrier.gets("ACK") << carrier.gets("INVITE")
    proves(carrier.invited, "two")
    stage >> carrier.says(180) << alice.gets(180, lacks=(REALM,)) >> carrier.says(200, carrier.offer())
    stage << carrier.gets("ACK") << alice.gets(200, lacks=(REALM,)) >> alice.ack()
    stage.hang_up(alice, carrier).ends(alice, "normal")


def test_3_3_the_third_challenge_is_a_refusal(stage: Stage, outside: Outside) -> None:
    carrier, alice = registered(outside), stage.phone()
    stage.call(alice, "725550123", alice.offer()) << carrier.gets("INVITE")
    for nonce, stale in (("one", False), ("two", True)):
        asked = challenge(nonce, stale=stale)
        stage >> carrier.says(407, Proxy_Authenticate=asked) << carrier.gets("ACK") << carrier.gets("INVITE")
    stage >> carrier.says(407, Proxy_Authenticate=challenge("three")) << carrier.gets("ACK")
    stage << alice.gets(403, lacks=(REALM, "Authenticate")) >> alice.ack_refusal()
    stage.ends(alice, "forbidden")


# Two trunks, the first of which was there a moment ago.


def trunks(outside: Outside, first: str, second: str, transport: str = "udp") -> None:
    for name, peer in (("first", first), ("second", second)):
        outside.add("trunks", name, peers=peer, transport=transport if name == "first" else "udp")
    outside.add("routes", "by-trunk", pattern="73X.", strip=2, to="trunk:first,trunk:second")


def fails_over(stage: Stage, alice: ScriptedPhone, second: ScriptedPhone) -> set[str]:
    """The second trunk takes the call that it was asked to; gives all addresses that were asked."""
    stage >> second.says(180) << alice.gets(180)
    stage >> second.says(200, second.offer()) << second.gets("ACK") << alice.gets(200) >> alice.ack()
    (record,) = stage.hang_up(alice, second).ends(alice, "normal")
    messages = stage.exchange.perform("trace", "show", record["id"])
    return {each["peer"] for each in messages if each["text"].startswith("INVITE sip:5550123@")}


@pytest.mark.parametrize("closed", [False, True], ids=["silent", "closed"])
def test_3_4_session_with_trunk_failure(stage: Stage, outside: Outside, closed: bool) -> None:
    first, second, alice = outside.server("127.0.0.84"), outside.server("127.0.0.85"), stage.phone()
    trunks(outside, first.here, second.here)
    for server in (first, second):
        stage << server.gets("OPTIONS") >> server.ok()
    wait_until(lambda: both_up(outside), "both trunks")
    asked = {first.here, second.here}
    if closed:
        stage.vanish(first)
    stage.call(alice, "735550123", alice.offer()) << second.gets("INVITE", "INVITE sip:5550123@")
    if not closed:
        assert invites_of(stage, first) <= 4
    assert fails_over(stage, alice, second) == asked


def both_up(outside: Outside) -> bool:
    return [outside.state("trunks", name) for name in ("first", "second")] == ["up", "up"]


def invites_of(stage: Stage, silent: ScriptedPhone) -> int:
    """How often it was asked so far: at 0, 0.5, 1.5, 3.5 and 7.5 s if nobody is asked sooner (RFC 3261 §17.1.1.2)."""
    stage << silent.gets("INVITE")
    stage.quiet(silent)
    assert isinstance(silent.line, DatagramLine)
    assert silent.last is not None
    return silent.line.copies[silent.last.encode()]


def test_3_4_session_with_trunk_failure_over_tcp(stage: Stage, outside: Outside) -> None:
    second, alice = outside.server("127.0.0.85"), stage.phone()
    with socket.create_server(("127.0.0.84", 0)) as listener:
        host, port = listener.getsockname()
        trunks(outside, f"{host}:{port}", second.here, "tcp")
        with StreamLine.accepted(listener) as line:
            options = line.receive()
            assert isinstance(options, Request)
            line.send(options.respond(200, to_tag="first").encode())
            stage << second.gets("OPTIONS") >> second.ok()
            wait_until(lambda: both_up(outside), "both trunks")
    stage.call(alice, "735550123", alice.offer()) << second.gets("INVITE", "INVITE sip:5550123@")
    assert fails_over(stage, alice, second) == {f"{host}:{port}", second.here}
