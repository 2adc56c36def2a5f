"""The CSeq header: which request of a dialog this is, or answers.

RFC 3261 §20.16, §8.1.1.5.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from appliance.sip.message.grammar import malformed, parse_number
from appliance.sip.message.limits import MAX_CSEQ, NUMBER_CACHE
from appliance.sip.message.names import is_token

__all__ = ["CSeq"]

_MAX_CACHED = 32  # characters: the longest usual one is `4294967295 SUBSCRIBE`


class CSeq(msgspec.Struct, frozen=True, gc=False):
    """A sequence number and its request's method."""

    number: int
    "0 to 2**32-1."
    method: str
    "As written: methods are case-sensitive."

    @staticmethod
    def parse(text: str) -> CSeq:
        """Read the header's value; PeerError 400 when malformed or out of range."""
        return _parse(text) if len(text) <= _MAX_CACHED else _parse.__wrapped__(text)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@lru_cache(NUMBER_CACHE)
def _parse(text: str) -> CSeq:
    number, space, method = text.partition(" ")
    if not space:  # §25.1: LWS may be a tab as well
        number, _, method = text.partition("\t")
    method = method.strip(" \t")
    if not is_token(method):
        malformed("CSeq")
    return CSeq(parse_number(number.rstrip("\t"), MAX_CSEQ, "CSeq"), method)
