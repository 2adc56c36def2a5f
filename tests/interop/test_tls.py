"""Calls over TLS: sipp in a sleeve of TLS, and baresip, which speaks it itself.

Not tested here: certificates and their names (tests/sip/transport), encrypted sound.
"""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import baresip, network
from tests.interop.baresip import Baresip
from tests.interop.exchange import free_ports, running_exchange, wait_until
from tests.interop.office import CALLEE, CALLER, Office
from tests.peers.tls_sleeve import TlsSleeve

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp (Debian: sip-tester) is not installed"),
]

WHY_NOT = baresip.why_not() or network.why_not()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_exchange(tmp_path) as exchange:
        yield Office.of(exchange, tmp_path)


def context(office: Office) -> ssl.SSLContext:
    """What a phone uses that pins the box's own certificate."""
    return ssl.create_default_context(cafile=str(office.exchange.folder / "certs" / "cert.pem"))


def test_a_caller_over_tls_reaches_a_phone_over_udp(office: Office) -> None:
    office.register(CALLEE, office.ports[1])
    with TlsSleeve(office.exchange.tls, context(office), "localhost") as sleeve, office.callee() as callee:
        office.sipp.server = sleeve.address
        office.call("caller", "-t", "t1")
        assert callee.ended() == 0, callee.errors
        assert sleeve.versions == ["TLSv1.3"]
    record = office.record()
    assert (record["from_number"], record["to_number"], record["cause"]) == (CALLER, CALLEE, "normal")


def test_a_registration_ends_with_its_connection(office: Office) -> None:
    older = context(office)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with TlsSleeve(office.exchange.tls, older, "localhost") as sleeve:
        office.sipp.server = sleeve.address
        office.register(CALLEE, f"{office.ports[1]};transport=tls", transport="t1")
        assert sleeve.versions == ["TLSv1.2"]
    wait_until(lambda: office.exchange.registered() == set(), "the end of the registration")
    office.sipp.server = office.exchange.sip
    office.call("caller_refused", status="480")  # at once, and not after 32 s


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
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
