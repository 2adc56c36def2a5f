"""Hold with music, as each phone sees it (RFC 3264 §8.4; RFC 5359 §2.1 to §2.3; RFC 3261 §14.1)."""

from __future__ import annotations

import pytest

from appliance.media.direction import limited
from appliance.media.sdp import Direction, parse_sdp
from tests.call.outside_world import OutsideWorld, line, route
from tests.call.playbook import ANSWER, OFFER, Phone, sdp, talk
from tests.features.ears import played_to
from tests.features.office import Office

ALICES, BOBS = "10.1.1.1", "10.2.2.2"
OPUS = "a=rtpmap:96 opus/48000/2"
HOLDS = [("a=sendonly",), ("a=inactive",), ("c=IN IP4 0.0.0.0",)]
every_hold = pytest.mark.parametrize("hold", HOLDS, ids=["sendonly", "inactive", "0.0.0.0"])


def said(*tail: str) -> bytes:
    """What alice says of her sound."""
    return sdp(ALICES, 4000, *tail)


def direction(phone: Phone) -> Direction:
    """Of the description that came last."""
    return parse_sdp(phone.body).media[0].direction


def opus(host: str, *tail: str) -> bytes:
    return sdp(host, 4000, *tail).replace(b"RTP/AVP 8\r\n", b"RTP/AVP 96\r\n" + OPUS.encode() + b"\r\n")


def hold_by(office: Office, alice: Phone, bob: Phone, offer: bytes, answer: bytes) -> None:
    """Alice sends a re-INVITE, and bob takes it."""
    office >> alice.again(offer) << bob.gets("INVITE") << alice.gets(100)
    told = direction(bob)
    office >> bob.says(200, answer) << bob.gets("ACK") << alice.gets(200)
    assert limited(direction(alice), parse_sdp(offer).media[0].direction) == direction(alice)
    office >> alice.ack()
    assert limited(parse_sdp(answer).media[0].direction, told) == parse_sdp(answer).media[0].direction


def hang_up(office: Office, alice: Phone, bob: Phone) -> None:
    (office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


@every_hold
def test_5359_2_1_hold_and_resume(office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]) -> None:
    """Whoever is held is told that sound comes, and hears music; whoever holds gets what their offer allows."""
    talk(office, alice, bob)
    (
        office
        >> alice.again(said(*hold))
        << bob.gets("INVITE", "a=sendonly", lacks=("0.0.0.0",))
        << alice.gets(100)
    )
    office >> bob.says(200, sdp(BOBS, 5000, "a=recvonly")) << bob.gets("ACK")
    office << alice.gets(200, "a=inactive" if hold == ("a=inactive",) else "a=recvonly") >> alice.ack()
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "music")
    assert [each.state for each in office.exchange.calls()] == ["held"]
    office >> alice.again(said()) << bob.gets("INVITE", lacks=("a=sendonly",)) << alice.gets(100)
    (
        office
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
        << alice.gets(200, lacks=("a=recvonly",))
        >> alice.ack()
    )
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "")
    assert [each.state for each in office.exchange.calls()] == ["talking"]
    hang_up(office, alice, bob)


@every_hold
def test_5359_2_1_by_update(office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]) -> None:
    talk(office, alice, bob)
    office >> alice.ask("UPDATE", said(*hold)) << bob.gets("UPDATE", "a=sendonly")
    office >> bob.ok(200, sdp(BOBS, 5000, "a=recvonly"))
    office << alice.gets(200, "a=inactive" if hold == ("a=inactive",) else "a=recvonly")
    assert played_to(office, "102") == "music"
    office >> alice.ask("UPDATE", said()) << bob.gets("UPDATE") >> bob.ok(200, ANSWER) << alice.gets(200)
    assert played_to(office, "102") == ""
    hang_up(office, alice, bob)


