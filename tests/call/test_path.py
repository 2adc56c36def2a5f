"""A phone behind proxies is called by the way it registered. RFC 3327 §5.3."""

from __future__ import annotations

import msgspec

from tests.call.playbook import ANSWER, OFFER, Phone, Playbook

PATH = "<sip:p1.example;lr>, <sip:edge.example;lr;ob>"


def test_the_route_is_in_what_belongs_to_the_invite(book: Playbook, alice: Phone, bob: Phone) -> None:
    (binding,) = book.bindings["102"]
    book.bindings["102"] = [msgspec.structs.replace(binding, path=PATH)]
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE", f"Route: {PATH}", f"INVITE {binding.contact} SIP/2.0")
        << alice.gets(100)
        >> bob.says(180)
        << alice.gets(180)
        >> alice.cancel()
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL", f"Route: {PATH}")
        >> alice.ack_refusal()
        >> bob.says(487)
        << bob.gets("ACK", f"Route: {PATH}")
    ).ends("cancelled")


def test_a_call_by_it_keeps_to_the_record_route(book: Playbook, alice: Phone, bob: Phone) -> None:
    (binding,) = book.bindings["102"]
    book.bindings["102"] = [msgspec.structs.replace(binding, path=PATH)]
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK", lacks=("Route:",))
        << alice.gets(200)
        >> alice.ack()
    ).quiet()
