"""Several phones that are heard before the answer: several dialogs for the caller. RFC 3261 §12.1.1, §13.2.1, RFC 3262 §3."""

from __future__ import annotations

from tests.call.playbook import OFFER, Phone, Playbook, sdp

EARLY = sdp("10.2.2.2", 5000)
OTHER = sdp("10.3.3.3", 6000, "a=ptime:20")


def to_tag(phone: Phone) -> str:
    assert phone.last is not None
    return phone.last.to.tag or ""


def test_two_phones_are_two_dialogs_for_the_caller(book: Playbook, alice: Phone, bob: Phone) -> None:
    other = book.phone("102")
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << other.gets("INVITE")
    book << alice.gets(100) >> bob.says(183, EARLY) << alice.gets(183, "RSeq")
    first, ringing = to_tag(alice), alice.reliable
    # The other one picks up before the PRACK has come.
    book >> other.says(200, OTHER) << other.gets("ACK") << bob.gets("CANCEL")
    book >> alice.prack() << alice.gets(200) << alice.gets(200, "a=ptime:20")
    assert ringing is not None
    assert to_tag(alice) != first
    book >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    # What is left of the first dialog is none.
    alice.remote = ringing.headers.get("To") or ""
    book >> alice.prack() << alice.gets(481)
    alice.remote = (alice.invite_request.headers.get("To") or "") if alice.invite_request else ""
    book.exchange.hang_up(book.exchange.calls()[0].id)
    (book << alice.gets("BYE") << other.gets("BYE") >> alice.ok() >> other.ok()).ends("administrator")


def test_the_first_dialog_while_the_second_is_told(book: Playbook, alice: Phone, bob: Phone) -> None:
    book >> alice.invite("102", OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says(183, EARLY, tag="one") << alice.gets(183, "RSeq")
    first = alice.remote
    # A proxy at the callee's end has tried another phone.
    (book >> bob.says(183, OTHER, tag="two")).quiet()  # its turn comes after the PRACK
    book >> alice.prack() << alice.gets(200) << alice.gets(183, "a=ptime:20", "RSeq")
    second = alice.remote
    assert first != second
    alice.remote = first
    book >> alice.ask("UPDATE") << alice.gets(481) >> alice.bye() << alice.gets(200)
    alice.remote = second
    book >> alice.prack() << alice.gets(200)
    book >> bob.says(200, OTHER, tag="two") << bob.gets("ACK") << alice.gets(200, lacks=("a=ptime",))
    book >> alice.ack() >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    book.ends("normal")


def test_without_100rel_another_phone_is_another_dialog_too(book: Playbook, alice: Phone, bob: Phone) -> None:
    other = book.phone("102")
    book >> alice.invite("102", OFFER) << bob.gets("INVITE") << other.gets("INVITE")
    book << alice.gets(100) >> bob.says(183, EARLY) << alice.gets(183)
    first = to_tag(alice)
    book >> other.says(200, OTHER) << other.gets("ACK") << bob.gets("CANCEL") << alice.gets(200)
    assert to_tag(alice) != first
    book >> alice.ack() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    (book >> alice.bye() << alice.gets(200) << other.gets("BYE") >> other.ok()).ends("normal")
