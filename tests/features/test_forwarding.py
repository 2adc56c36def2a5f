"""Forwarding, as each phone sees it (RFC 5359 §2.7 to §2.9)."""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone
from tests.features.office import Office

TO_CAROL = 'Call-Info: purpose=forwarding, username="102", contact="103"'


def test_5359_2_7_all_calls(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    office.set("forwarding", "102", always="103")
    (
        office
        >> alice.invite("102", OFFER)
        << alice.gets(181, "SIP/2.0 181 Call Is Being Forwarded", TO_CAROL)
        << carol.gets(
            "INVITE",
            "<sip:101@192.0.2.1>",
            'Diversion: "Bob" <sip:102@192.0.2.1>;reason=unconditional;counter=1',
            "History-Info: <sip:102@192.0.2.1>;index=1, <sip:103@192.0.2.1;cause=302>;index=1.1;mp=1",
        )
    )
    (office >> carol.says(200, ANSWER) << carol.gets("ACK") << alice.gets(200, lacks=("Diversion",)))
    office >> alice.ack() >> alice.bye() << alice.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("normal")
    record = office.records[0]
    assert (record.to_number, record.answered_by) == ("102", "103")
    assert [(each.by, each.to, each.why) for each in record.steps] == [("102", "103", "unconditional")]
