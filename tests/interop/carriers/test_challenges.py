"""A carrier that asks for proofs: of REGISTER, INVITE, BYE and UPDATE, by 401 and 407, with nonces that age.

RFC 3261 §22, RFC 7616 §3.3 (stale).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.scripted_carrier import PASSWORD, Carrier, Office
from tests.peers.stage import ScriptedPhone

pytestmark = pytest.mark.interop

USER = "862412345678@ims.example"


def line(office: Office, **settings: str) -> tuple[Carrier, str, str]:
    """A carrier that has seen the line's proof; the line's name and what is dialled to go by it."""
    stage, carrier = office.stage, office.carrier()
    carrier.user = USER
    values = {"server": carrier.here, "account": "+862412345678", "auth_name": USER, "password": PASSWORD}
    name = office.add("lines", **values, **settings)
    stage << carrier.gets("REGISTER")
    carrier.has_no_proof()
    stage >> carrier.asks("r1") << carrier.gets("REGISTER")
    carrier.accepts_proof("r1")
    stage >> carrier.registers()
    office.wait("lines", name, "registered")
    return carrier, name, office.route(f"line:{name}")


def dials(office: Office, carrier: Carrier, prefix: str) -> ScriptedPhone:
    """Somebody calls out by the line; the carrier has the INVITE."""
    alice = office.stage.phone()
    office.stage.call(alice, f"{prefix}13900000000", alice.offer()) << carrier.gets("INVITE")
    carrier.has_no_proof()
    return alice


def refused(office: Office, alice: ScriptedPhone, cause: str) -> None:
    """The caller is told nothing of the challenge."""
    office.stage << alice.gets(403, lacks=("Authenticate", "nonce")) >> alice.ack_refusal()
    office.stage.ends(alice, cause)


@pytest.mark.parametrize("status", [401, 407])
def test_an_invite_is_proven(office: Office, status: int) -> None:
    carrier, _, prefix = line(office)
    alice = dials(office, carrier, prefix)
    first = carrier.newest()
    office.stage >> carrier.asks("i1", status=status) << carrier.gets("ACK") << carrier.gets("INVITE")
    carrier.accepts_proof("i1", status=status)
    again = carrier.newest()
    assert (again.call_id, again.from_, again.cseq.number) == (first.call_id, first.from_, 2)
    office.answers(alice, carrier)


def test_a_proxy_and_the_server_behind_it_both_ask(office: Office) -> None:
    carrier, _, prefix = line(office)
    alice = dials(office, carrier, prefix)
    stage = office.stage
    stage >> carrier.asks("proxy", status=407) << carrier.gets("ACK") << carrier.gets("INVITE")
    carrier.accepts_proof("proxy", status=407)
    stage >> carrier.asks("server", status=401) << carrier.gets("ACK") << carrier.gets("INVITE")
    carrier.accepts_proof("proxy", status=407)
    carrier.accepts_proof("server", status=401)
    office.answers(alice, carrier)


def test_a_stale_nonce_is_no_wrong_password(office: Office) -> None:
    carrier, _, prefix = line(office)
    alice = dials(office, carrier, prefix)
    stage = office.stage
    stage >> carrier.asks("i1") << carrier.gets("ACK") << carrier.gets("INVITE")
    stage >> carrier.asks("i2", stale=True) << carrier.gets("ACK") << carrier.gets("INVITE")
    carrier.accepts_proof("i2")
    office.answers(alice, carrier)


def test_no_more_than_three_proofs(office: Office) -> None:
    """A carrier that calls each nonce stale gets no fourth one."""
    carrier, name, prefix = line(office)
    alice = dials(office, carrier, prefix)
    stage = office.stage
    for nonce in ("i1", "i2", "i3"):
        stage >> carrier.asks(nonce, stale=True) << carrier.gets("ACK") << carrier.gets("INVITE")
        carrier.accepts_proof(nonce)
    stage >> carrier.asks("i4", stale=True) << carrier.gets("ACK")
    refused(office, alice, "forbidden")
    assert office.show("lines", name)["state"] == "registered"


@pytest.mark.parametrize("settings", [{}, {"realm": "carrier.example"}], ids=["learned", "set"])
def test_a_foreign_realm_gets_no_proof(office: Office, settings: dict[str, str]) -> None:
    """Whoever is called could challenge us, too, and guess the password from the answer."""
    carrier, _, prefix = line(office, **settings)
    alice = dials(office, carrier, prefix)
    office.stage >> carrier.asks("i1", status=407, realm="thief.example") << carrier.gets("ACK")
    refused(office, alice, "forbidden")


@pytest.mark.parametrize("status", [401, 407])
def test_a_trunk_gets_no_proof(office: Office, status: int) -> None:
    """Not even one of a line's for the line's own realm: a trunk's peer is not its carrier. Nor within a call."""
    carrier, _, _ = line(office)
    stage, peer, alice = office.stage, office.carrier(), office.stage.phone()
    peer.realm = carrier.realm
    prefix = office.route(f"trunk:{office.trunk(peer)}")
    stage.call(alice, f"{prefix}139", alice.offer()) << peer.gets("INVITE")
    peer.has_no_proof()
    stage >> peer.asks("t1", status=status) << peer.gets("ACK")
    peer.has_no_proof()
    stage << alice.gets(403, lacks=("Authenticate", "nonce")) >> alice.ack_refusal()
    stage.quiet(peer)
    stage.call(alice, f"{prefix}139", alice.offer()) << peer.gets("INVITE")
    office.talk(alice, peer)
    stage >> alice.bye() << alice.gets(200) << peer.gets("BYE") >> peer.asks("t2", status=status)
    stage.ends(alice, "forbidden", "normal")


