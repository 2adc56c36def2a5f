"""Dialogs: RFC 3261 §12, each rule under its section."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog import Dialog
from appliance.sip.message import Headers, Request, Response

CONTACT = "<sip:us@192.0.2.1:5060>"


def invite(*more: tuple[str, str], **changed: str) -> Request:
    fields = {
        "From": '"A" <sip:a@example.org>;tag=their',
        "To": "<sip:b@example.org>",
        "Call-ID": "call",
        "CSeq": "7 INVITE",
        "Contact": "<sip:a@198.51.100.1:5070;x=y>",
    }
    fields |= changed
    return Request("INVITE", "sip:b@example.org", Headers([*fields.items(), *more]))


def answer(status: int, *more: tuple[str, str], to_tag: str = "ours", contact: str | None = None) -> Response:
    headers = [*more]
    if contact != "":
        headers.append(("Contact", contact or "<sip:b@198.51.100.2>"))
    return invite().respond(status, to_tag=to_tag, headers=headers)


def fields(request: Request) -> dict[str, str]:
    return {
        name: request.headers.get(name) or "" for name in ("From", "To", "Call-ID", "CSeq", "Max-Forwards")
    }


def test_as_uas() -> None:
    # §12.1.1: the route set is the Record-Route in order, the remote target the Contact, the remote sequence
    # number the CSeq; the local one is empty.
    request = invite(("Record-Route", "<sip:p2;lr>, <sip:p1;lr>"), ("Record-Route", "<sip:p0;lr;a=b>"))
    dialog = Dialog.of_uas(request, "ours", CONTACT)
    assert dialog.id == ("call", "ours", "their")
    assert (dialog.remote_seq, dialog.local_seq, dialog.confirmed) == (7, None, False)
    bye = dialog.make_request("BYE")
    assert bye.uri == "sip:a@198.51.100.1:5070;x=y"
    assert bye.headers.get_all("Route") == ["<sip:p2;lr>", "<sip:p1;lr>", "<sip:p0;lr;a=b>"]
    assert fields(bye) == {
        "From": "<sip:b@example.org>;tag=ours",
        "To": '"A" <sip:a@example.org>;tag=their',
        "Call-ID": "call",
        "CSeq": "1 BYE",
        "Max-Forwards": "70",
    }
    assert "Contact" not in bye.headers
    dialog.confirm()
    assert dialog.confirmed


def test_as_uas_a_contact_is_needed() -> None:
    request = invite()
    request.headers.remove("Contact")
    with pytest.raises(PeerError) as refusal:
        Dialog.of_uas(request, "ours", CONTACT)
    assert refusal.value.status == 400


def test_as_uas_of_an_old_client_without_a_tag() -> None:
    # §12.1.1: the remote tag is null.
    dialog = Dialog.of_uas(invite(From="<sip:a@example.org>"), "ours", CONTACT)
    assert dialog.id == ("call", "ours", "")


def test_as_uac_early_then_confirmed() -> None:
    # §12.1.2: the route set is the Record-Route of the response, reversed.
    early = answer(180, ("Record-Route", "<sip:p0;lr>, <sip:p1;lr>"))
    dialog = Dialog.of_uac(invite(), early)
    assert dialog.id == ("call", "their", "ours")
    assert (dialog.confirmed, dialog.local_seq, dialog.remote_seq) == (False, 7, None)
    assert dialog.make_request("INFO").headers.get_all("Route") == ["<sip:p1;lr>", "<sip:p0;lr>"]
    # §13.2.2.4: the 2xx computes the route set anew.
    dialog.confirm(answer(200, ("Record-Route", "<sip:p9;lr>"), contact="<sip:b@198.51.100.9>"))
    bye = dialog.make_request("BYE")
    assert (dialog.confirmed, bye.uri) == (True, "sip:b@198.51.100.9")
    assert bye.headers.get_all("Route") == ["<sip:p9;lr>"]
    assert bye.cseq.number == 9
    # A later 2xx changes no route set any more.
    dialog.confirm(answer(200, ("Record-Route", "<sip:p8;lr>")))
    assert dialog.make_request("BYE").headers.get_all("Route") == ["<sip:p9;lr>"]


def test_as_uac_by_a_2xx_alone() -> None:
    dialog = Dialog.of_uac(invite(), answer(200))
    assert (dialog.confirmed, dialog.target) == (True, "sip:b@198.51.100.2")


def test_several_early_dialogs_of_one_invite() -> None:
    request = invite()
    one = Dialog.of_uac(request, answer(180, to_tag="one"))
    two = Dialog.of_uac(request, answer(183, to_tag="two"))
    assert {one.id, two.id} == {("call", "their", "one"), ("call", "their", "two")}


def test_a_response_without_contact_leaves_the_target_of_the_invite() -> None:
    request = invite()
    request.headers.remove("Contact")
    early = request.respond(180)
    early.headers.set("To", "<sip:b@example.org>")
    dialog = Dialog.of_uac(request, early)
    assert (dialog.target, dialog.remote_tag, dialog.contact) == ("sip:b@example.org", "", "")


def test_strict_router() -> None:
    # §12.2.1.1: its URI is the Request-URI, and the remote target goes to the end of Route.
    request = invite(("Record-Route", "<sip:strict@p2>, <sip:p1;lr>"))
    bye = Dialog.of_uas(request, "ours", CONTACT).make_request("BYE")
    assert bye.uri == "sip:strict@p2"
    assert bye.headers.get_all("Route") == ["<sip:p1;lr>", "<sip:a@198.51.100.1:5070;x=y>"]


def test_sequence_numbers_of_requests() -> None:
    dialog = Dialog.of_uac(invite(), answer(200))
    # §13.2.2.4: the ACK has the number of its INVITE; every other request the next one.
    assert [dialog.make_request("INVITE").cseq.number, dialog.make_request("INFO").cseq.number] == [8, 9]
    assert dialog.make_request("ACK", invite_seq=8).headers.get("CSeq") == "8 ACK"
    assert dialog.make_request("BYE").cseq.number == 10
    with pytest.raises(LocalError):
        dialog.make_request("ACK")


def test_target_refresh_requests_carry_a_contact() -> None:
    dialog = Dialog.of_uas(invite(), "ours", CONTACT)
    assert dialog.make_request("INVITE").headers.get("Contact") == CONTACT
    assert dialog.make_request("UPDATE", headers=[("X", "1")], body=b"x").body == b"x"


def within(method: str, number: int, contact: str | None = None) -> Request:
    headers = Headers([("CSeq", f"{number} {method}")])
    if contact:
        headers.add("Contact", contact)
    return Request(method, "sip:us@192.0.2.1", headers)


def test_requests_received_in_order() -> None:
    dialog = Dialog.of_uas(invite(), "ours", CONTACT)
    dialog.receive_request(within("INFO", 8, "<sip:nowhere@x>"))
    assert dialog.target == "sip:a@198.51.100.1:5070;x=y"  # INFO is no target refresh request
    dialog.receive_request(within("UPDATE", 20, "<sip:a@198.51.100.1:6000>"))
    for number in (19, 20):
        with pytest.raises(PeerError) as refusal:
            dialog.receive_request(within("INFO", number))
        assert refusal.value.status == 500


def test_the_target_is_refreshed_by_what_is_accepted() -> None:
    dialog = Dialog.of_uas(invite(), "ours", CONTACT)
    update = within("UPDATE", 20, "<sip:a@198.51.100.1:6000>")
    dialog.receive_request(update)
    assert dialog.target == "sip:a@198.51.100.1:5070;x=y"  # RFC 6141 §4: it may still be refused
    dialog.refresh_target(update)
    assert dialog.target == "sip:a@198.51.100.1:6000"  # §12.2.2
    dialog.refresh_target(within("INVITE", 21))
    assert dialog.target == "sip:a@198.51.100.1:6000"
    with pytest.raises(PeerError, match="400"):
        dialog.receive_request(within("INVITE", 22, "nobody"))


def test_a_contact_that_cannot_be_read() -> None:
    dialog = Dialog.of_uac(invite(), answer(200))
    before = dialog.target
    # A request is refused; a response cannot be, and the target stays.
    with pytest.raises(PeerError) as refusal:
        dialog.receive_request(within("INVITE", 1, "<sip:"))
    assert (refusal.value.status, dialog.target) == (400, before)
    with pytest.raises(PeerError):
        dialog.refresh_target(within("INVITE", 2, "<sip:"))
    dialog.refresh_target(answer(200, contact="<sip:"))
    assert dialog.target == before


def test_a_request_that_goes_out_once_more_has_the_next_number() -> None:
    dialog = Dialog.of_uac(invite(), answer(200))
    bye = dialog.make_request("BYE")
    dialog.make_request("INFO")
    dialog.renumber(bye)
    assert (bye.cseq.number, bye.cseq.method) == (dialog.local_seq, "BYE")


def test_the_first_request_of_the_peer_may_have_any_number() -> None:
    # §12.2.2: an empty remote sequence number is set by the first request.
    dialog = Dialog.of_uac(invite(), answer(200))
    dialog.receive_request(within("BYE", 4_000))
    assert dialog.remote_seq == 4_000


@given(st.lists(st.sampled_from(["INVITE", "INFO", "UPDATE", "BYE"]), max_size=30))
def test_two_sides_agree(methods: list[str]) -> None:
    """What one side makes, the other takes: same dialog, always in order, whoever sends."""
    request = invite()
    callee = Dialog.of_uas(request, "ours", "<sip:b@198.51.100.2>")
    caller = Dialog.of_uac(request, answer(200))
    assert (caller.call_id, caller.remote_tag, caller.local_tag) == callee.id
    for at, method in enumerate(methods):
        sender, receiver = (caller, callee) if at % 3 else (callee, caller)
        sent = sender.make_request(method)
        assert (sent.call_id, sent.to.tag, sent.from_.tag) == receiver.id
        receiver.receive_request(sent)
        assert receiver.remote_seq == sender.local_seq
