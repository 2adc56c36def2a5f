"""A network that leads nowhere, and nobody who confirms it: the one before comes back by itself."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator

import pytest

from tests.image.box import Box
from tests.image.set_up import QUIET_SECONDS
from tests.image.settings_file import box_by_file, take_over

pytestmark = [pytest.mark.image, pytest.mark.full, pytest.mark.timeout(1800)]

NOWHERE = {"network": "static", "address": "10.99.99.2", "prefix": 24, "gateway": "10.99.99.1"}
BY_DHCP = "10.0.2.15"
"What QEMU's user network gives."
PROBATION_SECONDS = 120.0


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with box_by_file() as box:
        yield box


def test_a_bad_address_cuts_the_box_off(box: Box) -> None:
    box.power_on()
    take_over(box)
    assert BY_DHCP in box.machine.report()["addresses"]
    try:
        shown = box.console.api("PATCH", "system", **NOWHERE)
    except (OSError, http.client.HTTPException):
        pass  # the answer went the way that is no more
    else:
        assert shown["trial"]["address"] == NOWHERE["address"]
        assert shown["network"] == "dhcp", "only what is confirmed is kept"
    addresses = _wait_for(box, str(NOWHERE["address"]), QUIET_SECONDS)
    assert BY_DHCP not in addresses


def test_the_network_before_comes_back_by_itself(box: Box, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    addresses = _wait_for(box, BY_DHCP, PROBATION_SECONDS + QUIET_SECONDS)
    assert str(NOWHERE["address"]) not in addresses
    box.console.wait(QUIET_SECONDS)
    figure(
        f"a network that nobody confirmed was gone {time.monotonic() - began:.0f} s after it was seen in force"
    )
    shown = box.console.api("GET", "system")
    assert (shown["network"], shown["trial"]) == ("dhcp", None)
    for phone in box.phones:
        box.office.register(phone)
    assert box.machine.report()["failed"] == ""


def _wait_for(box: Box, address: str, seconds: float) -> str:
    """The report goes another way than the network."""
    give_up = time.monotonic() + seconds
    while address not in (addresses := box.machine.report()["addresses"]):
        assert time.monotonic() < give_up, f"no {address} within {seconds} s: {addresses}"
        time.sleep(1)
    return addresses