def test_a_phone_gets_no_proof(office: Office) -> None:
    """Whoever has one could ask for the proof of a line, in the name of its realm."""
    carrier, name, _ = line(office)
    stage, thief, alice = office.stage, office.stage.phone(), office.stage.phone()
    challenge = f'Digest realm="{carrier.realm}", nonce="p1", qop="auth"'
    stage.call(alice, thief.number, alice.offer()) << thief.gets("INVITE", lacks=("uthorization",))
    stage >> thief.says(407, Proxy_Authenticate=challenge) << thief.gets("ACK", lacks=("uthorization",))
    stage << alice.gets(403, lacks=("Authenticate", "nonce")) >> alice.ack_refusal()
    stage.ends(alice, "forbidden")
    assert office.show("lines", name)["state"] == "registered"


def test_a_registrar_with_another_realm_gets_no_proof(office: Office) -> None:
    stage, carrier = office.stage, office.carrier()
    name = office.add("lines", server=carrier.here, account="100", password=PASSWORD, realm="right.example")
    stage << carrier.gets("REGISTER")
    stage >> carrier.asks("r1", realm="wrong.example")
    assert office.wait("lines", name, "refused")["cause"] == "wrong_realm"
    stage.quiet(carrier)


def test_a_registrar_gets_three_proofs_and_no_more(office: Office) -> None:
    stage, carrier = office.stage, office.carrier()
    name = office.add("lines", server=carrier.here, account="100", password=PASSWORD)
    carrier.user = "100"
    stage << carrier.gets("REGISTER")
    for nonce in ("r1", "r2", "r3"):
        stage >> carrier.asks(nonce, stale=True) << carrier.gets("REGISTER")
        carrier.accepts_proof(nonce)
    stage >> carrier.asks("r4", stale=True)
    assert office.wait("lines", name, "refused")["cause"] == "too_many_tries"
    stage.quiet(carrier)


# --- within the call


