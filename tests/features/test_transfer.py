"""Transfer, as each phone sees it (RFC 5589; RFC 5359 §2.4, §2.5)."""

from __future__ import annotations

from urllib.parse import quote

from tests.call.playbook import ANSWER, OFFER, Phone, sdp, talk
from tests.features.office import Office

TO_CAROL = "<sip:103@192.0.2.1>"
CAROLS = sdp("10.3.3.3", 6000)


def replaces_of(phone: Phone) -> str:
    """By which name this phone's dialog is known: our tag first."""
    theirs, ours = (text.partition("tag=")[2] for text in (phone.local, phone.remote))
    return f"{phone.call_id};to-tag={ours};from-tag={theirs}"


def blind(office: Office, alice: Phone, carol: Phone) -> None:
    """Alice has asked for it, and carol rings."""
    (
        office
        >> alice.ask("REFER", Refer_To=TO_CAROL)
        << alice.gets(202)
        << alice.gets("NOTIFY", "SIP/2.0 100 Trying")
        << carol.gets("INVITE", "<sip:102@192.0.2.1>", "Referred-By: <sip:101@192.0.2.1>")
        >> alice.ok()
        >> carol.says(180)
        << alice.gets("NOTIFY", "SIP/2.0 180 Ringing")
        >> alice.ok()
    )


def test_5359_2_4_blind(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    blind(office, alice, carol)
    (
        office
        >> carol.says(200, CAROLS)
        << carol.gets("ACK")
        << bob.gets("INVITE", "m=audio")
        << alice.gets("NOTIFY", "SIP/2.0 200 OK", "terminated")
        << alice.gets("BYE")
        >> alice.ok()
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
    )
    office >> carol.bye() << carol.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("handed_over", "normal")
    assert [(each.from_number, each.to_number, each.cause) for each in office.records] == [
        ("101", "102", "handed_over"),
        ("102", "103", "normal"),
    ]


def test_5359_2_4_busy_and_the_call_is_back(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    blind(office, alice, carol)
    (
        office
        >> carol.says(486)
        << carol.gets("ACK")
        << alice.gets("NOTIFY", "SIP/2.0 486 Busy Here")
        >> alice.ok()
    )
    (office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("busy", "normal")


def test_whoever_has_hung_up_is_called_back(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(office, alice, bob)
    blind(office, alice, carol)
    office >> alice.bye() << alice.gets(200)
    office >> carol.says(486) << carol.gets("ACK") << alice.gets("NOTIFY", "486") >> alice.ok()
    office << alice.gets("INVITE", "<sip:102@192.0.2.1>") >> alice.says(200, OFFER) << alice.gets("ACK")
    office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()
    office.ends("normal", "busy", "normal")


def consult(office: Office, alice: Phone, bob: Phone, carol: Phone) -> Phone:
    """Alice talks to bob, and on her second line to carol."""
    talk(office, alice, bob)
    second = office.second_line(alice)
    (
        office
        >> second.invite("103", OFFER)
        << carol.gets("INVITE")
        << second.gets(100)
        >> carol.says(200, CAROLS)
        << carol.gets("ACK")
        << second.gets(200)
        >> second.ack()
    ).quiet()
    return second


def test_5359_2_5_attended(office: Office, alice: Phone, bob: Phone, carol: Phone) -> None:
    second = consult(office, alice, bob, carol)
    to = f"<sip:103@192.0.2.1?Replaces={quote(replaces_of(second))}>"
    (
        office
        >> alice.ask("REFER", Refer_To=to)
        << alice.gets(202)
        << alice.gets("NOTIFY", "SIP/2.0 100 Trying")
        << carol.gets("INVITE", "m=audio")
        >> alice.ok()
        >> carol.says(200, CAROLS)
        << carol.gets("ACK")
        << bob.gets("INVITE")
        << alice.gets("NOTIFY", "SIP/2.0 200 OK")
        << alice.gets("BYE")
        << second.gets("BYE")
    )
    office >> alice.ok() >> second.ok() >> bob.says(200, ANSWER) << bob.gets("ACK")
    office >> bob.bye() << bob.gets(200) << carol.gets("BYE") >> carol.ok()
    office.ends("handed_over", "handed_over", "normal")


def test_a_refer_outside_any_call(office: Office, alice: Phone, bob: Phone) -> None:
    """Nobody has a call made for them without being in one."""
    talk(office, alice, bob)
    stray = office.second_line(alice)
    stray.call_id, stray.local, stray.remote = "stray", "<sip:101@192.0.2.1>;tag=x", "<sip:102@192.0.2.1>"
    stray.target = "sip:102@192.0.2.1"
    office >> stray.ask("REFER", Refer_To=TO_CAROL) << stray.gets(481)
    (office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()).ends("normal")


def test_whoever_takes_a_place_says_nothing_readable(office: Office, alice: Phone, bob: Phone) -> None:
    """Nothing is left of the attempt, and the talk goes on as it was."""
    talk(office, alice, bob)
    taking = office.second_line(alice)
    office >> taking.invite("102", b"v=1\r\n", Content_Type="application/sdp", Replaces=replaces_of(alice))
    office << taking.gets(400) >> taking.ack_refusal()
    office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    office.ends("bad_request", "normal")


def test_whoever_picks_up_says_nothing_readable(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """The caller makes no offer and the call rings on."""
    office >> alice.invite("102") << bob.gets("INVITE") << alice.gets(100)
    office >> bob.says(180) << alice.gets(180)
    name = f"{bob.call_id};to-tag={bob.tag};from-tag={bob.remote.partition('tag=')[2]}"
    office >> carol.invite("102", b"v=1\r\n", Content_Type="application/sdp", Replaces=name)
    office << carol.gets(400) >> carol.ack_refusal()
    office >> alice.cancel() << alice.gets(200) << alice.gets(487) << bob.gets("CANCEL")
    office >> alice.ack_refusal() >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    office.ends("bad_request", "cancelled")