@every_hold
def test_5359_2_1_by_an_invite_without_an_offer(
    office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]
) -> None:
    """The hold is in alice's ACK, and bob's ACK says no more than bob's offer allows."""
    talk(office, alice, bob)
    office >> alice.again() << bob.gets("INVITE", lacks=("m=audio",)) << alice.gets(100)
    office >> bob.says(200, ANSWER) << alice.gets(200, "m=audio")
    office >> alice.ack(said(*hold)) << bob.gets("ACK", "a=sendonly")
    assert played_to(office, "102") == "music"
    (
        office
        >> alice.again()
        << bob.gets("INVITE")
        << alice.gets(100)
        >> bob.says(200, ANSWER)
        << alice.gets(200)
    )
    office >> alice.ack(said()) << bob.gets("ACK", lacks=("a=sendonly",))
    assert played_to(office, "102") == ""
    hang_up(office, alice, bob)


def test_5359_2_1_both_hold_each_other(office: Office, alice: Phone, bob: Phone) -> None:
    """Nobody hears anything then; one resumes, and is held still."""
    talk(office, alice, bob)
    hold_by(office, alice, bob, said("a=sendonly"), sdp(BOBS, 5000, "a=recvonly"))
    hold_by(office, bob, alice, sdp(BOBS, 5000, "a=sendonly"), said("a=inactive"))
    assert (played_to(office, "101"), played_to(office, "102")) == ("unheard", "unheard")
    hold_by(office, alice, bob, said(), sdp(BOBS, 5000, "a=sendonly"))
    assert (played_to(office, "101"), played_to(office, "102")) == ("music", "")
    hold_by(office, bob, alice, ANSWER, said())
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "")
    hang_up(office, alice, bob)


@every_hold
def test_a_refused_hold_leaves_the_session_as_it_was(
    office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]
) -> None:
    talk(office, alice, bob)
    call = next(iter(office.exchange._calls.values()))
    assert call.callee is not None
    told = [each.media.described for each in (call.caller, call.callee)]
    office >> alice.again(said(*hold)) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(488) << bob.gets("ACK") << alice.gets(488) >> alice.ack_refusal()
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "")
    assert office.exchange.calls()[0].state == "talking"
    assert [parse_sdp(each).media for each in told] == [
        parse_sdp(each.media.described).media for each in (call.caller, call.callee)
    ]
    hang_up(office, alice, bob)


@every_hold
def test_a_refused_resume_leaves_the_music(
    office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]
) -> None:
    talk(office, alice, bob)
    hold_by(office, alice, bob, said(*hold), sdp(BOBS, 5000, "a=recvonly"))
    office >> alice.again(said()) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(488) << bob.gets("ACK") << alice.gets(488) >> alice.ack_refusal()
    assert played_to(office, "102") == "music"
    hang_up(office, alice, bob)


@every_hold
def test_glare_while_holding(office: Office, alice: Phone, bob: Phone, hold: tuple[str, ...]) -> None:
    """RFC 3261 §14.1: each has 491, and the later one to try again gets through."""
    talk(office, alice, bob)
    office >> alice.again(said(*hold)) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.again(sdp(BOBS, 5000, "a=sendonly")) << bob.gets(491) >> bob.ack_refusal()
    office >> bob.says(491) << bob.gets("ACK") << alice.gets(491) >> alice.ack_refusal()
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "")
    hold_by(office, bob, alice, sdp(BOBS, 5000, *hold), said("a=recvonly"))
    assert (played_to(office, "101"), played_to(office, "102")) == ("music", "")
    hang_up(office, alice, bob)


def test_updates_that_cross(office: Office, alice: Phone, bob: Phone) -> None:
    """RFC 3311 §5.2: 491, and nothing is changed."""
    talk(office, alice, bob)
    office >> alice.ask("UPDATE", said("a=inactive")) << bob.gets("UPDATE")
    office >> bob.ask("UPDATE", sdp(BOBS, 5000, "a=sendonly")) << bob.gets(491)
    office >> bob.ok(491) << alice.gets(491)
    assert (played_to(office, "101"), played_to(office, "102")) == ("", "")
    hang_up(office, alice, bob)


def test_an_answer_that_holds_takes_the_music_back(office: Office, alice: Phone, bob: Phone) -> None:
    """Bob held alice, and answers her next offer as one who does not: she hears him again."""
    talk(office, alice, bob)
    hold_by(office, bob, alice, sdp(BOBS, 5000, "a=sendonly"), said("a=recvonly"))
    assert played_to(office, "101") == "music"
    hold_by(office, alice, bob, said("a=sendrecv"), ANSWER)
    assert played_to(office, "101") == ""
    hang_up(office, alice, bob)


