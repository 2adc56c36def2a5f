"""The Diversion header: by whom a call was forwarded, and why; newest first.

RFC 5806 §10. RFC 7044 replaces it by History-Info, but carriers still ask for this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.sip.message.grammar import Params, malformed, split_list
from appliance.sip.message.name_addr import NameAddr

if TYPE_CHECKING:
    from appliance.sip.message.uri import Uri

__all__ = ["Diversion"]

# §10: diversion-counter = 1*2DIGIT
_MAX_COUNTER_DIGITS = 2


class Diversion(msgspec.Struct, frozen=True, gc=False):
    """One who forwarded the call."""

    address: NameAddr

    @classmethod
    def parse(cls, text: str) -> Diversion:
        """Read one value; PeerError 400 when malformed."""
        address = NameAddr.parse(text, "Diversion")
        counter = address.params.text("counter")
        if counter is not None and not _is_counter(counter):
            malformed("Diversion")
        return cls(address)

    @classmethod
    def parse_many(cls, text: str) -> list[Diversion]:
        """Read a comma-separated list, newest first; PeerError 400 when one is malformed."""
        return [cls.parse(value) for value in split_list(text, "Diversion")]

    @classmethod
    def of(cls, uri: Uri, reason: str, counter: int = 1) -> Diversion:
        """Who forwarded, with a reason of §10 (`user-busy`, `no-answer`, `unconditional` ...) and how often, 1 to 99."""
        return cls(NameAddr("", uri, Params({"reason": reason, "counter": str(counter)})))

    @property
    def reason(self) -> str:
        """Why, in lower case; `unknown` when nothing is said."""
        return (self.address.params.text("reason") or "unknown").lower()

    @property
    def counter(self) -> int:
        """How often the call was forwarded there: 1 when nothing is said (§8.2.1)."""
        return int(self.address.params.text("counter") or 1)

    @property
    def private(self) -> bool:
        """Whether this name or number is not for the callee to see (§9.1)."""
        privacy = self.address.params.text("privacy")
        return privacy is not None and privacy.lower() != "off"

    def __str__(self) -> str:
        return str(self.address)


def _is_counter(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_COUNTER_DIGITS
