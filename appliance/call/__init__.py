"""Calls: the back-to-back user agent. `sip_leg*` speak SIP; above them there are calls and events.

RFC 3261 in the roles of §8.1, §8.2, §13 and §14, once for each leg; RFC 7092 names the kind.
"""
