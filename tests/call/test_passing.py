"""What passes through the exchange, and what does not."""

from __future__ import annotations

from tests.call.playbook import OFFER, Phone, Playbook


def test_headers_that_pass_and_those_that_do_not(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite(
            "102", OFFER, X_Any="1", Subject="tea", User_Agent="Phone/1", Supported="100rel, eventlist", Route="<sip:192.0.2.1;lr>",
            P_Asserted_Identity="<sip:1@x>", Record_Route="<sip:proxy.inside;lr>", Session_Expires="90",
        )
        << bob.gets(
            "INVITE", "X-Any: 1", "Subject: tea", "Max-Forwards: 69",
            lacks=("Phone/1", "eventlist", "Route:", "Asserted", "198.51.100.7:5060;", "Session-Expires: 90", alice.call_id),
        )
        << alice.gets(100)
        >> bob.says(486, Server="Other/2", X_Back="2")
        << bob.gets("ACK")
        << alice.gets(486, "X-Back: 2", lacks=("Other/2",))
        >> alice.ack_refusal()
    ).ends("busy")  # fmt: skip


def test_what_the_caller_may_not_see(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(401, WWW_Authenticate='Digest realm="phone"')
        << bob.gets("ACK")
        << alice.gets(403, lacks=("realm",))
        >> alice.ack_refusal()
    ).ends("forbidden")


def test_x_11_no_common_codec_passes(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", OFFER)
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(488, Warning='305 phone "Incompatible media format"')
        << bob.gets("ACK")
        << alice.gets(488, "Warning: 305")
        >> alice.ack_refusal()
    ).ends("media")


def test_body_that_is_no_session_passes(book: Playbook, alice: Phone, bob: Phone) -> None:
    (
        book
        >> alice.invite("102", b"<x/>", Content_Type="application/xml")
        << bob.gets("INVITE", "Content-Type: application/xml", "<x/>")
        << alice.gets(100)
        >> bob.says(486)
        << bob.gets("ACK")
        << alice.gets(486)
        >> alice.ack_refusal()
    ).ends("busy")


def test_a_description_that_is_packed_is_not_read(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", b"packed", Content_Encoding="gzip")
    book << alice.gets(415, "Accept-Encoding: identity") >> alice.ack_refusal()
    book >> alice.invite("102", OFFER, Content_Encoding="identity") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    packed = {"Content_Encoding": "gzip", "Content_Type": "application/xml"}
    book >> alice.invite("102", b"packed", **packed) << bob.gets("INVITE", "Content-Encoding: gzip")
    book << alice.gets(100) >> bob.says(486) << bob.gets("ACK") << alice.gets(486) >> alice.ack_refusal()
    book.ends("busy", "busy")


def test_who_forwarded_a_call_and_why_it_ends(book: Playbook, alice: Phone, bob: Phone) -> None:
    """History-Info (RFC 7044), Diversion (RFC 5806), Referred-By (RFC 3892) and Reason (RFC 3326) are carried."""
    history = "<sip:100@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:102@x>;index=1.1;mp=1"
    diversion = "<sip:100@x>;reason=unconditional;counter=1"
    carried = {"History_Info": history, "Diversion": diversion, "Referred_By": "<sip:103@x>"}
    book >> alice.invite("102", OFFER, **carried)
    book << bob.gets(
        "INVITE", f"History-Info: {history}", f"Diversion: {diversion}", "Referred-By: <sip:103@x>"
    )
    (
        book
        << alice.gets(100)
        >> bob.says(181, History_Info=history)
        << alice.gets(181, f"History-Info: {history}")
    )
    reason = 'SIP;cause=200;text="elsewhere"'
    (
        book
        >> alice.cancel(Reason=reason)
        << alice.gets(200)
        << alice.gets(487)
        << bob.gets("CANCEL", f"Reason: {reason}")
    )
    book >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    book.ends("cancelled")
