"""A line that leads to an attendant: the greeting is heard, keys are pressed in RTP, and somebody answers."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.media.g711 import decode
from appliance.media.tone import sine, tone_share
from appliance.media.wav import write_wav
from tests.interop.carriers.test_ims import records_of
from tests.interop.exchange import wait_until
from tests.peers.rtp_port import KEYS, RtpPort
from tests.peers.scripted_carrier import Office

pytestmark = pytest.mark.interop

NUMBER = "+862412345678"
GREETING_HZ, RING_BACK_HZ = 1_300.0, 425.0


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


def test_busy_the_menu_again_and_somebody_else(office: Office) -> None:
    """What is heard until then: the owner's greeting, music until it rings, the ring-back tone, and the greeting again."""
    stage, carrier = office.stage, office.carrier()
    alice, bob = office.stage.phone(), office.stage.phone()
    spoken = office.stage.exchange.folder / "spoken.wav"
    with spoken.open("wb") as file:
        write_wav(file, sine(GREETING_HZ, 60 * 8000, peak=6000).tobytes())
    office.stage.exchange.perform("prompts", "set", "welcome", {"file": str(spoken)})
    office.add("attendants", name="571", greeting="welcome", keys=f"1={alice.number},2={bob.number}")
    office.line(carrier, account=NUMBER, incoming="571")
    with RtpPort(carrier.address[0]) as outside, RtpPort(bob.address[0]) as inside:
        stage >> carrier.calls(f"tel:{NUMBER}", body=outside.describe(KEYS))
        stage << carrier.gets(100) << carrier.gets(200) >> carrier.ack()
        to_us = carrier.body
        hears_tone(outside, GREETING_HZ)
        outside.press(to_us, "1")
        stage << alice.gets("INVITE")
        hears_no_tone(outside, GREETING_HZ)
        stage >> alice.says(180)
        hears_tone(outside, RING_BACK_HZ)
        stage >> alice.says(486) << alice.gets("ACK")
        stage << carrier.gets("INVITE")
        stage >> carrier.says(200, outside.describe(KEYS, version=2)) << carrier.gets("ACK")
        hears_tone(outside, GREETING_HZ)
        outside.press(to_us, "2")
        stage << bob.gets("INVITE") >> bob.says(200, inside.describe()) << bob.gets("ACK")
        stage << carrier.gets("INVITE")
        stage >> carrier.says(200, outside.describe(version=3)) << carrier.gets("ACK")
        assert bob.invited is not None
        inside.say(bob.invited.body, b"bob here".ljust(160))
        outside.hears_at_last(b"bob here".ljust(160))
        stage >> carrier.bye() << carrier.gets(200) << bob.gets("BYE") >> bob.ok()
    wait_until(lambda: bool(records_of(office, bob)), "the record")
    causes = [each["cause"] for each in records_of(office, alice)]
    assert causes == ["busy"]


def test_the_caller_is_gone_while_it_rings(office: Office) -> None:
    stage, carrier, alice = office.stage, office.carrier(), office.stage.phone()
    office.add("attendants", name="572", keys=f"1={alice.number}", direct_dialling="no")
    office.line(carrier, account=NUMBER, incoming="572", max_calls="1")
    with RtpPort(carrier.address[0]) as outside:
        stage >> carrier.calls(f"tel:{NUMBER}", body=outside.describe(KEYS))
        stage << carrier.gets(100) << carrier.gets(200) >> carrier.ack()
        outside.press(carrier.body, "1")
        stage << alice.gets("INVITE") >> alice.says(180)
        stage >> carrier.bye() << carrier.gets(200) << alice.gets("CANCEL") >> alice.ok()
        stage >> alice.says(487, to=alice.invited) << alice.gets("ACK")
    wait_until(lambda: bool(records_of(office, alice)), "the record")
    assert [each["cause"] for each in records_of(office, alice)] == ["cancelled"]
    assert office.stage.exchange.perform("features", "live", "attendants") == []


def hears_tone(port: RtpPort, hz: float) -> None:
    """Return once this is heard."""
    while share(port, hz) < 0.5:
        pass


def hears_no_tone(port: RtpPort, hz: float) -> None:
    """Return once it is not heard any more, but something is."""
    while share(port, hz) > 0.1:
        pass


def share(port: RtpPort, hz: float) -> float:
    return tone_share(decode(port.hears(), "PCMA"), hz)
