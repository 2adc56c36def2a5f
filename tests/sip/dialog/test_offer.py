"""Whose turn it is: RFC 3264 §4, RFC 3311 §5."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import LocalError, PeerError
from appliance.sip.dialog import OfferAnswer, OfferState
from tests.sip.dialog.explore import explore


def test_offer_and_answer_either_way() -> None:
    offers = OfferAnswer()
    states = []
    for step in (offers.send_offer, offers.receive_answer, offers.receive_offer, offers.send_answer):
        step()
        states.append(offers.state)
    assert states == [OfferState.SENT, OfferState.STABLE, OfferState.RECEIVED, OfferState.STABLE]


def test_an_answer_nobody_waits_for_is_ignored() -> None:
    assert not OfferAnswer().receive_answer()


def test_offers_that_meet() -> None:
    offers = OfferAnswer()
    offers.send_offer()
    with pytest.raises(PeerError) as refusal:
        offers.receive_offer()
    assert refusal.value.status == 491


def test_a_second_offer_before_the_answer() -> None:
    offers = OfferAnswer()
    offers.receive_offer()
    for random, wait in ((0.0, "0"), (0.5, "5"), (0.999, "10")):
        with pytest.raises(PeerError) as refusal:
            offers.receive_offer(random)
        assert (refusal.value.status, refusal.value.headers) == (500, (("Retry-After", wait),))


def test_our_own_mistakes() -> None:
    offers = OfferAnswer()
    with pytest.raises(LocalError):
        offers.send_answer()
    offers.receive_offer()
    with pytest.raises(LocalError):
        offers.send_offer()


def test_withdrawn() -> None:
    offers = OfferAnswer()
    offers.send_offer()
    offers.withdraw()
    assert offers.state is OfferState.STABLE


INPUTS: dict[str, Callable[[OfferAnswer], object]] = {
    "send_offer": OfferAnswer.send_offer,
    "send_answer": OfferAnswer.send_answer,
    "receive_offer": OfferAnswer.receive_offer,
    "receive_answer": OfferAnswer.receive_answer,
    "withdraw": OfferAnswer.withdraw,
}


@given(st.lists(st.sampled_from(sorted(INPUTS)), max_size=30))
def test_at_most_one_offer_is_open(inputs: list[str]) -> None:
    offers = OfferAnswer()
    for each in inputs:
        before = offers.state
        try:
            INPUTS[each](offers)
        except LocalError:
            assert each.startswith("send")
            assert offers.state is before
        except PeerError:
            assert each == "receive_offer"
            assert offers.state is before is not OfferState.STABLE


REFUSED = {
    # RFC 3264 §4: one offer at a time, and an answer to an offer alone.
    ("SENT", "send_offer"): "LocalError", ("RECEIVED", "send_offer"): "LocalError",
    ("SENT", "send_answer"): "LocalError", ("STABLE", "send_answer"): "LocalError",
    # RFC 3311 §5.2.
    ("SENT", "receive_offer"): "491", ("RECEIVED", "receive_offer"): "500",
}  # fmt: skip


def test_every_input_in_every_state() -> None:
    outcomes = explore([OfferAnswer()], INPUTS, lambda offers: offers.state.name, steps=5)
    pairs = product([state.name for state in OfferState], INPUTS)
    assert outcomes == {pair: {REFUSED.get(pair, "ok")} for pair in pairs}
