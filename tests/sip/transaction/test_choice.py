"""appliance/sip/transaction/choice.py: RFC 3261 §17.1, §17.2."""

from __future__ import annotations

import pytest

from appliance.sip.transaction.choice import client_machine, server_machine
from appliance.sip.transaction.machine import State


@pytest.mark.parametrize("reliable", [False, True])
def test_every_kind_of_request_has_a_machine_of_its_own(reliable: bool) -> None:
    assert client_machine("INVITE", reliable=reliable).initial is State.CALLING
    assert client_machine("BYE", reliable=reliable).initial is State.TRYING
    assert server_machine("INVITE", reliable=reliable).initial is State.PROCEEDING
    assert server_machine("BYE", reliable=reliable).initial is State.TRYING


def test_over_a_reliable_transport_another_machine_runs() -> None:
    for choose in (client_machine, server_machine):
        for method in ("INVITE", "BYE"):
            assert choose(method, reliable=True) is not choose(method, reliable=False)
