"""Transfer by keys that are pressed in the call, as INFO has them; tests/media/test_keys.py is about RTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.media.keys import KEYS
from tests.call.playbook import ANSWER, OFFER, Phone, sdp, talk
from tests.features.office import Office
from tests.media.test_keys import packet

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


def test_hang_up_while_it_rings_and_nobody_answers(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """Whoever was put through rings the one who did it, as after any transfer in vain."""
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    office << carol.gets("INVITE") >> carol.says(180)
    office >> alice.bye() << alice.gets(200)
    office >> carol.says(480) << carol.gets("ACK")
    office << alice.gets("INVITE", "<sip:102@192.0.2.1>") >> alice.says(200, OFFER) << alice.gets("ACK")
    office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    office.ends("handed_over", "unavailable", "normal")


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


def asks(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Bob waits, and carol rings."""
    talk(office, alice, bob)
    press(office, alice, bob, "**103")
    office.waits(4)
    office << carol.gets("INVITE") >> carol.says(180)


def test_whom_one_asks_answers_what_nobody_can_read(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    asks(office, alice, bob, carol)
    office >> carol.says(200, b"v=1\r\n") << carol.gets("ACK") << carol.gets("BYE") >> carol.ok()
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("media", "normal")


def test_the_console_ends_the_question(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    asks(office, alice, bob, carol)
    assert office.exchange.hang_up(office.exchange.calls()[-1].id)
    office << carol.gets("CANCEL") >> carol.ok() >> carol.says(487) << carol.gets("ACK")
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("administrator", "normal")


def test_whoever_asks_cannot_hear_whom_they_ask(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """She has not hung up: she talks to bob again, and nobody is put through."""
    asks(office, alice, bob, carol)
    office >> carol.says(200, CAROLS) << carol.gets("ACK") << alice.gets("INVITE") >> alice.says(488)
    office << alice.gets("ACK") << carol.gets("BYE") >> carol.ok()
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("media", "normal")


def test_whoever_is_asked_puts_nobody_through_by_keys(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    asked(office, alice, bob, carol)
    press(office, carol, alice, "**")
    office >> alice.bye() << alice.gets(200) << carol.gets("INVITE") >> carol.says(200, CAROLS)
    office << carol.gets("ACK") << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("handed_over", "normal", "normal")


def test_a_phone_that_sends_its_keys_both_ways(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """Each is pressed once: a # is no ##. The call and its legs are let go of when it is over."""
    events = OFFER.replace(b"AVP 8", b"AVP 8 101") + b"a=rtpmap:101 telephone-event/8000\r\n"
    office >> alice.invite("102", events) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    (call,) = office.exchange._calls.values()
    media = call.caller.media
    pair = media._pairs[0]
    assert pair is not None and pair.rtp.keys is not None
    for at, key in enumerate("#1##103"):
        pair.rtp.keys.read(packet(KEYS.index(key), 160 + 800 * at))
        press(office, alice, bob, key)
        assert bool(office.playback._playing) == (at >= 3), "bob hears music from the second # on"
    office.waits(4)
    office << carol.gets("INVITE", "<sip:102@192.0.2.1>")
    office >> carol.says(486) << carol.gets("ACK")
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("busy", "normal")
    assert media._on_key is None


@pytest.mark.parametrize("first", ["info", "rtp"])
def test_the_very_first_key_is_pressed_once(office: Office, alice: Phone, bob: Phone, first: str) -> None:
    """Whichever of the two ways is quicker: a # is no ##."""
    events = OFFER.replace(b"AVP 8", b"AVP 8 101") + b"a=rtpmap:101 telephone-event/8000\r\n"
    office >> alice.invite("102", events) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(200, ANSWER) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    (call,) = office.exchange._calls.values()
    pair = call.caller.media._pairs[0]
    assert pair is not None
    assert pair.rtp.keys is not None
    keys = pair.rtp.keys
    ways: list[Callable[[], None]] = [
        lambda: press(office, alice, bob, "#"),
        lambda: keys.read(packet(KEYS.index("#"), 160)),
    ]
    for way in ways if first == "info" else ways[::-1]:
        way()
    assert not office.playback._playing
    keys.read(packet(KEYS.index("#"), 960))
    assert office.playback._playing, "and with the next one it is ##"
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")


def test_nobody_listens_where_both_codes_are_off(office: Office, alice: Phone, bob: Phone) -> None:
    for code in ("keys_transfer", "keys_consult"):
        office.set("codes", code, code="")
    talk(office, alice, bob)
    (call,) = office.exchange.calls_of("101")
    assert call.caller.media._on_key is None
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")
