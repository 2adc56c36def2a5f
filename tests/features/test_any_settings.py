"""Whatever people set and whatever phones say: every call ends, is sent on five times at most, tells of each step once, has one
record, and leaves nothing behind.
"""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from appliance.call.diversion import MAX_STEPS, Forwarding, told
from appliance.call.events import Diverted
from appliance.sip.message import Request, Response
from tests.call.playbook import ANSWER, OFFER, Phone, Sends, sdp
from tests.features.office import Office

NUMBERS = ("101", "102", "103", "104", "105", "106")
GROUPS, CONDITION = ("600", "601"), "900"
ANYWHERE = st.sampled_from([*NUMBERS, *GROUPS, CONDITION, "999", "*78"])
CALLERS = (NUMBERS[0], NUMBERS[-1])
DIALLED = st.sampled_from(["102", "103", *GROUPS, CONDITION])
OTHER_PHONES = ["103", "104", "105", "106"]

forwarding = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("always", "busy", "no_answer", "not_registered"), ANYWHERE)
)
group = st.fixed_dictionaries(
    {
        "members": st.lists(st.sampled_from([*OTHER_PHONES, *NUMBERS, "999"]), max_size=4).map(tuple),
        "strategy": st.sampled_from(["all", "linear", "circular", "longest_idle"]),
        "skip_busy": st.booleans(),
        "ring_seconds": st.sampled_from([5, 20, 60]),
    },
    optional=dict.fromkeys(("busy_to", "no_answer_to", "closed_to"), ANYWHERE)
    | {"open": st.just(CONDITION), "level": st.integers(0, 9)},
)
condition = st.fixed_dictionaries(
    {"open_to": ANYWHERE},
    optional={"closed_to": ANYWHERE, "hours": st.sampled_from([("09:00-12:00",), ("12:00-13:00",)])},
)
answer = st.one_of(
    st.sampled_from([486, 480, 603, 408, 500, 200, 200, 200]),
    st.sampled_from(["rings", "rings", "is silent", "is gone", "early"]),
    ANYWHERE.map("moves to {}".format),
)


@dataclass
class House:
    """What is set, and what phones will say."""

    forwardings: dict[str, dict[str, str]]
    quiet: set[str]
    groups: dict[str, dict[str, Any]]
    condition: dict[str, Any]
    absent: set[str]
    answers: list[int | str]


houses = st.builds(
    House,
    st.dictionaries(st.sampled_from(NUMBERS), forwarding, min_size=2, max_size=6),
    st.sets(st.sampled_from(NUMBERS), max_size=2),
    st.fixed_dictionaries(dict.fromkeys(GROUPS, group)),
    condition,
    st.sets(st.sampled_from(OTHER_PHONES), max_size=2),
    st.lists(answer, min_size=1, max_size=8),
)


@dataclass
class Street:
    """The phones, each of which does at once what it is to do."""

    office: Office
    phones: dict[tuple[str, int], Phone]
    answers: list[int | str]
    wish: str
    "Where the caller names 100rel."
    given: int = 0
    notices: dict[str, list[Forwarding]] = field(default_factory=dict)
    "What each caller was told of his call, in order."
    ringing: dict[str, Request] = field(default_factory=dict)
    "By Call-ID."
    acknowledged: frozenset[tuple[str, str]] = frozenset()
    callers: dict[str, Phone] = field(default_factory=dict)
    "By Call-ID: whoever calls may be rung at the same time."
    finals: set[str] = field(default_factory=set)
    "The Call-IDs of the calls that have had their answer."

    def deliver(self) -> None:
        sent = self.office.wiretap.sent
        while sent:
            flow, message = sent.popleft()
            phone = self.callers.get(message.call_id) or self.phones[flow.remote[0], flow.remote[1]]
            phone.take(message)
            if isinstance(message, Request):
                self._asked(phone, message)
            elif message.cseq.method == "INVITE" and message.status > 100:
                self._heard(phone, message)

    def _heard(self, caller: Phone, response: Response) -> None:
        if "RSeq" in response.headers and response.status < 200:
            assert self.office >> caller.prack()
            known, self.acknowledged = self.acknowledged, self.acknowledged | {rseq_of(caller, response)}
            if known == self.acknowledged:
                return  # once more, for its PRACK took long
        if response.status == 181:
            (value,) = response.headers.get_all("Call-Info")
            notice = Forwarding.parse(value)
            assert notice is not None
            self.notices[caller.number].append(notice)
        elif response.status >= 300:
            self.finals.add(response.call_id)
            assert self.office >> caller.ack_refusal()
        elif response.status >= 200:
            self.finals.add(response.call_id)
            assert self.office >> caller.ack() >> caller.bye()

    def _asked(self, phone: Phone, request: Request) -> None:
        match request.method:
            case "INVITE" if request.call_id not in self.ringing:
                self.ringing[request.call_id] = request
                self._history(request)
                self._answers(phone, request)
            case "CANCEL":
                assert self.office >> phone.ok()
                assert self.office >> phone.says(487, to=self.ringing[request.call_id])
            case "BYE" | "PRACK":
                assert self.office >> phone.ok()

    def _history(self, invite: Request) -> None:
        """Whoever is called learns of all that was told to the caller."""
        notices = self.notices[invite.from_.uri.number or ""]
        diversions = len(invite.headers.get_all("Diversion"))
        # What is told reliably is told in its turn, which may be later.
        assert diversions == len(notices) or (self.wish and diversions > len(notices))
        entries = "".join(invite.headers.get_all("History-Info")).count(";index=")
        assert entries == (diversions + 1 if diversions else 0)

    def _answers(self, phone: Phone, invite: Request) -> None:
        what = self.answers[self.given % len(self.answers)]
        self.given += 1
        self.office.story.append(f"{phone.tag:>10} -- {what}")
        for each in self._words(phone, invite, what):
            assert self.office >> each

    def _words(self, phone: Phone, invite: Request, what: int | str) -> list[Sends]:
        match what:
            case 200:
                return [phone.says(180, to=invite), phone.says(200, ANSWER, to=invite)]
            case int():
                return [phone.says(what, to=invite)]
            case "rings" | "early":
                early = sdp("10.5.5.5", 5500) if what == "early" else b""
                return [phone.says(183 if early else 180, early, to=invite)]
            case "is gone" | "is silent":
                calls = phone.number in CALLERS  # and wants to hear what becomes of it
                self.office.wiretap.dead |= {phone.address} if what == "is gone" and not calls else set()
                return []
            case _:
                moved = phone.says(302, to=invite)
                moved.message.headers.set("Contact", f"<sip:{what.split()[-1]}@x>")
                return [moved]


