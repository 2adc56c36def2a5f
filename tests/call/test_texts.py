"""appliance/call/texts.py: MESSAGE outside of dialogs, from extension to extension and nowhere else.

RFC 3428 §4 (a user agent client), §5 (in between), §7 (a server), §8 (congestion).
"""

from __future__ import annotations

import msgspec
import pytest

from appliance.call import texts
from appliance.call.exchange import Directory
from appliance.call.texts import MAX_TEXT, Texts
from appliance.config.extension import Extension
from appliance.sip.message import Request, Response
from appliance.sip.transport.flow import Flow, TransportError
from tests.call.outside_world import OutsideWorld, line, route, trunk
from tests.call.playbook import EXCHANGE, Phone, Playbook, Sends


@pytest.fixture
def served(book: Playbook) -> Texts:
    return Texts(book.exchange, Directory(book.extensions.get, book, book))


def message(phone: Phone, number: str, body: bytes = b"Hello", **headers: str) -> Sends:
    """A text in a dialog of none."""
    phone.invite(number)
    fields = {"Content_Type": "text/plain"} | headers if body else headers
    sends = phone.ask("MESSAGE", body, **fields)
    request = sends.message
    assert isinstance(request, Request)
    request.headers.remove("Contact")
    for name, value in headers.items():
        request.headers.set(name.replace("_", "-"), value)
    return sends


def over(book: Playbook, served: Texts, carried: int, refused: int) -> None:
    """Nothing is left, and so many were counted."""
    book.ends()
    assert (served.carried, served.refused, served._pending) == (carried, refused, 0)


