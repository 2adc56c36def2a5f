"""The limits of what we take from a peer: each with its name, its value and its reason.

RFC 3261 sets none; §18.1.1 asks only that an implementation handle messages up to a datagram's maximum.
"""

from __future__ import annotations

__all__ = [
    "ADDRESS_CACHE",
    "MAX_BODY",
    "MAX_CACHED_ADDRESS",
    "MAX_CACHED_URI",
    "MAX_CSEQ",
    "MAX_DELTA_SECONDS",
    "MAX_HEAD",
    "MAX_HEADER_LINES",
    "MAX_LIST_VALUES",
    "MAX_PARAMS",
    "NUMBER_CACHE",
    "URI_CACHE",
]

MAX_HEAD = 65_535
"Octets of start line and headers on a stream. §18.1.1: as much as a UDP datagram could bring."

MAX_BODY = 65_535
"Octets of body on a stream, for the same reason: what fits no datagram fits no peer behind UDP either."

MAX_HEADER_LINES = 256
"A hop adds a Via and a Record-Route: 70 hops (§8.1.1.6) of both still leave room for all else."

MAX_LIST_VALUES = 256
"Values in one comma-separated header, for the same 70 hops; a REGISTER has far fewer contacts."

MAX_PARAMS = 64
"Parameters behind one value. Outbound, GRUU and a dozen feature tags (RFC 3840) come to about 30."

MAX_CSEQ = 2**32 - 1
"§20.16 asks for 32 bits. §8.1.1.5 keeps senders below 2**31; refusing the rest would help nobody."

MAX_DELTA_SECONDS = 2**32 - 1
"§20.19: times are at most 2**32-1 seconds; what is longer is read as this."

URI_CACHE = 2048
"Parsed URIs kept: two for each of some 1,000 phones, at about 1 kB each."

MAX_CACHED_URI = 256
"Characters of a URI worth keeping: a phone's are below 150, and nobody shall fill memory with long ones."

ADDRESS_CACHE = 4096
"Parsed addresses kept: From, To and Contact of the last thousand calls or so, at about 0.5 kB each."

MAX_CACHED_ADDRESS = 256
"Characters of an address worth keeping, as of a URI."

NUMBER_CACHE = 1024
"Numbers kept that were read from text: ports, hops, seconds, lengths. Few others ever come."
