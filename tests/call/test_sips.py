"""Phones that want sips: URIs in their dialogs: RFC 3261 §8.1.1.8, §12.1.1."""

from __future__ import annotations

import msgspec
import pytest

from appliance.sip.message import Request, Response, Uri
from appliance.sip.transport.flow import Flow
from tests.call.playbook import EXCHANGE, OFFER, Phone, Playbook


@pytest.mark.parametrize("scheme", ["sip", "sips"])
def test_each_leg_is_named_as_its_phone_wants(book: Playbook, alice: Phone, bob: Phone, scheme: str) -> None:
    (binding,) = book.bindings["102"]
    over_tls = Flow("tls", EXCHANGE, bob.address, 2)
    contact = Uri(scheme, "102", None, "198.51.100.7", 5061)
    book.bindings["102"] = [msgspec.structs.replace(binding, flow=over_tls, contact=contact)]
    invite = alice.invite("102", OFFER).message
    assert isinstance(invite, Request)
    invite.uri = f"{scheme}:102@192.0.2.1"
    book.endpoint.receive_message(invite, Flow("tls", EXCHANGE, alice.address, 1))
    (_, forwarded), (_, trying) = book.wiretap.sent
    assert isinstance(forwarded, Request)
    assert isinstance(trying, Response)
    assert forwarded.contacts[0].uri.scheme == scheme
    book.wiretap.sent.clear()
    book.endpoint.receive_message(forwarded.respond(180, to_tag="b"), over_tls)
    ((_, ringing),) = book.wiretap.sent
    assert isinstance(ringing, Response)
    assert (ringing.status, ringing.contacts[0].uri.scheme) == (180, scheme)
    book.wiretap.sent.clear()
    book.exchange.shut_down()
    book.wiretap.sent.clear()
    book.timers.advance(100)
    assert book.endpoint.transactions == 0
