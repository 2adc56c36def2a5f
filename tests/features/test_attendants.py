"""Attendants, as callers and those they choose see them; keys as INFO has them, and as RTP has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ConfigError
from appliance.features.attendants import MENU_KEYS, MOST_GREETINGS, chosen
from appliance.media.keys import KEYS
from appliance.media.prompts import Prompts
from appliance.media.tone import sine
from appliance.media.wav import write_wav
from tests.call.playbook import ANSWER, OFFER, Phone, sdp
from tests.features.office import Office
from tests.media.test_keys import packet

CAROLS = sdp("10.3.3.3", 6000)
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
        office >> alice.invite(
            "700", sdp("10.1.1.1", 4000, "a=rtpmap:101 telephone-event/8000").replace(b"AVP 8", b"AVP 8 101")
        )
        await office.settled()
        office << alice.gets(100) << alice.gets(200, "telephone-event") >> alice.ack()
        (call,) = office.exchange._calls.values()
        pair = call.caller.media._pairs[0]
        assert pair is not None
        assert pair.rtp.keys is not None
        pair.rtp.keys.read(packet(KEYS.index("#"), 160))
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
