"""Lines at an IMS: numbers in `tel:`, identities in headers, user=phone, proxies and names that are all different.

3GPP TS 24.229; RFC 3966, RFC 3325, RFC 7315 §4.2 (P-Called-Party-ID), RFC 3608 (Service-Route), RFC 3261 §19.1.1.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.exchange import wait_until
from tests.peers.scripted_carrier import Carrier, Office
from tests.peers.stage import ScriptedPhone

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"


# --- in

ASSERTED = "<sip:+8613911111111@ims.example;user=phone>, <tel:+86-139-1111-1111>"


@pytest.mark.parametrize(
    ("caller_from", "number"),
    [
        ("p-asserted-identity,remote-party-id,from", "+8613911111111"),
        ("remote-party-id,p-asserted-identity,from", "+8613922222222"),
        ("from,p-asserted-identity", "+8613933333333"),
    ],
)
def test_who_calls_by_the_order_of_trust(office: Office, caller_from: str, number: str) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.line(carrier, account=NUMBER, incoming=alice.number, caller_from=caller_from)
    carrier.number = number
    call = carrier.calls(
        f"tel:{NUMBER}",
        From='"A" <tel:+86-139-3333-3333>',
        P_Asserted_Identity=ASSERTED,
        Remote_Party_ID="<sip:+8613922222222@ims.example>;party=calling",
    )
    stage >> call << carrier.gets(100)
    stage << alice.gets("INVITE", f"<sip:{number}@", lacks=("P-Asserted-Identity", "Remote-Party-ID"))
    office.answers(carrier, alice)


def test_a_hidden_caller_is_hidden_from_phones_too(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.line(carrier, account=NUMBER, incoming=alice.number)
    asserted: dict[str, Any] = {"P_Asserted_Identity": "<tel:+8613911111111>", "Privacy": "id"}
    stage >> carrier.calls(f"tel:{NUMBER}", From="<sip:anonymous@anonymous.invalid>", **asserted)
    stage << carrier.gets(100)
    stage << alice.gets("INVITE", 'From: "Anonymous" <sip:anonymous@anonymous.invalid>', lacks=("139111",))
    stage >> alice.says(486) << alice.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()
    wait_until(lambda: [each["cause"] for each in records_of(office, alice)] == ["busy"], "the record")
    assert records_of(office, alice)[0]["from_number"] == ""


def records_of(office: Office, callee: ScriptedPhone) -> list[dict[str, Any]]:
    """The records of calls to an extension."""
    records: list[dict[str, Any]] = office.stage.exchange.perform(
        "records", "list", None, {"number": callee.number}
    )
    return records


def test_each_number_rings_its_own_extension(office: Office) -> None:
    stage, carrier = office.stage, office.carrier()
    alice, bob, desk = stage.phone(), stage.phone(), stage.phone()
    numbers = f"+862488880001={alice.number},862488880002={bob.number}"
    office.line(carrier, account=NUMBER, incoming=desk.number, numbers=numbers)
    for uri, phone in (
        ("tel:+86-24-8888-0001", alice),
        ("sip:+862488880002@ims.example;user=phone", bob),  # with a plus here, and without it in the table
        ("tel:+862488889999", desk),
    ):
        stage >> carrier.calls(uri) << carrier.gets(100) << phone.gets("INVITE") >> phone.says(486)
        stage << phone.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()


def test_the_called_number_beside_our_contact(office: Office) -> None:
    """Two accounts at one carrier: the Request-URI tells them apart, P-Called-Party-ID says what was dialled."""
    stage, carrier = office.stage, office.carrier()
    alice, bob, carol = stage.phone(), stage.phone(), stage.phone()
    office.line(carrier, account="+862412340001", numbers=f"+862499990001={alice.number}")
    office.line(
        carrier, account="+862412340002", incoming=bob.number, numbers=f"+862499990001={carol.number}"
    )
    uri = carrier.contact_of_line()  # of the second one
    for called, phone in (("<tel:+862499990001>", carol), ("<sip:+862412340002@ims.example>", bob)):
        stage >> carrier.calls(uri, P_Called_Party_ID=called) << carrier.gets(100)
        stage << phone.gets("INVITE") >> phone.says(486) << phone.gets("ACK")
        stage << carrier.gets(486) >> carrier.ack_refusal()


def test_numbers_that_the_carrier_has_said_are_ours(office: Office) -> None:
    """P-Associated-URI, when the carrier writes one of them where our Contact should stand."""
    stage, carrier, alice, bob = office.stage, office.carrier(), office.stage.phone(), office.stage.phone()
    office.line(carrier, account="+862412340001", incoming=alice.number)
    said = {"P_Associated_URI": "<sip:+862412340002@ims.example>, <tel:+86-24-8888-0002>"}
    name = office.line(carrier, account="+862412340002", incoming=bob.number, answer=said)
    assert office.show("lines", name)["associated"] == [
        "sip:+862412340002@ims.example",
        "tel:+86-24-8888-0002",
    ]
    for uri, phone in (("tel:+862488880002", bob), ("tel:+862477770000", alice)):
        stage >> carrier.calls(uri) << carrier.gets(100) << phone.gets("INVITE") >> phone.says(486)
        stage << phone.gets("ACK") << carrier.gets(486) >> carrier.ack_refusal()


# --- user=phone

PHONE = ";user=phone"


@pytest.mark.parametrize("wanted", [True, False], ids=["needs", "refuses"])
def test_the_request_uri_of_an_invite(office: Office, wanted: bool) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    name = office.line(carrier, uri_parameter="user=phone" if wanted else "")
    prefix = office.route(f"line:{name}")
    assert carrier.registered is not None
    assert PHONE not in carrier.registered.encode().decode()
    stage.call(alice, f"{prefix}13900000000", alice.offer()) << carrier.gets("INVITE")
    assert (
        carrier.newest().uri == f"sip:13900000000@{carrier.here.partition(':')[0]}{PHONE if wanted else ''}"
    )
    office.answers(alice, carrier)


def test_the_request_uri_of_a_register(office: Office) -> None:
    carrier = office.carrier()
    office.line(carrier, uri_parameter="user=phone", register_uri_parameter=True)
    assert carrier.registered is not None
    assert carrier.registered.uri.endswith(PHONE)


# --- proxies, and names that differ


def test_a_service_route_is_obeyed(office: Office) -> None:
    """The proxy is not the domain's server, and what stands behind it is the registrar's to say (RFC 3608 §5)."""
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    service_route = "<sip:orig@scscf.ims.example:5062;lr>"
    name = office.line(
        *(carrier,),
        answer={"Service-Route": service_route},
        server="registrar.ims.example:5070",
        proxy=carrier.here,
        domain="ims.example",
    )
    assert carrier.registered is not None
    assert carrier.registered.uri == "sip:ims.example"
    prefix = office.route(f"line:{name}")
    stage.call(alice, f"{prefix}13900000000", alice.offer()) << carrier.gets("INVITE")
    assert carrier.newest().uri == "sip:13900000000@ims.example"
    assert ", ".join(carrier.line_of("Route")) == f"<sip:{carrier.here};lr>, {service_route}"
    office.answers(alice, carrier)


def test_a_service_route_that_begins_with_the_proxy_names_it_once(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    route = f"<sip:{carrier.here};lr>, <sip:orig@scscf.ims.example;lr>"
    name = office.line(carrier, answer={"Service-Route": route}, proxy=carrier.here, domain="ims.example")
    prefix = office.route(f"line:{name}")
    stage.call(alice, f"{prefix}13900000000", alice.offer()) << carrier.gets("INVITE")
    assert ", ".join(carrier.line_of("Route")) == route
    office.answers(alice, carrier)


# --- two carriers as they are


def head(carrier: Carrier) -> list[str]:
    """The request that came last, without what is made up anew for each and what says only what we can do."""
    lines = carrier.newest().encode().decode().partition("\r\n\r\n")[0].split("\r\n")
    made_up = ("Via:", "Call-ID:", "Supported:", "Allow:", "Session-Expires:", "Min-SE:", "Content-")
    return [line.partition(";tag=")[0] for line in lines if not line.startswith(made_up)]


def invited(office: Office, carrier: Carrier, name: str, realm: str) -> list[str]:
    """Call out by the line, prove it, and answer: the head of the second INVITE."""
    stage, alice = office.stage, office.stage.phone()
    prefix = office.route(f"line:{name}")
    carrier.realm = realm
    stage.call(alice, f"{prefix}13900000000", alice.offer()) << carrier.gets("INVITE")
    carrier.has_no_proof()
    stage >> carrier.asks("n1", status=407) << carrier.gets("ACK") << carrier.gets("INVITE")
    carrier.accepts_proof("n1", status=407)
    lines = [line for line in head(carrier) if not line.startswith("Proxy-Authorization:")]
    office.answers(alice, carrier)
    return lines


def test_a_domain_whose_registrar_and_proxy_are_elsewhere(office: Office) -> None:
    """The name to prove oneself with has no plus, the number in From has one."""
    domain = "ims.ln.chinamobile.com"
    carrier = office.carrier()
    name = office.line(
        *(carrier,),
        server=carrier.here,
        proxy=carrier.here,
        domain=domain,
        realm=domain,
        account=NUMBER,
        auth_name=f"862412345678@{domain}",
        uri_parameter="user=phone",
        from_display="Office",
    )
    assert carrier.registered is not None
    us = "{}:{}".format(*office.stage.exchange.sip)
    assert invited(office, carrier, name, domain) == [
        f"INVITE sip:13900000000@{domain};user=phone SIP/2.0",
        f"Route: <sip:{carrier.here};lr>",
        "Max-Forwards: 69",
        f'From: "Office" <sip:{NUMBER}@{domain}>',
        f"To: <sip:13900000000@{domain}>",
        "CSeq: 2 INVITE",
        f"Contact: <sip:{NUMBER}@{us}>",
    ]


def test_a_realm_that_is_an_address(office: Office) -> None:
    """The name to prove oneself with is a whole address, of a domain that is nowhere else."""
    realm, user = "198.51.100.30", f"{NUMBER}@gd.ctcims.cn"
    carrier = office.carrier()
    name = office.line(
        *(carrier,),
        domain="gd.ctcims.cn",
        proxy=carrier.here,
        realm=realm,
        account=NUMBER,
        auth_name=user,
        from_display="Office",
    )
    us = "{}:{}".format(*office.stage.exchange.sip)
    assert invited(office, carrier, name, realm) == [
        "INVITE sip:13900000000@gd.ctcims.cn SIP/2.0",
        f"Route: <sip:{carrier.here};lr>",
        "Max-Forwards: 69",
        f'From: "Office" <sip:{NUMBER}@gd.ctcims.cn>',
        "To: <sip:13900000000@gd.ctcims.cn>",
        "CSeq: 2 INVITE",
        f"Contact: <sip:{NUMBER}@{us}>",
    ]
