"""A call to one phone of an extension: RFC 5627 §5.4."""

from __future__ import annotations

import msgspec
import pytest

from appliance.call.exchange import Directory, Exchange
from appliance.errors import PeerError
from appliance.sip.message import Params, Request, Uri
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook, Sends

DESK, CELL = "urn:uuid:desk", "urn:uuid:cell"


class Gruus:
    """Knows one temporary GRUU."""

    def meant_by(self, uri: Uri) -> tuple[str, str] | None:
        if "gr" not in uri.params:
            return None
        if uri.params["gr"]:
            return uri.number or "", uri.params["gr"]
        if uri.user == "tgruu.cell":
            return "102", CELL
        raise PeerError(404, "Not Found")


@pytest.fixture
def book() -> Playbook:
    book = Playbook()
    directory = Directory(book.extensions.get, book, book, Gruus())
    exchange = Exchange(book.exchange.wire, directory, lambda: book.timers.time)
    exchange.on_record = book.records.append
    book.exchange = exchange
    return book


@pytest.fixture
def cell(book: Playbook, bob: Phone) -> Phone:
    """The second phone of 102; each says its name."""
    cell = book.phone("102")
    named = zip(book.bindings["102"], (DESK, CELL), strict=True)
    book.bindings["102"] = [
        msgspec.structs.replace(binding, params=Params({"+sip.instance": f'"<{name}>"'}))
        for binding, name in named
    ]
    return cell


def dials(phone: Phone, uri: str) -> Sends:
    step = phone.invite("102", OFFER)
    assert isinstance(step.message, Request)
    step.message.uri = uri
    return step


@pytest.mark.parametrize("uri", [f"sip:102@192.0.2.1;gr={CELL}", "sip:tgruu.cell@192.0.2.1;gr"])
def test_that_one_phone_rings(book: Playbook, alice: Phone, cell: Phone, uri: str) -> None:
    (
        book
        >> dials(alice, uri)
        << cell.gets("INVITE", f"INVITE sip:102@{cell.address[0]}:{cell.address[1]} SIP/2.0")
    )
    book << alice.gets(100) >> cell.says(200, ANSWER) << cell.gets("ACK") << alice.gets(200) >> alice.ack()
    book >> alice.bye() << alice.gets(200) << cell.gets("BYE") >> cell.ok()
    assert book.records[0].to_number == "102"
    book.ends("normal")


@pytest.mark.parametrize(
    ("uri", "status", "cause"),
    [
        ("sip:102@192.0.2.1;gr=urn:uuid:gone", 480, "not_registered"),
        ("sip:999@192.0.2.1;gr=urn:uuid:cell", 404, "not_found"),
        ("sip:tgruu.old@192.0.2.1;gr", 404, "not_found"),
    ],
)
def test_nobody_else_does(
    book: Playbook, alice: Phone, cell: Phone, uri: str, status: int, cause: str
) -> None:
    book >> dials(alice, uri) << alice.gets(status) >> alice.ack_refusal()
    book.ends(cause)


def test_from_one_phone_of_an_extension_to_another(book: Playbook, bob: Phone, cell: Phone) -> None:
    (
        book
        >> dials(bob, f"sip:102@192.0.2.1;gr={CELL}")
        << cell.gets("INVITE")
        << bob.gets(100)
        >> cell.says(486)
        << cell.gets("ACK")
    )
    book << bob.gets(486) >> bob.ack_refusal()
    book >> bob.invite("102", OFFER) << bob.gets(486) >> bob.ack_refusal()
    book.ends("busy", "busy")


def test_whom_a_uri_means(book: Playbook) -> None:
    assert book.exchange.meant_by("sip:102@192.0.2.1") == ("102", "")
    assert book.exchange.meant_by("tel:+49-30-1") == ("+49301", "")
    assert book.exchange.meant_by("sip:tgruu.cell@192.0.2.1;gr") == ("102", CELL)
    assert Playbook().exchange.meant_by(f"sip:102@192.0.2.1;gr={CELL}") == ("102", "")
