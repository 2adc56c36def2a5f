"""How much of the endpoint's room a call takes: its bound is that of a rate of calls.

RFC 3261 §17.1, §17.2 (timers D, H to K), RFC 6026 (L, M): how long a transaction outlives its answer.
"""

from __future__ import annotations

from appliance.sip.endpoint import MAX_TRANSACTIONS
from tests.call.playbook import ANSWER, OFFER, Phone, Playbook

RATE = 800
"Calls a second that must never be refused for want of room."


def test_800_calls_a_second_fit(book: Playbook, alice: Phone, bob: Phone) -> None:
    """The longest call there is: challenged, with a PRACK on either leg, and hung up."""
    book >> alice.invite("102", OFFER, Authorization="none") << alice.gets(401) >> alice.ack_refusal()
    book >> alice.again(OFFER, Supported="100rel") << bob.gets("INVITE") << alice.gets(100)
    book >> bob.says_reliably(183, 1, ANSWER) << bob.gets("PRACK") << alice.gets(183) >> bob.ok()
    book >> alice.prack() << alice.gets(200) >> bob.says(200) << bob.gets("ACK") << alice.gets(200)
    book >> alice.ack() >> alice.bye() << alice.gets(200) << bob.gets("BYE") >> bob.ok()
    lives = 0
    while book.endpoint.transactions:
        lives += book.endpoint.transactions
        book.waits(1)
    assert 130 < lives < 160
    # By Little's law: so many are alive at a time when so many calls begin each second.
    assert RATE * lives < MAX_TRANSACTIONS
    book.ends("normal")