def test_an_announcement_is_no_hold(office: Office, alice: Phone, bob: Phone) -> None:
    """Whoever answers that they do not listen is heard, at the beginning and later."""
    office >> alice.invite("102", OFFER) << bob.gets("INVITE") << alice.gets(100)
    (
        office
        >> bob.says(200, sdp(BOBS, 5000, "a=sendonly"))
        << bob.gets("ACK")
        << alice.gets(200)
        >> alice.ack()
    )
    assert played_to(office, "101") == ""
    hold_by(office, alice, bob, said("a=sendrecv"), sdp(BOBS, 5000, "a=sendonly"))
    assert played_to(office, "101") == ""
    hang_up(office, alice, bob)


def test_hold_without_g_711(office: Office, alice: Phone, bob: Phone) -> None:
    """Nothing can be played; the call goes on."""
    office >> alice.invite("102", opus(ALICES)) << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(200, opus(BOBS)) << bob.gets("ACK") << alice.gets(200) >> alice.ack()
    hold_by(office, alice, bob, opus(ALICES, "a=inactive"), opus(BOBS, "a=recvonly"))
    assert played_to(office, "102") == "unheard"
    hold_by(office, alice, bob, opus(ALICES), opus(BOBS))
    assert played_to(office, "102") == ""
    hang_up(office, alice, bob)


def test_whoever_is_held_hangs_up(office: Office, alice: Phone, bob: Phone) -> None:
    talk(office, alice, bob)
    hold_by(office, alice, bob, said("a=sendonly"), sdp(BOBS, 5000, "a=recvonly"))
    (office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()).ends("normal")
    assert len(office.players) == 0


def test_whoever_holds_hangs_up(office: Office, alice: Phone, bob: Phone) -> None:
    talk(office, alice, bob)
    hold_by(office, alice, bob, said("a=inactive"), sdp(BOBS, 5000, "a=recvonly"))
    hang_up(office, alice, bob)
    assert len(office.players) == 0


def test_whoever_is_held_vanishes(office: Office, alice: Phone, bob: Phone) -> None:
    talk(office, alice, bob)
    hold_by(office, alice, bob, said("a=sendonly"), sdp(BOBS, 5000, "a=recvonly"))
    office.wiretap.dead = {bob.address}
    office >> alice.again(said()) << alice.gets(100)
    office.waits(0.1) << alice.gets(408) >> alice.ack_refusal() << alice.gets("BYE") >> alice.ok()
    office.ends("lost")
    assert len(office.players) == 0


def test_on_a_line_the_carrier_s_side_is_held(office: Office, alice: Phone) -> None:
    world = OutsideWorld(office)
    carrier = world.line(line("a"))
    world.routes(route("line:a"))
    office >> alice.invite("90123456", OFFER) << carrier.gets("INVITE") << alice.gets(100)
    office >> carrier.says(200, ANSWER) << carrier.gets("ACK") << alice.gets(200) >> alice.ack()
    hold_by(office, alice, carrier, said("a=inactive"), sdp(BOBS, 5000, "a=recvonly"))
    legs = [leg for call in office.exchange._calls.values() for leg in call.legs]
    assert [leg.media in office.playback._playing for leg in legs] == [False, True]
    hold_by(office, alice, carrier, said(), ANSWER)
    assert office.playback._playing == {}
    hang_up(office, alice, carrier)


def test_5359_2_2_consultation_hold(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Alice holds bob, asks carol, and comes back."""
    talk(office, alice, bob)
    hold_by(office, alice, bob, said("a=sendonly"), sdp(BOBS, 5000, "a=recvonly"))
    second = office.second_line(alice)
    office >> second.invite("103", OFFER) << carol.gets("INVITE") << second.gets(100)
    office >> carol.says(200, sdp("10.3.3.3", 6000)) << carol.gets("ACK") << second.gets(200) >> second.ack()
    assert (played_to(office, "102"), played_to(office, "103")) == ("music", "")
    office >> second.bye() << second.gets(200) << carol.gets("BYE") >> carol.ok()
    hold_by(office, alice, bob, said(), ANSWER)
    assert played_to(office, "102") == ""
    office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("normal", "normal")
