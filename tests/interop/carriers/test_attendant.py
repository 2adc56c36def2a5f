"""A line that leads to an attendant: the greeting is heard, keys are pressed in RTP, and somebody answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.carriers.test_ims import records_of
from tests.interop.exchange import wait_until
from tests.peers.rtp_port import KEYS, RtpPort
from tests.peers.scripted_carrier import Office

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"


@pytest.mark.parametrize(
    ("called", "where"),
    [(NUMBER, {"incoming": "570"}), ("+862499990001", {"numbers": "+862499990001=570"})],
)
def test_a_caller_from_outside_is_put_through(office: Office, called: str, where: dict[str, Any]) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.add("attendants", name="570", keys=f"5={alice.number},9=again", direct_dialling="no")
    office.line(carrier, account=NUMBER, **where)
    with RtpPort(carrier.address[0]) as outside, RtpPort(alice.address[0]) as inside:
        stage >> carrier.calls(f"tel:{called}", body=outside.describe(KEYS))
        stage << carrier.gets(100) << carrier.gets(200, "telephone-event") >> carrier.ack()
        to_us = carrier.body
        # The chime; it begins with a tone.
        while len(set(outside.hears())) < 8:
            pass
        outside.press(to_us, "5")
        (
            stage
            << alice.gets("INVITE")
            >> alice.says(180)
            >> alice.says(200, inside.describe())
            << alice.gets("ACK")
        )
        (
            stage
            << carrier.gets("INVITE")
            >> carrier.says(200, outside.describe(version=2))
            << carrier.gets("ACK")
        )
        outside.say(to_us, b"hello".ljust(160))
        inside.hears_at_last(b"hello".ljust(160))
        stage >> alice.bye() << alice.gets(200) << carrier.gets("BYE") >> carrier.ok()
    wait_until(lambda: bool(records_of(office, alice)), "the record")
    (record,) = records_of(office, alice)
    assert (record["cause"], [(each["by"], each["to"]) for each in record["steps"]]) == (
        "normal",
        [("570", alice.number)],
    )
