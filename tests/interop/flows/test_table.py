"""Which tests show which flow of RFC 3665, and that each flow has one.

The flows are in the folder shared/flows beside the checkout: what is sent, and what must come.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.call import test_ringing as ladders
from tests.interop import test_proxy, test_sipp
from tests.interop.features import test_groups
from tests.interop.flows import test_calling, test_failing, test_registering, test_through_others, test_trunks

FOLDER = Path(os.environ.get("BRANCHBOX_FLOWS") or Path(__file__).parents[4] / "shared" / "flows")


FLOWS: dict[str, tuple[Callable[..., object], ...]] = {
    "3665-2.1": (test_registering.test_2_1_new_registration,),
    "3665-2.2": (test_registering.test_2_2_update_of_the_contact_list,),
    "3665-2.3": (test_registering.test_2_3_request_for_the_current_contact_list,),
    "3665-2.4": (test_registering.test_2_4_cancellation_of_registration,),
    "3665-2.5": (test_registering.test_2_5_unsuccessful_registration,),
    "3665-3.1": (
        test_calling.test_3_1_successful_session,
        test_sipp.test_a_call_and_the_caller_hangs_up,
        test_sipp.test_the_callee_hangs_up,
    ),
    "3665-3.2": (
        test_trunks.test_3_2_session_through_two_proxies,
        test_proxy.test_a_phone_behind_a_proxy_is_called_through_it,
    ),
    "3665-3.3": (
        test_trunks.test_3_3_session_with_multiple_authentication,
        test_trunks.test_3_3_the_third_challenge_is_a_refusal,
        test_through_others.test_3_3_a_second_challenge_is_not_the_callers,
    ),
    "3665-3.4": (
        test_trunks.test_3_4_session_with_trunk_failure,
        test_trunks.test_3_4_session_with_trunk_failure_over_tcp,
        test_through_others.test_3_4_session_with_failure_of_the_first,
        test_through_others.test_3_4_session_with_failure_of_the_first_over_tcp,
    ),
    "3665-3.5": (test_through_others.test_3_5_session_through_a_sip_alg,),
    "3665-3.6": (
        test_calling.test_3_6_sdp_in_the_ack,
        test_calling.test_3_6_a_phone_that_redirects_is_followed_by_the_exchange,
    ),
    "3665-3.7": (
        test_calling.test_3_7_session_with_reinvite,
        test_calling.test_3_7_a_refused_reinvite_leaves_the_session,
    ),
    "3665-3.8": (
        test_sipp.test_the_caller_gives_up_while_it_rings,
        test_failing.test_3_8_a_late_200_crosses_the_cancel,
    ),
    "3665-3.9": (test_sipp.test_the_callee_refuses,),
    "3665-3.10": (
        test_failing.test_3_10_no_response,
        ladders.test_3665_3_10_silent_phone,  # the whole 32 s, on virtual time
        test_sipp.test_nobody_answers_within_the_ring_time,
        test_sipp.test_a_phone_that_is_not_there_any_more,
    ),
    "3665-3.11": (
        test_sipp.test_the_callee_refuses,
        test_groups.test_5359_2_12_one_after_the_other,  # the next member of a hunt group
    ),
}


def flows() -> list[Any]:
    file = FOLDER / "rfc3665.json"
    if not file.exists():
        reason = f"{file} is not there; BRANCHBOX_FLOWS names the folder of the flows"
        return [pytest.param("", id=file.name, marks=pytest.mark.skip(reason=reason))]
    return [flow["id"] for flow in json.loads(file.read_text())]


@pytest.mark.parametrize("flow", flows())
def test_each_flow_has_a_test(flow: str) -> None:
    assert flow in FLOWS, "no test shows it"
    for test in FLOWS[flow]:
        assert test.__name__.startswith("test_")
        assert Path(test.__code__.co_filename).name.startswith("test_"), "pytest would not find it"
