"""Reliable provisional responses, walked without a clock: RFC 3262 §3 (server), §4 (client), §7 (headers)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog import (
    GiveUpWaiting,
    RAck,
    ReliableClient,
    ReliableServer,
    Send,
    SendAgain,
    StopWaiting,
    Wait,
    rseq_of,
)
from appliance.sip.dialog.reliable import MAX_WAITING
from appliance.sip.message import CSeq, Headers, Request, Response
from tests.sip.dialog.explore import explore

INVITE = CSeq(7, "INVITE")


def server(first: int = 100) -> ReliableServer[str]:
    return ReliableServer(INVITE, first)


def rack(number: int, cseq: CSeq = INVITE) -> RAck:
    return RAck(number, cseq)


# --- the server


def test_a_response_is_repeated_without_a_ceiling_until_its_prack() -> None:
    machine = server()
    assert machine.send("180", session=False) == [Send(100, "180"), Wait(0.5)]
    assert machine.fired() == [SendAgain(), Wait(1.0)]
    assert machine.fired() == [SendAgain(), Wait(2.0)]
    assert machine.fired() == [SendAgain(), Wait(4.0)]
    assert machine.fired() == [SendAgain(), Wait(8.0)]
    assert machine.receive_prack(rack(100)) == [StopWaiting()]
    assert machine.fired() == []


def test_what_waits_its_turn_can_be_seen() -> None:
    machine = server()
    machine.send("181", session=False)
    assert not machine.waiting
    machine.send("181 again", session=False)
    machine.send("180", session=False)
    assert list(machine.waiting) == ["181 again", "180"]
    machine.receive_prack(rack(100))
    assert list(machine.waiting) == ["180"]


def test_no_prack_for_64_t1_is_the_end() -> None:
    machine = server()
    machine.send("183", session=True)
    machine.send("180", session=False)
    waited, effects = 0.5, machine.fired()
    while effects != [GiveUpWaiting()]:
        assert effects[0] == SendAgain()
        assert isinstance(effects[1], Wait)
        waited += effects[1].delay
        effects = machine.fired()
    assert waited == 32.0
    with pytest.raises(LocalError):
        machine.send("181", session=False)


def test_one_at_a_time_and_in_order() -> None:
    machine = server()
    machine.send("183", session=True)
    assert machine.send("180", session=False) == []
    assert machine.send("182", session=False) == []
    assert machine.receive_prack(rack(100)) == [Send(101, "180"), Wait(0.5)]
    assert machine.receive_prack(rack(101)) == [Send(102, "182"), Wait(0.5)]
    assert machine.receive_prack(rack(102)) == [StopWaiting()]
    assert machine.send("183", session=False) == [Send(103, "183"), Wait(0.5)]


@pytest.mark.parametrize(
    "wrong", [rack(99), rack(101), rack(100, CSeq(8, "INVITE")), rack(100, CSeq(7, "UPDATE"))]
)
def test_a_prack_that_matches_nothing_is_481(wrong: RAck) -> None:
    machine = server()
    machine.send("180", session=False)
    with pytest.raises(PeerError) as refusal:
        machine.receive_prack(wrong)
    assert refusal.value.status == 481
    assert machine.receive_prack(rack(100)) == [StopWaiting()]
    with pytest.raises(PeerError):
        machine.receive_prack(rack(100))


def test_2xx_waits_for_the_prack_of_a_session_description() -> None:
    machine = server()
    machine.send("183", session=True)
    assert machine.holds_success
    assert machine.finish() == []
    assert machine.fired() == [SendAgain(), Wait(1.0)]
    assert machine.receive_prack(rack(100)) == [StopWaiting()]
    assert not machine.holds_success


def test_2xx_does_not_wait_for_ringing() -> None:
    machine = server()
    machine.send("180", session=False)
    machine.send("182", session=False)
    assert not machine.holds_success
    assert machine.finish() == [StopWaiting()]
    # §3: it MUST be prepared for the PRACK still; nothing new is sent.
    assert machine.receive_prack(rack(100)) == [StopWaiting()]


def test_of_what_waits_a_2xx_lets_only_session_descriptions_pass() -> None:
    machine = server()
    machine.send("180", session=False)
    machine.send("182", session=False)
    machine.send("183", session=True)
    assert machine.holds_success
    assert machine.finish() == []
    assert machine.receive_prack(rack(100)) == [Send(101, "183"), Wait(0.5)]
    assert machine.receive_prack(rack(101)) == [StopWaiting()]
    assert not machine.holds_success


def test_a_phone_that_never_stops_telling_is_heard_no_further() -> None:
    machine = server()
    for at in range(2 * MAX_WAITING):
        machine.send(str(at), session=False)
    assert machine.send("answer", session=True) == []
    number, sent = 100, 1
    while machine.receive_prack(rack(number)) != [StopWaiting()]:
        number, sent = number + 1, sent + 1
    assert sent == 1 + MAX_WAITING + 1


# --- the client


def test_responses_are_taken_once_and_in_order() -> None:
    client = ReliableClient()
    taken = [client.receive(number) for number in (500, 500, 502, 501, 502, 500, 503)]
    assert taken == [True, False, False, True, True, False, True]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 2**31 - 1))
def test_both_sides_agree_whatever_is_lost(arrives: list[bool], first: int) -> None:
    """What the client takes is what the server was told to send, in its order, each once."""
    sender, receiver = server(first), ReliableClient()
    wanted = deque(f"{at}" for at in range(5))
    taken: list[str] = []
    last: Send[str] | None = None
    effects = sender.send(wanted.popleft(), session=False)
    for chance in [*arrives, *[True] * 12]:
        for effect in effects:
            if isinstance(effect, Send):
                last = effect
        effects = []
        if last is None:
            break
        if chance:
            if receiver.receive(last.rseq):
                taken.append(last.item)
            sender.receive_prack(rack(last.rseq))
            last = None
            if wanted:
                effects = sender.send(wanted.popleft(), session=False)
        elif GiveUpWaiting() in sender.fired():
            break
    assert taken == [f"{at}" for at in range(len(taken))]


# --- every input in every state

INPUTS: dict[str, Callable[[ReliableServer[str]], object]] = {
    "ringing": lambda machine: machine.send("180", session=False),
    "session": lambda machine: machine.send("183", session=True),
    "fired": lambda machine: machine.fired(),
    "prack": lambda machine: machine.receive_prack(rack(machine._pending or 0)),
    "stray prack": lambda machine: machine.receive_prack(rack(2**31)),
    "finish": lambda machine: machine.finish(),
}


def name(machine: ReliableServer[str]) -> str:
    told = "quiet" if machine._pending is None else "unacknowledged"
    return f"{told}, {'finished' if machine._stopped else 'open'}"


def test_every_input_in_every_state() -> None:
    outcomes = explore([server()], INPUTS, name, steps=7)
    states = [f"{told}, {end}" for told in ("quiet", "unacknowledged") for end in ("open", "finished")]
    assert outcomes.keys() == set(product(states, INPUTS))
    for (state, label), came in outcomes.items():
        if label in {"ringing", "session"}:
            assert came == {"LocalError" if state.endswith("finished") else "ok"}
        elif "prack" in label:
            assert came == {"ok" if label == "prack" and state.startswith("unack") else "481"}
        else:
            assert came == {"ok"}


@given(st.lists(st.sampled_from(sorted(INPUTS)), max_size=40))
def test_any_inputs_in_any_order(labels: list[str]) -> None:
    """One response is unacknowledged at a time, numbers go up by one, and a timer runs while somebody waits for a PRACK."""
    machine, waits, sent = server(), False, []
    for label in labels:
        if label == "fired" and not waits:
            continue  # it cannot fire
        try:
            effects = INPUTS[label](machine)
        except (LocalError, PeerError):
            continue
        assert isinstance(effects, list)
        for effect in effects:
            if isinstance(effect, Send):
                sent.append(effect.rseq)
            waits = isinstance(effect, Wait) or (waits and isinstance(effect, Send | SendAgain))
        assert waits or machine._pending is None or machine._stopped
    assert sent == list(range(100, 100 + len(sent)))


def test_the_client_takes_any_number() -> None:
    takes: dict[str, Callable[[ReliableClient], object]] = {
        str(number): lambda client, number=number: client.receive(number)  # type: ignore[misc]  # mypy cannot infer the default
        for number in (1, 2, 3, 2**31 - 1)
    }
    outcomes = explore([ReliableClient()], takes, lambda client: str(client._last), steps=5)
    assert set().union(*outcomes.values()) == {"ok"}


# --- the headers


def prack(value: str | None) -> Request:
    return Request("PRACK", "sip:a@b", Headers([("RAck", value)] if value is not None else []))


@pytest.mark.parametrize("text", ["776656 1 INVITE", " 776656   1  INVITE", "776656\t1\tINVITE"])
def test_rack_is_read(text: str) -> None:
    assert RAck.of(prack(text)) == RAck(776656, CSeq(1, "INVITE"))
    assert str(RAck.of(prack(text))) == "776656 1 INVITE"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from(["INVITE", "x-y"]))
def test_reading_a_rack_undoes_printing_it(rseq: int, number: int, method: str) -> None:
    made = RAck(rseq, CSeq(number, method))
    assert RAck.of(prack(str(made))) == made


@pytest.mark.parametrize("text", [None, "", "1", "1 2", "x 1 INVITE", "-1 1 INVITE", "4294967296 1 INVITE"])
def test_rack_that_cannot_be_read_is_400(text: str | None) -> None:
    with pytest.raises(PeerError) as refusal:
        RAck.of(prack(text))
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ([("Require", "100rel"), ("RSeq", "5")], 5),
        ([("Require", "precondition, 100REL"), ("RSeq", " 4294967295 ")], 4294967295),
        ([("Require", "100rel")], None),
        ([("RSeq", "5")], None),
        ([("Require", "precondition"), ("RSeq", "5")], None),
        ([("Require", "100rel"), ("RSeq", "0")], None),
        ([("Require", "100rel"), ("RSeq", "five")], None),
    ],
)
def test_which_responses_want_a_prack(headers: list[tuple[str, str]], number: int | None) -> None:
    assert rseq_of(Response(183, "Session Progress", Headers(headers))) == number
