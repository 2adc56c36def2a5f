"""The Reason header: why a request or a response was sent.

RFC 3326 §2; RFC 6432 (in responses).
"""

from __future__ import annotations

import msgspec

from appliance.sip.message.grammar import NO_PARAMS, Params, malformed, quote, split_list
from appliance.sip.message.names import is_token

__all__ = ["Reason"]

# Q.850 causes end at 127 and SIP's at 699; what is longer is no cause.
_MAX_CAUSE_DIGITS = 3


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One reason, in the words of one protocol."""

    protocol: str
    "As written: `SIP`, `Q.850`, or another."
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> Reason:
        """Read one value; PeerError 400 when malformed."""
        protocol, semicolon, rest = text.partition(";")
        protocol = protocol.strip(" \t")
        if not is_token(protocol):
            malformed("Reason")
        return cls(protocol, Params.parse(semicolon + rest, "Reason"))

    @classmethod
    def parse_many(cls, text: str) -> list[Reason]:
        """Read a comma-separated list; PeerError 400 when one is malformed."""
        return [cls.parse(value) for value in split_list(text, "Reason")]

    @classmethod
    def of(cls, protocol: str, cause: int, text: str | None = None) -> Reason:
        """A cause of 0 to 999, and what a person may read of it."""
        params = Params({"cause": str(cause)})
        return cls(protocol, params if text is None else params.put("text", quote(text)))

    @property
    def cause(self) -> int | None:
        """The number; None when there is none, or none that could be one."""
        cause = self.params.get("cause")
        if cause is None or len(cause) > _MAX_CAUSE_DIGITS or not (cause.isascii() and cause.isdigit()):
            return None
        return int(cause)

    @property
    def text(self) -> str | None:
        """What a person may read, without its quotes."""
        return self.params.text("text")

    def is_of(self, protocol: str) -> bool:
        """Whether the cause is one of this protocol's, however its name is written."""
        return self.protocol.lower() == protocol.lower()

    def __str__(self) -> str:
        return self.protocol + str(self.params)
