"""A phone that speaks TLS itself: baresip.

Not tested here: sipp in a sleeve of TLS (test_sipp.py), certificates and their names (tests/sip/transport),
encrypted sound.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import free_ports, running_exchange

WHY_NOT = baresip.why_not() or network.why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


def test_a_phone_over_tls_is_called_over_the_connection_it_opened(tmp_path: Path) -> None:
    with network.own_network() as host, running_exchange(tmp_path, host) as exchange:
        passwords = exchange.add_extensions(2)
        (sip, control, sip2, control2) = free_ports(host, 4)
        with (
            Baresip(tmp_path / "101", "101", passwords["101"], exchange.sip, ports=(sip, control)) as caller,
            Baresip(
                *(tmp_path / "102", "102", passwords["102"], exchange.tls),
                ports=(sip2, control2),
                transport="tls",
                answers=True,
            ),
        ):
            exchange.wait_registered("101", "102")
            transports = {
                each["number"]: each["transport"] for each in exchange.perform("registrations", "list")
            }
            assert transports == {"101": "udp", "102": "tls"}
            caller.dial("102")
            caller.wait_event("CALL_ESTABLISHED")
            caller.command("hangup")
            caller.wait_event("CALL_CLOSED")
        (record,) = exchange.wait_records(1)
        assert (record["status"], record["cause"]) == (200, "normal")
