"""Time conditions and the night mode, on the day when clocks change too (X-24). Hours and holidays: tests/config."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from appliance.errors import ConfigError
from appliance.sip.message import Request
from tests.call.playbook import OFFER, Phone
from tests.features.office import Office
from tests.features.test_forwarding import comes_to, dialled, is_taken, steps

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def day(office: Office, bob: Phone, carol: Phone) -> Phone:
    """900 leads to 102 by day, and to 103 by night."""
    office.set("time-conditions", "900", hours=("mon-fri 08:00-18:00",), open_to="102", closed_to="103")
    return bob


def leads_to(office: Office, alice: Phone, phone: Phone) -> None:
    """Nobody is told that a time condition was on the way."""
    office >> alice.invite("900", OFFER) << phone.gets("INVITE", lacks=("Diversion", "History-Info"))
    office << alice.gets(100)
    is_taken(office, alice, phone)


def test_by_day_and_by_night(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    leads_to(office, alice, day)
    assert steps(office) == [("900", "102", "time-of-day")]
    office.now = office.now.replace(hour=18)
    leads_to(office, alice, carol)
    office.ends("normal", "normal")


def test_holidays(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    office.set("time-conditions", "900", holidays=("12-24..01-02", "2026-11-25"))
    leads_to(office, alice, carol)
    office.now = office.now.replace(day=26)
    leads_to(office, alice, day)
    office.now = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)  # a Friday
    leads_to(office, alice, carol)
    office.ends("normal", "normal", "normal")


async def test_the_night_mode_by_code(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    office.set("time-conditions", "901", open_to="102", closed_to="103", heeds_night=False)
    for code, phone in (("*28", carol), ("*29", day)):
        async with office.serving():
            await dialled(office, alice, code)
        leads_to(office, alice, phone)
        office >> alice.invite("901", OFFER) << day.gets("INVITE") << alice.gets(100)
        is_taken(office, alice, day)
    office.ends(*["normal"] * 6)


def test_nobody_is_there_by_night(office: Office, alice: Phone, day: Phone) -> None:
    office.set("time-conditions", "900", closed_to="")
    office.now = office.now.replace(hour=20)
    office >> alice.invite("900", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.ends("unavailable")


@pytest.mark.parametrize(
    ("utc", "hours", "leads"),
    [
        # Spring, 29 March 2026: 01:59 CET is followed by 03:00 CEST; 02:30 is not.
        ("2026-03-29 00:59", "00:00-02:30", "102"),
        ("2026-03-29 01:00", "00:00-02:30", "103"),
        ("2026-03-29 01:00", "02:30-08:00", "102"),
        ("2026-03-29 00:59", "02:30-08:00", "103"),
        # Autumn, 25 October 2026: 02:59 CEST is followed by 02:00 CET; 02:30 is twice.
        ("2026-10-25 00:29", "02:30-08:00", "103"),
        ("2026-10-25 00:30", "02:30-08:00", "102"),
        ("2026-10-25 01:00", "02:30-08:00", "103"),
        ("2026-10-25 01:30", "02:30-08:00", "102"),
        ("2026-10-25 01:30", "00:00-02:30", "103"),
    ],
)
@pytest.mark.usefixtures("day", "carol")
def test_x_24_when_clocks_change(office: Office, alice: Phone, utc: str, hours: str, leads: str) -> None:
    """What the clock on the wall says counts, on both sides of the change."""
    office.set("time-conditions", "900", hours=(hours,))
    office.now = datetime.fromisoformat(utc + "+00:00").astimezone(BERLIN)
    office >> alice.invite("900", OFFER)
    (_, invite) = office.wiretap.sent.popleft()
    assert isinstance(invite, Request)
    assert invite.to.uri.number == leads
    office << alice.gets(100) >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    office.waits(40)
    office.wiretap.sent.clear()  # nobody said anything to the INVITE
    office.ends("cancelled")


def test_to_a_forwarded_extension(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    """What is told begins with whoever sends the call on."""
    office.set("forwarding", "102", always="103")
    office >> alice.invite("900", OFFER) << alice.gets(181, 'username="102", contact="103"')
    office << carol.gets(
        "INVITE",
        'Diversion: "Bob" <sip:102@',
        "History-Info: <sip:102@192.0.2.1>;index=1, <sip:103@",
        lacks=("900",),
    )
    is_taken(office, alice, carol)
    office.ends("normal")
    assert steps(office) == [("900", "102", "time-of-day"), ("102", "103", "unconditional")]


def test_forwarded_to_a_time_condition(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    """Everybody hears where the call ends."""
    dave = office.phone("104")
    office.set("forwarding", "104", always="900")
    office >> alice.invite("104", OFFER) << alice.gets(181, 'username="104", contact="102"')
    office << day.gets(
        "INVITE", "<sip:104@192.0.2.1>;index=1, <sip:102@192.0.2.1;cause=302>;index=1.1", lacks=("900",)
    )
    is_taken(office, alice, day)
    office.ends("normal")
    assert steps(office) == [("104", "900", "unconditional"), ("900", "102", "time-of-day")]
    assert dave.invited is None


@pytest.mark.parametrize("when", ["busy", "no_answer", "not_registered"])
def test_forwarded_there_and_on_from_there(
    office: Office, alice: Phone, day: Phone, carol: Phone, when: str
) -> None:
    """104 sends the call to 900, which leads to 102, who sends it to 103: two steps are told."""
    dave = office.phone("104")
    for number, to in (("104", "900"), ("102", "103")):
        office.set("forwarding", number, **{when: to})
        office.extensions[number] = msgspec.structs.replace(office.extensions[number], ring_seconds=5)
        if when == "not_registered":
            office.bindings[number].clear()
    office >> alice.invite("104", OFFER)
    begun = comes_to(office, alice, dave, when, begun=False)
    office << alice.gets(181, 'username="104", contact="102"')
    comes_to(office, alice, day, when, begun=begun)
    office << alice.gets(181, 'username="102", contact="103"') << carol.gets("INVITE")
    is_taken(office, alice, carol)
    office.waits(40)
    office.wiretap.sent.clear()  # whoever was cancelled says nothing more
    office.ends("normal")
    assert [by for by, _, _ in steps(office)] == ["104", "900", "102"]


def test_one_that_leads_to_another_and_back(office: Office, alice: Phone, day: Phone) -> None:
    office.set("time-conditions", "901", open_to="900")
    office.set("time-conditions", "900", open_to="901")
    office >> alice.invite("900", OFFER) << alice.gets(482) >> alice.ack_refusal()
    office.ends("loop")


def test_the_one_it_leads_to_wants_no_calls(office: Office, alice: Phone, day: Phone, carol: Phone) -> None:
    office.set("do-not-disturb", "102", enabled=True)
    office >> alice.invite("900", OFFER) << alice.gets(480) >> alice.ack_refusal()
    office.set("forwarding", "102", busy="103")
    office >> alice.invite("900", OFFER) << alice.gets(181) << carol.gets("INVITE")
    is_taken(office, alice, carol)
    office.ends("unavailable", "normal")


@pytest.mark.parametrize(
    "values",
    [
        {"open_to": ""},
        {"open_to": "900"},
        {"closed_to": "x"},
        {"hours": ("mon",)},
        {"holidays": ("2026-02-30",)},
    ],
)
def test_what_cannot_be_set(office: Office, bob: Phone, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        office.set("time-conditions", "900", **{"open_to": "102", **values})
