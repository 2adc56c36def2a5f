"""RFC 3665 §3.8 and §3.10: calls that come to nothing, as sipp cannot play them.

Not tested here: CANCEL, busy and unavailable phones (tests/interop/test_sipp.py).
"""

from __future__ import annotations

import pytest

from tests.peers.sip_line import DatagramLine
from tests.peers.stage import Stage

pytestmark = pytest.mark.interop


def test_3_8_a_late_200_crosses_the_cancel(stage: Stage) -> None:
    alice, bob = stage.phone(), stage.phone()
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE") >> bob.says(180) << alice.gets(180)
    stage >> alice.cancel() << alice.gets(200, " CANCEL\r\n") << alice.gets(487) >> alice.ack_refusal()
    stage << bob.gets("CANCEL") >> bob.says(200, bob.offer()) >> bob.ok(481)
    stage << bob.gets("ACK") << bob.gets("BYE") >> bob.ok()
    stage.ends(alice, "cancelled")


def test_3_10_no_response(stage: Stage) -> None:
    """As long as the ring time, which is the shorter one here; 32 s: tests/call/test_ringing.py, on virtual time."""
    alice, bob = stage.phone(), stage.phone()
    stage.exchange.perform("extensions", "set", bob.number, {"ring_seconds": 5})
    stage.call(alice, bob.number, alice.offer()) << bob.gets("INVITE")
    stage << alice.gets(480, "Reason: Q.850;cause=19") >> alice.ack_refusal()
    stage.ends(alice, "no_answer")
    assert isinstance(bob.line, DatagramLine)
    assert bob.last is not None
    # RFC 3261 §17.1.1.2: at 0, 0.5, 1.5 and 3.5 s; the last of them may be late on a busy machine.
    assert bob.line.copies[bob.last.encode()] in {3, 4}
