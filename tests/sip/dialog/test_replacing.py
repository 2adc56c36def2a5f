"""Which dialog a Replaces names. RFC 3891 §3."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from appliance.errors import PeerError
from appliance.sip.dialog.dialog import DialogId
from appliance.sip.dialog.replacing import DialogStage, find_replaced
from appliance.sip.message import Replaces


@dataclass(frozen=True)
class Leg:
    stage: DialogStage
    initiated: bool = False


CONFIRMED, ENDED = Leg(DialogStage.CONFIRMED), Leg(DialogStage.ENDED)
OURS, THEIRS = Leg(DialogStage.EARLY, initiated=True), Leg(DialogStage.EARLY)
# Our own tag is the second: what the header calls to-tag.
NAMED: DialogId = ("call", "ours", "theirs")


def find(leg: Leg, *, early_only: bool = False, initiated_only: bool = True) -> Leg:
    replaces = Replaces.of("call", "ours", "theirs", early_only=early_only)
    return find_replaced(replaces, {NAMED: leg}.get, initiated_only=initiated_only)


def test_found() -> None:
    assert find(CONFIRMED) is CONFIRMED
    assert find(OURS) is find(OURS, early_only=True) is OURS
    # A transfer that we carry out ourselves may take over a call that the peer is still ringing.
    assert find(THEIRS, initiated_only=False) is THEIRS


@pytest.mark.parametrize(
    ("leg", "early_only", "status"),
    [
        (ENDED, False, 603),
        (ENDED, True, 603),
        (CONFIRMED, True, 486),
        (THEIRS, False, 481),
        (THEIRS, True, 481),
    ],
)
def test_refused(leg: Leg, *, early_only: bool, status: int) -> None:
    with pytest.raises(PeerError) as refusal:
        find(leg, early_only=early_only)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    "name", [("other", "ours", "theirs"), ("call", "theirs", "ours"), ("call", "ours", "x")]
)
def test_not_found(name: tuple[str, str, str]) -> None:
    with pytest.raises(PeerError) as refusal:
        find_replaced(Replaces.of(*name), {NAMED: CONFIRMED}.get)
    assert refusal.value.status == 481


def test_a_tag_of_zero_is_also_none() -> None:
    old: DialogId = ("call", "ours", "")
    replaces = Replaces.of("call", "ours", "0")
    assert find_replaced(replaces, {old: CONFIRMED}.get) is CONFIRMED
    assert find_replaced(replaces, {("call", "ours", "0"): CONFIRMED}.get) is CONFIRMED
    # §3: more than one match is none.
    with pytest.raises(PeerError) as refusal:
        find_replaced(replaces, {old: CONFIRMED, ("call", "ours", "0"): CONFIRMED}.get)
    assert refusal.value.status == 481