def in_a_call(office: Office, **carrier_says: Any) -> tuple[ScriptedPhone, Carrier]:
    """Somebody talks by the line."""
    carrier, _, prefix = line(office)
    alice = dials(office, carrier, prefix)
    stage = office.stage
    stage >> carrier.says(200, carrier.offer(), **carrier_says) << carrier.gets("ACK")
    stage << alice.gets(200) >> alice.ack()
    return alice, carrier


@pytest.mark.parametrize("status", [401, 407])
def test_a_bye_is_proven(office: Office, status: int) -> None:
    alice, carrier = in_a_call(office)
    office.stage >> alice.bye() << alice.gets(200) << carrier.gets("BYE")
    number = carrier.newest().cseq.number
    office.stage >> carrier.asks("b1", status=status) << carrier.gets("BYE")
    carrier.accepts_proof("b1", status=status)
    assert carrier.newest().cseq.number == number + 1
    office.stage >> carrier.ok()
    office.stage.ends(alice, "normal")


def test_a_bye_of_a_call_that_came_in_is_proven(office: Office) -> None:
    carrier, name, _ = line(office)
    stage, alice = office.stage, office.stage.phone()
    # The expiry is for the carrier to know: the line registers anew.
    stage.exchange.perform("lines", "set", name, {"incoming": alice.number, "expiry": "1800"})
    stage << carrier.gets("REGISTER") >> carrier.ok(200) << carrier.gets("REGISTER") >> carrier.registers()
    office.wait("lines", name, "registered")
    carrier.realm = carrier.here.partition(":")[0]  # no registrar has named one since
    stage >> carrier.calls("sip:+862412345678@ims.example") << carrier.gets(100) << alice.gets("INVITE")
    stage >> alice.says(200, alice.offer()) << alice.gets("ACK") << carrier.gets(200) >> carrier.ack()
    stage >> alice.bye() << alice.gets(200) << carrier.gets("BYE")
    stage >> carrier.asks("b1") << carrier.gets("BYE")
    carrier.accepts_proof("b1")
    stage >> carrier.ok()
    stage.ends(carrier, "normal")


def test_an_update_is_proven(office: Office) -> None:
    alice, carrier = in_a_call(office, Allow="INVITE, ACK, BYE, CANCEL, UPDATE")
    stage = office.stage
    update = alice.ask("UPDATE", alice.offer("a=sendonly", version=2), Content_Type="application/sdp")
    stage >> update << carrier.gets("UPDATE", "a=sendonly")
    number = carrier.newest().cseq.number
    stage >> carrier.asks("u1", status=407) << carrier.gets("UPDATE", "a=sendonly")
    carrier.accepts_proof("u1", status=407)
    assert carrier.newest().cseq.number == number + 1
    stage >> carrier.ok(200, carrier.offer("a=recvonly", version=2), Contact=carrier.contact())
    stage << alice.gets(200, "a=recvonly")
    stage >> alice.bye() << alice.gets(200) << carrier.gets("BYE")
    # A proxy takes its header out, so that what it has asked for is proven before it asks again.
    carrier.accepts_proof("u1", status=407)
    stage >> carrier.ok()
    stage.ends(alice, "normal")


def test_a_reinvite_is_proven(office: Office) -> None:
    """RFC 3261 §22.2: the peer that holds the call must not notice."""
    alice, carrier = in_a_call(office)
    stage = office.stage
    stage >> alice.again(alice.offer("a=sendonly", version=2)) << alice.gets(100)
    stage << carrier.gets("INVITE", "a=sendonly")
    stage >> carrier.asks("h1", status=407) << carrier.gets("ACK") << carrier.gets("INVITE", "a=sendonly")
    carrier.accepts_proof("h1", status=407)
    stage >> carrier.says(200, carrier.offer("a=recvonly", version=2)) << carrier.gets("ACK")
    stage << alice.gets(200, "a=recvonly") >> alice.ack()
    stage.hang_up(alice, carrier).ends(alice, "normal")
