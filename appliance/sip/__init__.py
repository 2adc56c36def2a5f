"""The SIP stack: endpoint > transport | dialog > transaction > message.

RFC 3261 and its extensions; each module cites its sections.
"""