def test_from_extension_to_extension(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    (
        book
        >> message(alice, "102", "Grüße".encode(), Subject="lunch", Expires="60")
        << bob.gets(
            "MESSAGE",
            "MESSAGE sip:102@198.51.100.7:5061 SIP/2.0",
            'From: "Alice A." <sip:101@192.0.2.1>;tag=',
            "To: <sip:102@192.0.2.1>\r\n",
            "Max-Forwards: 69",
            "Content-Type: text/plain",
            "Subject: lunch",
            "Expires: 60",
            lacks=("Contact:", "198.51.100.7:5060", alice.call_id),
        )
    )
    assert bob.body == "Grüße".encode()
    book.quiet() >> bob.ok() << alice.gets(200, lacks=("Contact:",))
    over(book, served, 1, 0)


def test_only_who_has_proved_it_is_named(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book >> message(alice, "102", Authorization="none") << alice.gets(401, "WWW-Authenticate")
    book >> message(alice, "102", Authorization="102") << alice.gets(403)
    stated = {"P_Asserted_Identity": "<sip:boss@x>", "P_Preferred_Identity": "<sip:boss@x>"}
    (
        book
        >> message(alice, "102", b"Hello", Authorization="101", **stated)
        << bob.gets("MESSAGE", lacks=("boss", "Authorization"))
    )
    book >> bob.ok() << alice.gets(200)
    # Whoever has proved nothing is not counted.
    over(book, served, 1, 1)


@pytest.mark.parametrize(
    "kind", ["application/im-iscomposing+xml", "message/cpim", "image/gif", "TEXT/html;charset=utf-8"]
)
def test_any_content_passes_as_it_is(
    book: Playbook, served: Texts, alice: Phone, bob: Phone, kind: str
) -> None:
    book >> message(alice, "102", b"\x00\x7f<x/>", Content_Type=kind) << bob.gets("MESSAGE")
    assert isinstance(bob.last, Request)
    assert (bob.last.headers.get("Content-Type"), bob.body) == (kind, b"\x00\x7f<x/>")
    book >> bob.ok() << alice.gets(200)


def test_a_text_of_nothing(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book >> message(alice, "102", b"") << bob.gets("MESSAGE", lacks=("Content-Type",)) >> bob.ok()
    book << alice.gets(200)


def test_all_phones_get_it_and_one_is_enough(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    desk = book.phone("102")
    book >> message(alice, "102") << bob.gets("MESSAGE") << desk.gets("MESSAGE")
    book >> desk.ok(480) >> bob.ok(202) << alice.gets(200)
    over(book, served, 1, 0)


def test_a_second_phone_that_takes_it_says_nothing_new(
    book: Playbook, served: Texts, alice: Phone, bob: Phone
) -> None:
    desk = book.phone("102")
    book >> message(alice, "102") << bob.gets("MESSAGE") << desk.gets("MESSAGE")
    book >> bob.ok() << alice.gets(200) >> desk.ok()
    over(book, served, 1, 0)


@pytest.mark.parametrize(
    ("answers", "heard"),
    [
        ((486,), 486),
        ((405,), 501),
        ((404,), 480),
        ((401,), 480),
        ((302,), 480),
        ((503,), 480),
        ((480, 415), 415),
        ((415, 480), 415),
        ((486, 603), 603),
    ],
)
def test_what_phones_refuse(
    book: Playbook, served: Texts, alice: Phone, bob: Phone, answers: tuple[int, ...], heard: int
) -> None:
    phones = [bob, *(book.phone("102") for _ in answers[1:])]
    book >> message(alice, "102")
    for phone in phones:
        book << phone.gets("MESSAGE")
    for phone, status in zip(phones, answers, strict=True):
        book >> phone.ok(status, Accept="text/plain", WWW_Authenticate="Digest x")
    book << alice.gets(heard, lacks=("WWW-Authenticate",))
    assert isinstance(alice.last, Response)
    assert (alice.last.headers.get("Accept") is None) == (heard in {480, 501})
    over(book, served, 0, 1)


def test_nobody_answers(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book >> message(alice, "102") << bob.gets("MESSAGE")
    book.waits(32)
    _, last = book.wiretap.sent[-1]
    assert isinstance(last, Response)
    assert last.status == 480  # RFC 4320 §4.2: there is no 408 to what is no INVITE
    book.wiretap.sent.clear()
    over(book, served, 0, 1)


def test_a_phone_whose_way_is_gone(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book.wiretap.dead.add(bob.address)
    book >> message(alice, "102")
    book.waits(0) << alice.gets(480)
    over(book, served, 0, 1)


@pytest.mark.parametrize(("number", "status"), [("999", 404), ("104", 404), ("105", 480), ("00491234", 404)])
def test_where_there_is_nobody(book: Playbook, served: Texts, alice: Phone, number: str, status: int) -> None:
    book.extensions["104"] = Extension(number="104", ha1_md5="", ha1_sha256="", enabled=False)
    book.extensions["105"] = Extension(number="105", ha1_md5="", ha1_sha256="")
    book >> message(alice, number) << alice.gets(status)
    over(book, served, 0, 1)


def test_one_s_own_number_means_one_s_other_phones(book: Playbook, served: Texts, alice: Phone) -> None:
    book >> message(alice, "101") << alice.gets(480)
    mobile = book.phone("101")
    book >> message(alice, "101") << mobile.gets("MESSAGE") >> mobile.ok() << alice.gets(200)
    over(book, served, 1, 1)


def test_what_goes_in_circles_ends(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book >> message(alice, "102", Max_Forwards="0") << alice.gets(483)
    book >> message(alice, "102", Max_Forwards="1") << bob.gets("MESSAGE", "Max-Forwards: 0")
    book >> bob.ok() << alice.gets(200)


def test_too_long_for_anybody(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    book >> message(alice, "102", b"x" * (MAX_TEXT + 1)) << alice.gets(413)
    over(book, served, 0, 1)


def test_a_long_one_goes_by_tcp_or_not_at_all(
    book: Playbook, served: Texts, alice: Phone, bob: Phone
) -> None:
    """§8: more than 1,300 octets MUST NOT go where nothing minds congestion."""
    for length, transport in ((600, "udp"), (1200, "tcp")):
        book >> message(alice, "102", b"x" * length)
        ((flow, _),) = book.wiretap.sent
        assert flow.transport == transport
        book << bob.gets("MESSAGE", f"Via: SIP/2.0/{transport.upper()}")
        assert isinstance(bob.asked, Request)
        book.endpoint.receive_message(bob.asked.respond(200), flow)
        book << alice.gets(200)
    # A phone that takes no TCP.
    book.wiretap.dead.add(bob.address)
    book >> message(alice, "102", b"x" * 1200)
    book.waits(0) << alice.gets(413)
    over(book, served, 2, 1)


def test_a_long_one_where_there_is_no_tcp(
    book: Playbook, served: Texts, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flow_to(*_: object) -> Flow:
        raise TransportError("nothing here serves TCP")

    monkeypatch.setattr(book.wiretap, "flow_to", flow_to)
    book >> message(alice, "102", b"x" * 1200) << alice.gets(413)
    over(book, served, 0, 1)


def test_a_long_one_over_a_connection(book: Playbook, served: Texts, alice: Phone, bob: Phone) -> None:
    flow = Flow("tls", EXCHANGE, bob.address, 7)
    book.bindings["102"] = [msgspec.structs.replace(each, flow=flow) for each in book.bindings["102"]]
    book >> message(alice, "102", b"x" * 9000) << bob.gets("MESSAGE", "Via: SIP/2.0/TLS")
    assert isinstance(bob.asked, Request)
    book.endpoint.receive_message(bob.asked.respond(200), flow)
    book << alice.gets(200)
    over(book, served, 1, 0)


def test_too_many_at_once(
    book: Playbook, served: Texts, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MAX_PENDING", 1)
    book >> message(alice, "102") << bob.gets("MESSAGE")
    first = bob.asked
    book >> message(alice, "102") << alice.gets(503, "Retry-After: 10")
    assert first is bob.asked
    book >> bob.ok() << alice.gets(200)
    book >> message(alice, "102") << bob.gets("MESSAGE") >> bob.ok() << alice.gets(200)
    over(book, served, 2, 1)


@pytest.mark.parametrize("kind", ["line", "trunk"])
def test_lines_and_trunks_carry_no_texts(
    book: Playbook, served: Texts, alice: Phone, bob: Phone, kind: str
) -> None:
    world = OutsideWorld(book)
    if kind == "line":
        peer = world.line(line("a"))
    else:
        (peer,) = world.trunk(trunk("a"), ("203.0.113.9", 5060))
    world.routes(route(f"{kind}:a"))
    book >> message(peer, "102") << peer.gets(403)
    # Nor the other way.
    book >> message(alice, "0049301234") << alice.gets(404)
    over(book, served, 0, 1)