def rseq_of(caller: Phone, response: Response) -> tuple[str, str]:
    return caller.call_id, response.headers.get("RSeq") or ""


def furnish(office: Office, house: House) -> None:
    for number, values in house.forwardings.items():
        office.set("forwarding", number, **{when: to for when, to in values.items() if to != number})
    for number in house.quiet:
        office.set("do-not-disturb", number, enabled=True)
    values = {name: "" if to == CONDITION else to for name, to in house.condition.items()}
    office.set("time-conditions", CONDITION, **{**values, "open_to": values["open_to"] or "102"})
    for number, values in house.groups.items():
        members = tuple(each for each in values["members"] if each != number)
        others = {name: value for name, value in values.items() if value != number}
        office.set("groups", number, **{**others, "members": members})
    for number in house.absent:
        office.bindings[number].clear()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    houses,
    st.lists(st.tuples(DIALLED, DIALLED), min_size=1, max_size=3),
    st.sampled_from(["", "Supported", "Require"]),
    st.sampled_from([0, 1, 21, 1e9, 1e9, 1e9]),
)
def test_every_call_ends_and_tells_what_it_did(
    caplog: pytest.LogCaptureFixture,
    house: House,
    dialled: list[tuple[str, str]],
    wish: str,
    patience: float,
) -> None:
    caplog.clear()
    office = Office()
    phones = [office.phone(number, f"Number {number}", ring_seconds=25) for number in NUMBERS]
    furnish(office, house)
    street = Street(office, {each.address: each for each in phones}, house.answers, wish)
    for first, second in dialled:
        callers = [(copy(phones[0]), first), (copy(phones[-1]), second)][: 1 + (first != second)]
        live(street, callers, patience)
        for caller, _ in callers:
            judge(street, caller)
    assert office.exchange.calls() == []
    assert {office.exchange.busy_state(number) for number in NUMBERS} == {"idle"}
    assert len(street.finals) == len(office.records) >= len(dialled)
    assert office.relay.open_ports == 0, office.story
    office.waits(300)
    assert office.endpoint.transactions == 0, office.story
    assert office.endpoint._dialogs == {}, office.story
    assert len(office.timers.heap) == 0, office.story
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == [], office.story


def live(street: Street, callers: list[tuple[Phone, str]], patience: float) -> None:
    """One or two calls at once, from the INVITE to the end; the callers wait that many seconds."""
    office = street.office
    for caller, number in callers:
        invite = caller.invite(number, OFFER, **({street.wish: "100rel"} if street.wish else {}))
        street.notices[caller.number] = []
        street.callers[caller.call_id] = caller
        assert office >> invite
    street.deliver()
    waited, given_up = 0.0, False
    while waiting := [caller for caller, _ in callers if caller.call_id not in street.finals]:
        assert waited < 1000, office.story
        if waited >= patience and not given_up:
            given_up = True
            for caller in waiting:
                assert office >> caller.cancel()
            street.deliver()
        office.waits(0.5)
        waited += 0.5
        street.deliver()


def judge(street: Street, caller: Phone) -> None:
    """What a caller was told of his last call, against its record."""
    record = next(each for each in reversed(street.office.records) if each.from_number == caller.number)
    notices = street.notices[caller.number]
    story = "\n".join(street.office.story)
    steps = tuple(
        Diverted(each.by, "", each.to, "unconditional", silent=each.by == CONDITION) for each in record.steps
    )
    # The record shows the one that was refused, too.
    assert len(steps) <= MAX_STEPS + (record.cause in {"forwards", "loop"}), story
    assert len({each.by for each in steps}) == len(steps), story
    heard = [Forwarding(each.by, each.to) for each in told(steps)]
    event(f"{record.cause}, {len(heard)} told")
    if record.answered_at is not None and street.wish != "Require":
        assert notices == heard, story
    else:  # what led to a refusal before anybody was rung, or was overtaken by the end, is in the record alone
        assert notices == heard[: len(notices)], story
