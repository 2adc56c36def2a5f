"""Attendants, as callers and those they choose see them; keys as INFO has them, and as RTP has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.call.negotiation import NOBODY
from appliance.errors import ConfigError
from appliance.features.attendants import MENU_KEYS, MOST_GREETINGS, chosen
from appliance.media.keys import KEYS
from appliance.media.prompts import Prompts
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from tests.call.playbook import ANSWER, OFFER, Phone, sdp
from tests.features.crowd import replaces_of
from tests.features.ears import played_to
from tests.features.office import Office
from tests.media.test_keys import packet

CAROLS = sdp("10.3.3.3", 6000)
KEYED = sdp("10.1.1.1", 4000, "a=rtpmap:101 telephone-event/8000").replace(b"AVP 8", b"AVP 8 101")
NOBODYS = NOBODY.status
CHIME_SECONDS = 1.1
ERROR_SECONDS = 2.0


async def call_in(office: Office, alice: Phone, number: str = "700") -> None:
    """Alice is in the menu."""
    office >> alice.invite(number, OFFER)
    await office.settled()
    office << alice.gets(100) << alice.gets(200) >> alice.ack()
    office.quiet()


async def press(office: Office, alice: Phone, keys: str) -> None:
    for key in keys:
        office >> alice.ask("INFO", f"Signal={key}\r\n".encode(), Content_Type="application/dtmf-relay")
        office << alice.gets(200)
        await office.settled()


def press_by_rtp(office: Office, key: str) -> None:
    (call,) = office.exchange._calls.values()
    pair = call.caller.media._pairs[0]
    assert pair is not None
    assert pair.rtp.keys is not None
    pair.rtp.keys.read(packet(KEYS.index(key), 160))


async def wait(office: Office, seconds: float) -> None:
    """Time passes in pieces, for what a service does takes its turn between them; until something is sent."""
    left = round(seconds / 0.5)
    while left and not office.wiretap.sent:
        office.waits(0.5)
        await office.settled()
        left -= 1


def rings_and_talks(office: Office, alice: Phone, bob: Phone) -> None:
    """Bob is rung, and the two talk, and hang up."""
    (
        office
        << bob.gets("INVITE", "<sip:101@192.0.2.1>")
        >> bob.says(180)
        >> bob.says(200, ANSWER)
        << bob.gets("ACK")
    )
    office << alice.gets("INVITE") >> alice.says(200, OFFER) << alice.gets("ACK")
    office >> bob.bye() << bob.gets(200) << alice.gets("BYE") >> alice.ok()


async def test_a_key_leads_to_an_extension(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("attendants", "700", title="Main menu", keys=("2=102",))
    async with office.serving():
        await call_in(office, alice)
        (row,) = office.services.snapshots["attendants"]()
        assert msgspec.structs.astuple(row)[:3] == ("700", "101", "Alice A.")
        await press(office, alice, "2")
        rings_and_talks(office, alice, bob)
        assert office.services.snapshots["attendants"]() == []
        office.ends("handed_over", "normal")
    (step,) = office.records[1].steps
    assert (step.by, step.to) == ("700", "102")


async def test_keys_in_rtp(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("attendants", "700", keys=("#=102",))
    async with office.serving():
        office >> alice.invite("700", KEYED)
        await office.settled()
        office << alice.gets(100) << alice.gets(200, "telephone-event") >> alice.ack()
        press_by_rtp(office, "#")
        # And by INFO: it was pressed once.
        office >> alice.ask("INFO", b"Signal=#\r\n", Content_Type="application/dtmf-relay") << alice.gets(200)
        await office.settled()
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")


async def test_an_extension_is_dialled(office: Office, alice: Phone, bob: Phone) -> None:
    """1 is a key of the menu too: it waits to see whether 102 is meant."""
    office.set("attendants", "700", keys=("1=103",))
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "102")
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")


async def test_a_key_that_begins_an_extension_waits(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("attendants", "700", keys=("1=102",))
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "1")
        office.quiet()
        await wait(office, 3)
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")


async def test_nothing_outside_is_dialled(office: Office, alice: Phone) -> None:
    """What callers dial goes to the house alone, and with the rights of nobody."""
    office.set("attendants", "700", tries=1)
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "9")
        await wait(office, ERROR_SECONDS + 0.5)
        office << alice.gets("BYE") >> alice.ok()
        office.ends("normal")


async def test_without_direct_dialling(office: Office, alice: Phone) -> None:
    office.set("attendants", "700", direct_dialling=False, tries=1)
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "102")
        await wait(office, ERROR_SECONDS + 0.5)
        office << alice.gets("BYE") >> alice.ok()
        office.ends("normal")


async def test_nobody_presses_a_key(office: Office, alice: Phone, bob: Phone) -> None:
    """It asks three times, and then somebody is rung."""
    office.set("attendants", "700", otherwise_to="102", wait_seconds=5)
    async with office.serving():
        await call_in(office, alice)
        await wait(office, 3 * (CHIME_SECONDS + 5) - 1)
        office.quiet()
        await wait(office, 2)
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")


async def test_who_does_not_answer_leads_back_to_the_menu(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("attendants", "700", keys=("2=102",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        for _ in range(2):
            await press(office, alice, "2")
            office << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK")
            await office.settled()
            office << alice.gets("INVITE", "m=audio") >> alice.says(200, OFFER) << alice.gets("ACK")
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("handed_over", "busy", "handed_over", "busy", "normal")


async def test_who_does_not_answer_leads_elsewhere(
    office: Office, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """And when nobody is there either, to the menu."""
    office.set("attendants", "700", keys=("2=102",), failed_to="103")
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "2")
        office << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK")
        await office.settled()
        office << alice.gets("INVITE") << carol.gets("INVITE")
        office >> alice.says(200, OFFER) << alice.gets("ACK")
        office >> carol.says(480) << carol.gets("ACK")
        await office.settled()
        office << alice.gets("INVITE") >> alice.says(200, OFFER) << alice.gets("ACK")
        assert office.services.snapshots["attendants"]()
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("handed_over", "busy", "handed_over", "unavailable", "normal")


async def test_nobody_can_be_rung_there(office: Office, alice: Phone) -> None:
    """An error is heard, and the menu again."""
    office.set("attendants", "700", keys=("2=109",))
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "2")
        await wait(office, ERROR_SECONDS + 0.5)
        office.quiet()
        assert office.services.snapshots["attendants"]()
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("normal")


async def test_menus_lead_to_menus_without_end(office: Office, alice: Phone) -> None:
    """The greetings are counted: whoever leaves the receiver off does not keep a line for ever."""
    office.set("attendants", "700", otherwise_to="701", tries=1, wait_seconds=1)
    office.set("attendants", "701", otherwise_to="700", tries=1, wait_seconds=1)
    async with office.serving():
        await call_in(office, alice)
        await wait(office, MOST_GREETINGS * (CHIME_SECONDS + 1.5))
        office << alice.gets("BYE") >> alice.ok()
        office.ends("normal")


@pytest.mark.parametrize(("key", "choice"), [("0", "hang-up"), ("9", "again")])
async def test_what_a_key_does_beside_that(office: Office, alice: Phone, key: str, choice: str) -> None:
    office.set("attendants", "700", keys=(f"{key}={choice}",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, key)
        if choice == "again":
            office.quiet()
            office >> alice.bye() << alice.gets(200)
        else:
            office << alice.gets("BYE") >> alice.ok()
        await office.settled()
        office.ends("normal")


@pytest.mark.parametrize("while_rung", [False, True])
async def test_the_caller_is_gone(office: Office, alice: Phone, bob: Phone, *, while_rung: bool) -> None:
    office.set("attendants", "700", keys=("2=102",))
    async with office.serving():
        await call_in(office, alice)
        if while_rung:
            await press(office, alice, "2")
            office << bob.gets("INVITE") >> bob.says(180)
        office >> alice.bye() << alice.gets(200)
        if while_rung:
            office << bob.gets("CANCEL") >> bob.ok() >> bob.says(487, to=bob.invited) << bob.gets("ACK")
        await office.settled()
        assert office.services.snapshots["attendants"]() == []
        office.ends(*(("handed_over", "cancelled") if while_rung else ("normal",)))


async def test_a_greeting_of_the_owners(office: Office, alice: Phone, tmp_path: Path) -> None:
    """It is played to its end, and only then the wait begins."""
    with (tmp_path / "spoken.wav").open("wb") as file:
        write_wav(file, sine(600, 10 * 8000, peak=3000).tobytes())
    office.prompts._folder = tmp_path / "prompts"
    await Prompts(tmp_path / "prompts").take("welcome", tmp_path / "spoken.wav")
    await office.prompts.sound("welcome")  # from now on it is in memory: no thread is waited for
    office.set("attendants", "700", greeting="welcome", wait_seconds=5, tries=1)
    async with office.serving():
        await call_in(office, alice)
        await wait(office, 14)
        office.quiet()
        await wait(office, 2)
        office << alice.gets("BYE") >> alice.ok()
        office.ends("normal")


# --- what goes wrong, and when


async def test_no_ack_comes_before_the_key(office: Office, alice: Phone, bob: Phone) -> None:
    """It was lost, and keys by RTP are quicker than its repetition: she is asked to talk to Bob once she is there."""
    office.set("attendants", "700", keys=("2=102",))
    async with office.serving():
        office >> alice.invite("700", KEYED)
        await office.settled()
        office << alice.gets(100) << alice.gets(200)
        press_by_rtp(office, "2")
        await office.settled()
        office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        office.quiet()
        office >> alice.ack()
        await wait(office, 2.5)
        office << alice.gets("INVITE") >> alice.says(200, KEYED) << alice.gets("ACK")
        office >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
        await office.settled()
        office.ends("handed_over", "normal")


async def test_no_ack_comes_at_all(office: Office, alice: Phone) -> None:
    office.set("attendants", "700", wait_seconds=60)
    async with office.serving():
        office >> alice.invite("700", OFFER)
        await office.settled()
        office << alice.gets(100) << alice.gets(200)
        for _ in range(80):
            office.waits(0.5)
            await office.settled()
        methods = [getattr(message, "method", 200) for _, message in office.wiretap.sent]
        assert (set(methods), methods.count("BYE") > 0) == ({200, "BYE"}, True)
        office.wiretap.sent.clear()
        office.ends("lost")


async def test_what_cannot_be_played_to_is_refused(office: Office, alice: Phone) -> None:
    """No G.711: nobody would hear anything."""
    office.set("attendants", "700")
    async with office.serving():
        office >> alice.invite("700", OFFER.replace(b"AVP 8", b"AVP 18"))
        await office.settled()
        office << alice.gets(100) << alice.gets(488) >> alice.ack_refusal()
        office.ends("media")


async def test_the_settings_change_meanwhile(office: Office, alice: Phone, bob: Phone) -> None:
    """Whoever hears a greeting has the keys that it tells of; from the next on there are others."""
    office.set("attendants", "700", keys=("2=109",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        office.set("attendants", "700", keys=("3=102",))
        await press(office, alice, "2")
        await wait(office, ERROR_SECONDS + 0.5)
        await press(office, alice, "3")
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")


@pytest.mark.parametrize("while_rung", [False, True])
async def test_the_attendant_is_removed_meanwhile(
    office: Office, alice: Phone, bob: Phone, *, while_rung: bool
) -> None:
    """Nobody is left in a menu that there is no more."""
    office.set("attendants", "700", keys=("2=102",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        if while_rung:
            await press(office, alice, "2")
            office << bob.gets("INVITE")
        office.config.edit(lambda now: now.without_item("attendants", "700"))
        if while_rung:
            office >> bob.says(486) << bob.gets("ACK")
            await office.settled()
            office << alice.gets("INVITE")
        else:
            await press(office, alice, "9")
            await wait(office, ERROR_SECONDS + 0.5)
        office << alice.gets("BYE") >> alice.ok()
        office.ends(*(("handed_over", "busy", "normal") if while_rung else ("normal",)))


async def test_the_exchange_ends_meanwhile(office: Office, alice: Phone) -> None:
    office.set("attendants", "700")
    async with office.serving():
        await call_in(office, alice)
        office.exchange.shut_down()
        await office.settled()
        office << alice.gets("BYE") >> alice.ok()
        assert office.services.snapshots["attendants"]() == []
        office.ends("shutdown")


async def test_what_is_heard_until_somebody_answers(office: Office, alice: Phone, bob: Phone) -> None:
    """Music while nobody knows whether it rings, and then that it does; the chime again when it was in vain."""
    office.set("attendants", "700", keys=("2=102",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        assert played_to(office, "101") == "chime"
        await press(office, alice, "2")
        assert played_to(office, "101") == "music"
        office << bob.gets("INVITE") >> bob.says(180)
        assert played_to(office, "101") == "ring-back"
        # Keys that are pressed now are nobody's.
        office >> alice.ask("INFO", b"Signal=3\r\n", Content_Type="application/dtmf-relay")
        office << alice.gets(NOBODYS)
        office >> bob.says(486) << bob.gets("ACK")
        await office.settled()
        office << alice.gets("INVITE") >> alice.says(200, OFFER) << alice.gets("ACK")
        assert played_to(office, "101") == "chime"
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("handed_over", "busy", "normal")


async def test_whoever_takes_no_second_offer_is_let_go(office: Office, alice: Phone, bob: Phone) -> None:
    """A carrier that refuses every re-INVITE cannot be put through; both hear the end."""
    office.set("attendants", "700", keys=("2=102",))
    async with office.serving():
        await call_in(office, alice)
        await press(office, alice, "2")
        office << bob.gets("INVITE") >> bob.says(200, ANSWER) << bob.gets("ACK")
        office << alice.gets("INVITE") >> alice.says(488) << alice.gets("ACK")
        office << alice.gets("BYE") >> alice.ok() << bob.gets("BYE") >> bob.ok()
        office.ends("handed_over", "media")


async def test_one_caller_too_many_hears_that_it_is_busy(
    office: Office, alice: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.features.attendants.MOST_CALLERS", 1)
    office.set("attendants", "700")
    async with office.serving():
        await call_in(office, alice)
        second = office.second_line(alice)
        office >> second.invite("700", OFFER) << second.gets(486) >> second.ack_refusal()
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("busy", "normal")


async def test_what_the_caller_says_beside_goes_along(office: Office, alice: Phone, bob: Phone) -> None:
    office.set("attendants", "700", keys=("2=102",))
    async with office.serving():
        office >> alice.invite("700", OFFER, Subject="the roof leaks")
        await office.settled()
        office << alice.gets(100) << alice.gets(200) >> alice.ack()
        await press(office, alice, "2")
        office << bob.gets("INVITE", "Subject: the roof leaks", "Max-Forwards: 68") >> bob.says(180)
        office >> alice.bye() << alice.gets(200) << bob.gets("CANCEL") >> bob.ok()
        office >> bob.says(487, to=bob.invited) << bob.gets("ACK")
        await office.settled()
        office.ends("handed_over", "cancelled")


async def test_the_other_phone_of_the_caller_cannot_take_the_menu_over(office: Office, alice: Phone) -> None:
    office.set("attendants", "700")
    other = office.phone("101")
    async with office.serving():
        await call_in(office, alice)
        office >> other.invite("x", OFFER, Replaces=replaces_of(alice))
        office << other.gets(603) >> other.ack_refusal()
        office >> alice.bye() << alice.gets(200)
        await office.settled()
        office.ends("refused", "normal")


async def test_many_keys_at_once(office: Office, alice: Phone, bob: Phone) -> None:
    """They are heard ahead: through a menu and on, without a greeting."""
    office.set("attendants", "700", keys=("5=701",), direct_dialling=False)
    office.set("attendants", "701", keys=("*=102",), direct_dialling=False)
    async with office.serving():
        await call_in(office, alice)
        for key in "5*":
            office >> alice.ask("INFO", f"Signal={key}".encode(), Content_Type="application/dtmf-relay")
        office << alice.gets(200) << alice.gets(200)
        await office.settled()
        rings_and_talks(office, alice, bob)
        office.ends("handed_over", "normal")
    assert [(each.by, each.to) for each in office.records[1].steps] == [("701", "102")]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"keys": ("1=",)}, "error.bad_menu_key"),
        ({"keys": ("12=101",)}, "error.bad_menu_key"),
        ({"keys": ("A=101",)}, "error.bad_menu_key"),
        ({"keys": ("1=101", "1=102")}, "error.key_twice"),
        ({"greeting": "../x"}, "error.bad_prompt_name"),
        ({"tries": 0}, "error.out_of_range"),
        ({"otherwise_to": "700"}, "error.forwards_to_itself"),
    ],
)
def test_settings_that_cannot_be(office: Office, values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        office.set("attendants", "700", **values)


def test_a_greeting_that_there_is_not(office: Office, tmp_path: Path) -> None:
    """It is refused when it is set; one that is lost later holds up no other change."""
    office.prompts._folder = tmp_path
    with pytest.raises(ConfigError, match=r"attendants\.700\.greeting: error\.no_such_prompt") as refused:
        office.set("attendants", "700", greeting="welcome")
    assert refused.value.params == {"name": "welcome"}
    file = tmp_path / "prompt-welcome.wav"
    file.touch()
    office.set("attendants", "700", greeting="welcome")
    file.unlink()
    office.set("attendants", "700", tries=5)
    assert office.setting("attendants", "700").greeting == "welcome"
    with pytest.raises(ConfigError, match="no_such_prompt"):
        office.set("attendants", "700", greeting="other")


def test_a_number_is_of_one_alone(office: Office, alice: Phone) -> None:
    with pytest.raises(ConfigError, match="number_taken"):
        office.set("attendants", "101")


NUMBERS = st.lists(st.text("123", min_size=2, max_size=4), max_size=6)


@given(st.text(MENU_KEYS, min_size=1, max_size=6), NUMBERS, st.booleans())
def test_whatever_is_typed_means_what_there_is(typed: str, numbers: list[str], complete: bool) -> None:
    menu = {"1": "500", "*": "again"}
    to = chosen(typed, menu, numbers, complete=complete)
    if to is None:
        assert not complete
        assert any(each.startswith(typed) and each != typed for each in numbers)
    else:
        assert to in {"", "500", "again", *numbers}
    if typed in numbers and complete:
        assert to == typed
