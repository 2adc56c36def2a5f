"""The base times of transactions, in seconds.

RFC 3261 §17.1.1.1, table 4 of its appendix A; RFC 6026 §7.1 for L and M; RFC 4320 §4.1.
"""

from __future__ import annotations

__all__ = ["LIFETIME", "T1", "T2", "T4", "TRYING_AFTER", "WAIT_D"]

T1 = 0.5
"The round trip we reckon with. §17.1.1.1: larger is allowed, smaller is not, so it is no setting."
T2 = 4.0
"The longest pause between two retransmissions of a non-INVITE request or an INVITE's response."
T4 = 5.0
"The longest time a message stays in the network."
LIFETIME = 64 * T1
"Timers B, F, H, J, L and M: after this long nobody waits any more."
WAIT_D = 32.0
"Timer D: how long retransmissions of a refused INVITE's response are absorbed; at least 32 s over UDP."
TRYING_AFTER = T1 + 2 * T1 + 4 * T1
"When a client sets its timer E to T2 for the first time: until then a non-INVITE request gets no 100, then one."
