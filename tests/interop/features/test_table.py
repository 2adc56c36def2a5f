"""Which tests show which flow of RFC 5359, and which of a private branch exchange's own flows services bring; each has one.

The flows are in the folder shared/flows beside the checkout: what is sent, and what must come.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.call import test_exchange, test_optional_flows
from tests.features import (
    test_any_settings,
    test_click_to_dial,
    test_forwarding_reliable,
    test_hold,
    test_outside_rights,
    test_park,
    test_pick_up,
    test_time_conditions,
    test_transfer,
)
from tests.features import (
    test_forwarding as forwarding_ladders,
)
from tests.features import (
    test_groups as group_ladders,
)
from tests.interop import test_watching
from tests.interop.features import (
    test_flows,
    test_forwarding,
    test_groups,
    test_real_lamps,
    test_real_phones,
    test_sipp_forwarding,
    test_sipp_talks,
    test_sipp_watching,
)

FOLDER = Path(os.environ.get("BRANCHBOX_FLOWS") or Path(__file__).parents[4] / "shared" / "flows")

FLOWS: dict[str, tuple[Callable[..., object], ...]] = {
    "5359-2.1": (
        test_hold.test_5359_2_1_hold_and_resume,
        test_flows.test_2_1_2_3_hold_with_music,
        test_sipp_talks.test_5359_2_1_2_3_hold_with_music,
        test_sipp_talks.test_5359_2_1_both_hold_each_other,
    ),
    "5359-2.2": (
        test_hold.test_5359_2_2_consultation_hold,
        test_flows.test_2_2_consultation_hold,
        test_sipp_talks.test_5359_2_2_consultation_hold,
    ),
    "5359-2.3": (
        test_hold.test_5359_2_1_hold_and_resume,
        test_flows.test_2_1_2_3_hold_with_music,
        test_sipp_talks.test_5359_2_1_2_3_hold_with_music,
    ),
    "5359-2.4": (
        test_transfer.test_5359_2_4_blind,
        test_transfer.test_5359_2_4_busy_and_the_call_is_back,
        test_flows.test_2_4_blind,
        test_flows.test_2_4_busy_and_the_call_is_back,
        test_sipp_talks.test_5359_2_4_blind,
        test_sipp_talks.test_5359_2_4_busy_and_the_call_is_back,
        test_sipp_talks.test_5359_2_4_not_out_of_a_call,
    ),
    "5359-2.5": (
        test_transfer.test_5359_2_5_attended,
        test_flows.test_2_5_attended,
        test_flows.test_2_5_with_tags_that_name_nothing,
        test_sipp_talks.test_5359_2_5_attended,
        test_sipp_talks.test_5359_2_5_with_tags_that_name_nothing,
    ),
    "5359-2.6": (  # refused cleanly, as it may be
        test_optional_flows.test_5359_2_6_a_text_is_no_transfer,
        test_sipp_talks.test_5359_2_6_a_text_is_no_transfer,
    ),
    "5359-2.7": (
        forwarding_ladders.test_5359_2_7_all_calls,
        forwarding_ladders.test_a_chain_tells_of_each_step_in_order,
        test_forwarding_reliable.test_each_step_waits_for_the_prack_of_the_one_before,
        test_forwarding.test_5359_2_7_all_calls,
        test_forwarding.test_a_chain_of_two_reliably,
        test_real_phones.test_5359_2_7_2_8_sipp_is_told_and_talks,
        test_real_phones.test_5359_2_7_baresip_is_sent_on,
        test_sipp_forwarding.test_5359_2_7_all_calls,
    ),
    "5359-2.8": (
        forwarding_ladders.test_5359_2_8_busy,
        test_forwarding.test_5359_2_8_busy,
        test_real_phones.test_5359_2_7_2_8_sipp_is_told_and_talks,
        test_real_phones.test_5359_2_8_baresip_rejects_and_another_one_rings,
        test_sipp_forwarding.test_5359_2_8_busy,
    ),
    "5359-2.9": (
        forwarding_ladders.test_5359_2_9_no_answer,  # to the tenth of a second, on virtual time
        test_forwarding.test_5359_2_9_no_answer,
        test_sipp_forwarding.test_5359_2_9_no_answer,
    ),
    "5359-2.11": (  # refused cleanly, as it may be
        test_optional_flows.test_5359_2_11_nobody_joins_a_talk,
        test_sipp_forwarding.test_5359_2_11_nobody_joins_a_talk,
    ),
    "5359-2.12": (
        group_ladders.test_all_ring_and_the_first_answer_wins,
        group_ladders.test_linear_begins_with_the_first_each_time,
        test_groups.test_5359_2_12_all_ring_and_the_first_answer_wins,
        test_groups.test_5359_2_12_one_after_the_other,
        test_sipp_forwarding.test_5359_2_12_the_first_answer_wins,
        test_sipp_forwarding.test_5359_2_12_two_answer_at_the_same_instant,
        test_sipp_forwarding.test_5359_2_12_one_after_the_other,
        test_sipp_forwarding.test_5359_2_12_two_phones_of_one_extension,
        test_sipp_forwarding.test_5359_2_12_one_phone_after_the_other,
    ),
    "5359-2.14": (
        test_outside_rights.test_the_caller_s_right_is_not_the_forwarder_s,
        test_outside_rights.test_a_3xx_outside,
        test_outside_rights.test_a_3xx_of_a_carrier_is_never_followed,
        test_outside_rights.test_a_member_outside_is_rung_in_the_group_s_right,
        test_forwarding.test_5359_2_14_outside_in_the_forwarder_s_rights,
        test_sipp_forwarding.test_5359_2_14_outgoing_calls_are_screened,
    ),
    "5359-2.15": (
        test_park.test_5359_2_15_park_and_take_up,
        test_flows.test_2_15_park_and_take_up,
        test_sipp_talks.test_5359_2_15_park_and_take_up,
        test_sipp_talks.test_5359_2_15_whoever_parked_is_rung_in_time,
    ),
    "5359-2.16": (
        test_pick_up.test_5359_2_16_directed,
        test_flows.test_2_16_pick_up,
        test_sipp_talks.test_5359_2_16_pick_up,
        test_sipp_talks.test_5359_2_16_only_of_one_s_own_group,
    ),
    "5359-2.17": (
        test_optional_flows.test_5359_2_17_a_phone_calls_again_when_it_sees_that_one_is_free,
        test_sipp_watching.test_5359_2_17_a_phone_calls_again_when_it_sees_that_one_is_free,
    ),
    "5359-2.18": (
        test_click_to_dial.test_5359_2_18_both_answer,
        test_flows.test_2_18_click_to_dial,
        test_sipp_watching.test_5359_2_18_click_to_dial,
        test_sipp_watching.test_5359_2_18_whoever_clicked_does_not_answer,
    ),
    "X-12": (
        test_flows.test_x_12_attended_transfer_across_a_trunk,
        test_sipp_watching.test_x_12_attended_transfer_across_a_trunk,
    ),
    "X-21": (
        test_watching.test_a_lamp,
        test_watching.test_who_may_watch_what,
        test_sipp_watching.test_x_21_a_lamp,
        test_real_lamps.test_a_lamp_from_dark_to_dark,
        test_sipp_watching.test_x_21_messages_waiting,
    ),
    "X-23": (
        test_exchange.test_refused_at_once,
        forwarding_ladders.test_a_loop_ends_at_once,
        forwarding_ladders.test_more_than_five_steps_are_too_many,
        test_any_settings.test_every_call_ends_and_tells_what_it_did,
        test_forwarding.test_x_23_a_loop_ends_at_once,
        test_sipp_forwarding.test_x_23_a_circle_ends_at_once,
    ),
    "X-24": (
        test_time_conditions.test_x_24_when_clocks_change,
        test_sipp_watching.test_x_24_when_clocks_change,
    ),
}

WAITS = {
    "5359-2.10": "needs conferences: nothing here mixes the sound of three; a phone that mixes by itself does it with two calls",
    "5359-2.13": "needs a list of callers whom an extension does not take: there is only the rejection of those who hide",
}
"By flow: what is missing until its tests can show it here."

OF_SERVICES = ("X-12", "X-21", "X-23", "X-24")
"Of the exchange's own flows, those that are about services; the others are shown where their subject is."


def flows(name: str) -> list[Any]:
    file = FOLDER / name
    if not file.exists():
        reason = f"{file} is not there; BRANCHBOX_FLOWS names the folder of the flows"
        return [pytest.param("", id=name, marks=pytest.mark.skip(reason=reason))]
    return [flow["id"] for flow in json.loads(file.read_text())]


@pytest.mark.parametrize("flow", flows("rfc5359.json"))
def test_each_flow_has_a_test(flow: str) -> None:
    assert (flow in FLOWS) != (flow in WAITS), "no test shows it, or it waits though one does"


@pytest.mark.parametrize("flow", flows("pbx_extra.json"))
def test_each_flow_of_services_has_a_test(flow: str) -> None:
    assert (flow in FLOWS) == (flow in OF_SERVICES)


@pytest.mark.parametrize("flow", FLOWS)
def test_each_flow_is_played_by_sipp(flow: str) -> None:
    """Whatever else shows it; what waits is in no table of tests at all."""
    files = [Path(test.__code__.co_filename).name for test in FLOWS[flow]]
    assert [name for name in files if name.startswith("test_sipp_")]


@pytest.mark.parametrize("flow", FLOWS)
def test_what_shows_a_flow_is_found_by_pytest(flow: str) -> None:
    for test in FLOWS[flow]:
        assert test.__name__.startswith("test_")
        assert Path(test.__code__.co_filename).name.startswith("test_")
