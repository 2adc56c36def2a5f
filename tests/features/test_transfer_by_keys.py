"""Transfer by keys that are pressed in the call, as INFO has them; tests/media/test_keys.py is about RTP."""

from __future__ import annotations

from tests.call.playbook import ANSWER, OFFER, Phone, sdp, talk
from tests.features.office import Office

CAROLS = sdp("10.3.3.3", 6000)


def press(office: Office, alice: Phone, bob: Phone, keys: str) -> None:
    """Alice presses these; bob, if he is there, hears each."""
    for key in keys:
        office >> alice.ask("INFO", f"Signal={key}\r\n".encode(), Content_Type="application/dtmf-relay")
        office << bob.gets("INFO") >> bob.ok() << alice.gets(200)


def test_put_through(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "##103")
    office.waits(4)
    office << carol.gets("INVITE", "<sip:102@192.0.2.1>") >> carol.says(200, CAROLS) << carol.gets("ACK")
    (
        office
        << bob.gets("INVITE")
        << alice.gets("BYE")
        >> alice.ok()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
    )
    office >> bob.bye() << bob.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("handed_over", "normal")


def test_the_other_one_cannot_be_reached(office: Office, alice: Phone, bob: Phone) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "##109#")
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")


def asked(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Bob waits, and alice talks with carol."""
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    office << carol.gets("INVITE", "<sip:101@192.0.2.1>") >> carol.says(200, CAROLS) << carol.gets("ACK")
    office << alice.gets("INVITE") >> alice.says(200, OFFER) << alice.gets("ACK")


def test_ask_and_hang_up(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    asked(office, alice, bob, carol)
    (
        office
        >> alice.bye()
        << alice.gets(200)
        << carol.gets("INVITE")
        >> carol.says(200, CAROLS)
        << carol.gets("ACK")
    )
    office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("handed_over", "normal", "normal")


def test_ask_and_go_back(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """To her phone bob sounds as carol did: it need not be told."""
    asked(office, alice, bob, carol)
    office >> carol.bye() << carol.gets(200)
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    office.ends("normal", "normal")


def test_ask_somebody_with_another_codec_and_go_back(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    (
        office
        << carol.gets("INVITE")
        >> carol.says(200, sdp("10.3.3.3", 6000, "a=ptime:40"))
        << carol.gets("ACK")
    )
    office << alice.gets("INVITE", "a=ptime:40") >> alice.says(200, OFFER) << alice.gets("ACK")
    office >> carol.bye() << carol.gets(200) << alice.gets("INVITE", lacks=("a=ptime:40",))
    office >> alice.says(200, OFFER) << alice.gets("ACK")
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    office.ends("normal", "normal")


def test_hang_up_while_it_rings(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    office << carol.gets("INVITE") >> carol.says(180)
    office >> alice.bye() << alice.gets(200)
    office >> carol.says(200, CAROLS) << carol.gets("ACK") << bob.gets("INVITE")
    office >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("handed_over", "normal")


def test_whom_one_asks_is_busy(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    office << carol.gets("INVITE") >> carol.says(486) << carol.gets("ACK")
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("busy", "normal")


def test_no_number_comes(office: Office, alice: Phone, bob: Phone) -> None:
    talk(office, alice, bob)
    press(office, alice, bob, "##")
    office.waits(5)
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")
