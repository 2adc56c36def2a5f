"""REGISTER. RFC 3261 §10.3."""

from __future__ import annotations

from typing import cast

import pytest

from appliance.directory import Bindings, Registrar
from appliance.errors import PeerError
from appliance.sip.endpoint import ServerTransaction
from appliance.sip.message import Request, Response
from appliance.sip.transport.flow import Flow
from tests.directory.fakes import HOME, FakeTransaction, HandClock, Phone, credentials

CONTACT = "<sip:101@192.0.2.21>"


class Office:
    """A registrar and one phone."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.bindings = Bindings(self.clock)
        self.proof = credentials(self.clock)
        self.registrar = Registrar(self.clock, self.proof, self.bindings, lambda: 1_700_000_000.0)
        self.phone = Phone()

    def send(self, request: Request, flow: Flow = HOME) -> Response:
        transaction = FakeTransaction(request, flow)
        self.registrar.receive(cast("ServerTransaction", transaction))
        assert transaction.response is not None
        return transaction.response

    def register(self, *headers: tuple[str, str], flow: Flow = HOME, via: str = "", to: str = "") -> Response:
        challenge = self.phone.challenges(self.proof)[0]
        request = self.phone.answer(challenge, self.phone.request(*headers, to=to))
        if via:
            request.headers.set("Via", via)
        request.source = flow.remote
        return self.send(request, flow)

    def refused(self, *headers: tuple[str, str], to: str = "") -> PeerError:
        with pytest.raises(PeerError) as refusal:
            self.register(*headers, to=to)
        return refusal.value

    def contacts(self) -> list[str]:
        return [str(binding.contact) for binding in self.bindings.lookup("101")]


@pytest.fixture
def office() -> Office:
    return Office()


def test_without_credentials(office: Office) -> None:
    with pytest.raises(PeerError) as refusal:
        office.send(office.phone.request(("Contact", CONTACT)))
    assert refusal.value.status == 401
    assert office.contacts() == []


def test_one_contact(office: Office) -> None:
    response = office.register(("Contact", CONTACT), ("Expires", "600"))
    assert response.status == 200
    assert response.headers.get_all("Contact") == [CONTACT + ";expires=600"]
    assert response.headers.get("Date") == "Tue, 14 Nov 2023 22:13:20 GMT"
    (binding,) = office.bindings.lookup("101")
    assert (binding.user_agent, binding.call_id, binding.flow) == ("Phone/1", "101@phone", HOME)
    assert (binding.granted, binding.registered_at) == (600, 1_700_000_000.0)


def test_several_with_q_in_one_line_and_in_many(office: Office) -> None:
    response = office.register(
        ("Contact", '"a, b" <sip:1@a>;q=0.7;expires=900, <sip:2@a;x?h=v>;Q=1.0'),
        ("m", 'sip:3@a;+sip.instance="<urn:1>";q=.5'.replace("q=.5", "q=0.5")),
    )
    assert response.headers.get_all("Contact") == [
        "<sip:2@a;x?h=v>;expires=3600",
        "<sip:1@a>;q=0.7;expires=900",
        '<sip:3@a>;q=0.5;expires=3600;+sip.instance="<urn:1>"',
    ]


def test_header_parameters_do_not_become_the_uris_nor_the_other_way_round(office: Office) -> None:
    response = office.register(("Contact", "sip:1@a;unknown"), ("Contact", "<sip:2@a;unknown>"))
    assert sorted(response.headers.get_all("Contact")) == [
        "<sip:1@a>;expires=3600;unknown",
        "<sip:2@a;unknown>;expires=3600",
    ]


def test_a_query_changes_nothing(office: Office) -> None:
    office.register(("Contact", CONTACT))
    office.clock.advance(100)
    assert office.register().headers.get_all("Contact") == [CONTACT + ";expires=3500"]


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([("Contact", CONTACT)], 3600),
        ([("Contact", CONTACT), ("Expires", "100")], 100),
        ([("Contact", CONTACT + ";expires=200"), ("Expires", "100")], 200),
        ([("Contact", CONTACT), ("Expires", "soon")], 3600),
        ([("Contact", CONTACT + ";expires=soon"), ("Expires", "100")], 3600),
        ([("Contact", CONTACT + ";expires"), ("Expires", "100")], 100),
        ([("Contact", CONTACT + ";expires=99999")], 7200),
        ([("Contact", CONTACT + ";expires=" + "9" * 500)], 7200),
        ([("Contact", CONTACT), ("Expires", "1" * 5000)], 7200),
        ([("Contact", CONTACT + ";expires=60")], 60),
    ],
)  # fmt: skip
def test_how_long(office: Office, headers: list[tuple[str, str]], granted: int) -> None:
    assert office.register(*headers).headers.get("Contact") == f"{CONTACT};expires={granted}"


@pytest.mark.parametrize(
    "headers", [[("Contact", CONTACT + ";expires=59")], [("Contact", CONTACT), ("Expires", "1")]]
)
def test_too_short(office: Office, headers: list[tuple[str, str]]) -> None:
    refusal = office.refused(*headers)
    assert (refusal.status, refusal.headers) == (423, (("Min-Expires", "60"),))
    assert office.contacts() == []


def test_removing_one_and_all(office: Office) -> None:
    office.register(("Contact", "<sip:1@a>, <sip:2@a>, <sip:3@a>"))
    office.register(("Contact", "<sip:2@a>;expires=0"))
    assert sorted(office.contacts()) == ["sip:1@a", "sip:3@a"]
    office.register(("Contact", "<sip:1@a>"), ("Expires", "0"))
    assert office.contacts() == ["sip:3@a"]
    response = office.register(("Contact", "*"), ("Expires", "0"))
    assert response.headers.get_all("Contact") == []
    assert office.contacts() == []


@pytest.mark.parametrize(
    "headers",
    [
        [("Contact", "*")], [("Contact", "*"), ("Expires", "60")], [("Contact", "*, <sip:1@a>"), ("Expires", "0")],
        [("Contact", "*"), ("Contact", "<sip:1@a>"), ("Expires", "0")],
    ],
)  # fmt: skip
def test_a_star_stands_alone_with_expires_0(office: Office, headers: list[tuple[str, str]]) -> None:
    office.register(("Contact", CONTACT))
    assert office.refused(*headers).status == 400
    assert office.contacts() == ["sip:101@192.0.2.21"]


@pytest.mark.parametrize(
    "contact",
    [
        "sip:1@a?Route=%3Csip:x%3E", "<name:John_Smith>", "<tel:+1>", '"open <sip:1@a>', "<sip:1@a>;q=2", "<sip:1@a>;q=high", "<sip:1@a>;;",
        "<sip:1@a>, <sip:2@a>;q=-1", "<sip:\udcff@a>", "<sip:1@a>;x=\udcff",
    ],
)  # fmt: skip
def test_contacts_that_cannot_be(office: Office, contact: str) -> None:
    assert office.refused(("Contact", contact)).status == 400
    assert office.contacts() == []


def test_too_many_contacts(office: Office) -> None:
    many = ", ".join(f"<sip:{i}@a>" for i in range(11))
    assert office.refused(("Contact", many)).status == 403


def test_a_contact_longer_than_any_phones(office: Office) -> None:
    assert office.refused(("Contact", f"<sip:{'1' * 3000}@a>")).status == 403


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("<sip:102@192.0.2.10>", 403),
        ("<sip:192.0.2.10>", 403),
        ("<isbn:2983792873>", 400),
        ("<tel:101>", 400),
    ],
)
def test_only_for_oneself(office: Office, to: str, status: int) -> None:
    assert office.refused(("Contact", CONTACT), to=to).status == status
    assert len(office.bindings) == 0


def test_whatever_the_domain(office: Office) -> None:
    assert office.register(("Contact", CONTACT), to="<sips:%3101@pbx.office.example>").status == 200


def test_extensions_that_are_required(office: Office) -> None:
    refusal = office.refused(("Require", "outbound, gruu, path, mystery"))
    assert (refusal.status, refusal.headers) == (420, (("Unsupported", "mystery"),))


def test_an_old_request_changes_nothing(office: Office) -> None:
    office.register(("Contact", CONTACT))
    office.phone.cseq -= 2
    assert office.refused(("Contact", CONTACT + ";expires=0")).status == 500
    assert office.contacts() == ["sip:101@192.0.2.21"]


PORT = Flow("udp", ("192.0.2.10", 5060), ("192.0.2.21", 40000))
TCP = Flow("tcp", ("192.0.2.10", 5060), ("192.0.2.21", 40000), 3)
MOBILE = "<sip:101@192.0.2.77:5070>"


@pytest.mark.parametrize(
    ("via", "contact", "flow", "remote"),
    [
        # No NAT between: the Contact says where the phone listens.
        ("192.0.2.21:40000", MOBILE, PORT, ("192.0.2.77", 5070)),
        ("192.0.2.21:40000", "<sip:101@192.0.2.77>", PORT, ("192.0.2.77", 5060)),
        ("192.0.2.21:40000;rport=40000;received=192.0.2.21", MOBILE, PORT, ("192.0.2.77", 5070)),
        # A NAT between: back the way it came.
        ("10.0.0.5:5060;rport=40000;received=192.0.2.21", "<sip:101@10.0.0.5>", PORT, ("192.0.2.21", 40000)),
        ("192.0.2.21:5060;rport=40000;received=192.0.2.21", "<sip:101@192.0.2.21>", PORT, ("192.0.2.21", 40000)),
        ("10.0.0.5:5060;received=192.0.2.21", "<sip:101@10.0.0.5>", HOME, HOME.remote),
        # A Contact that names no address, or none to send to.
        ("192.0.2.21:40000", "<sip:101@phone.office>", PORT, PORT.remote),
        ("192.0.2.21:40000", "<sip:101@224.0.1.75>", PORT, PORT.remote),
        ("192.0.2.21:40000", "<sip:101@0.0.0.0>", PORT, PORT.remote),
        ("192.0.2.21:40000", "<sip:101@192.0.2.77:0>", PORT, PORT.remote),
        ("192.0.2.21:40000", "<sip:101@192.0.2.77;transport=TCP>", PORT, PORT.remote),
        ("192.0.2.21:40000", "<sip:101@[2001:db8::1]>", PORT, PORT.remote),
        # A connection is the way back, whatever is written anywhere.
        ("192.0.2.21:40000", MOBILE, TCP, TCP.remote),
    ],
)  # fmt: skip
def test_the_way_to_the_phone(
    office: Office, via: str, contact: str, flow: Flow, remote: tuple[str, int]
) -> None:
    office.register(("Contact", contact), flow=flow, via=f"SIP/2.0/UDP {via};branch=z9hG4bK1")
    (binding,) = office.bindings.lookup("101")
    assert binding.flow.remote == remote
    assert (binding.flow.local, binding.flow.connection) == (flow.local, flow.connection)
    assert f"<{binding.contact}>" == contact


def test_a_user_agent_is_cut_and_mended(office: Office) -> None:
    office.phone.agent = "\udcff" + "x" * 1000
    office.register(("Contact", CONTACT))
    assert office.bindings.lookup("101")[0].user_agent == "?" + "x" * 127


# RFC 3327: the proxies on the way.

PATH = ("<sip:p1.example;lr;ob>", "<sip:192.0.2.80:5070;lr>, <sip:edge.example;lr;ob>;x=y")


def test_the_way_a_request_came_is_the_way_to_the_phone(office: Office) -> None:
    response = office.register(("Contact", CONTACT), *(("Path", line) for line in PATH))
    assert response.headers.get_all("Path") == list(PATH)
    (binding,) = office.bindings.lookup("101")
    assert binding.path == "<sip:p1.example;lr;ob>, <sip:192.0.2.80:5070;lr>, <sip:edge.example;lr;ob>"
    assert binding.flow == HOME
    office.register(("Contact", CONTACT))
    assert office.bindings.lookup("101")[0].path == "", "a refresh without proxies"


def test_a_request_through_a_proxy_goes_to_the_proxys_own_address(office: Office) -> None:
    via = "SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK1"
    office.register(("Contact", MOBILE), ("Path", "<sip:192.0.2.80:5070;lr>"), via=via)
    assert office.bindings.lookup("101")[0].flow.remote == ("192.0.2.80", 5070)


def test_a_path_that_cannot_be(office: Office) -> None:
    assert office.refused(("Contact", CONTACT), ("Path", "<sip:p")).status == 400
    assert office.refused(("Contact", CONTACT), ("Path", f"<sip:{'p' * 2100};lr>")).status == 403
    assert office.contacts() == []


# RFC 5626: a phone's own flows.

FLOW = CONTACT + ';+sip.instance="<urn:uuid:1>";reg-id={}'
OUTBOUND = ("Supported", "path, outbound")


def test_each_flow_of_a_phone_is_a_binding(office: Office) -> None:
    for reg_id in (1, 2):
        flow = Flow("tcp", HOME.local, ("192.0.2.21", 40000 + reg_id), reg_id)
        office.clock.advance(1)
        response = office.register(("Contact", FLOW.format(reg_id)), OUTBOUND, flow=flow)
        assert response.headers.get("Require") == "outbound"
        assert response.headers.get("Flow-Timer") == "120"
    assert [each.flow.connection for each in office.bindings.lookup("101")] == [2, 1]
    assert [each.flow.connection for each in office.bindings.targets("101")] == [2], "it rings once"
    office.phone.call_id = "after a restart"
    office.register(("Contact", FLOW.format(1).replace("192.0.2.21", "192.0.2.99")), OUTBOUND)
    assert len(office.bindings) == 2
    office.register(("Contact", FLOW.format(2) + ";expires=0"), OUTBOUND)
    assert office.contacts() == ["sip:101@192.0.2.99"]


@pytest.mark.parametrize(
    ("contact", "headers"),
    [
        (FLOW.format(1), ()),
        (CONTACT + ";reg-id=1", (OUTBOUND,)),
        (FLOW.format(0), (OUTBOUND,)),
        (FLOW.format("x"), (OUTBOUND,)),
        (FLOW.format(2**31), (OUTBOUND,)),
    ],
)  # fmt: skip
def test_what_is_no_flow_is_a_contact_like_any_other(
    office: Office, contact: str, headers: tuple[tuple[str, str], ...]
) -> None:
    response = office.register(("Contact", contact), *headers)
    assert response.status == 200
    assert "Require" not in response.headers
    assert "reg-id" not in (response.headers.get("Contact") or "")
    office.register(("Contact", contact.replace("reg-id=1", "reg-id=2")), *headers)
    assert len(office.bindings) == 1


def test_one_flow_at_a_time(office: Office) -> None:
    two = f"{FLOW.format(1)}, <sip:other@a>"
    assert office.refused(("Contact", two), OUTBOUND).status == 400
    assert office.register(("Contact", f"{two};expires=0"), OUTBOUND).status == 200
    assert office.register(("Contact", two), ("Expires", "0"), OUTBOUND).status == 200, "all at once go"
    assert len(office.bindings) == 0


TWO_VIAS = "SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK2, SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1"


def test_flows_end_at_the_first_hop(office: Office) -> None:
    contact = ("Contact", FLOW.format(1))
    for path in ((), (("Path", "<sip:p1.example;lr;ob>, <sip:edge.example;lr>"),)):
        with pytest.raises(PeerError) as refusal:
            office.register(contact, OUTBOUND, *path, via=TWO_VIAS)
        assert refusal.value.status == 439
        assert office.register(contact, *path, via=TWO_VIAS).status == 200, "it did not ask for flows"
    through = office.register(contact, OUTBOUND, ("Path", PATH[1]), via=TWO_VIAS)
    assert through.headers.get("Require") == "outbound"
