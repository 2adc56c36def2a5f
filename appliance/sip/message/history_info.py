"""History-Info: every target that a request was sent to so far, oldest first.

RFC 7044 §5 (the grammar), §9.2 (an entry for each new target), §10.2 (reasons), §10.3 (indices).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote as escape

import msgspec

from appliance.sip.message.grammar import Params, malformed, split_list
from appliance.sip.message.name_addr import NameAddr
from appliance.sip.message.reason import Reason

if TYPE_CHECKING:
    from appliance.sip.message.uri import Uri

__all__ = ["MAX_DEPTH", "HistoryEntry"]

MAX_DEPTH = 70
"Levels of an index: each is a hop, and Max-Forwards ends a request after 70 (RFC 3261 §8.1.1.6)."

# hi-index-val = number *("." number); a number has no leading zero, and more than four digits are no hop's.
_INDEX = re.compile(rf"(?:0|[1-9][0-9]{{0,3}})(?:\.(?:0|[1-9][0-9]{{0,3}})){{0,{MAX_DEPTH - 1}}}")
# How the target was found (§5): rc by a redirect that stays in the domain, mp by mapping a person, np by none.
_WAYS = ("rc", "mp", "np")


class HistoryEntry(msgspec.Struct, frozen=True, gc=False):
    """One target."""

    address: NameAddr
    "As the header has it. The URI's own headers say why it was left (Reason) and who may see it (Privacy)."

    @classmethod
    def parse(cls, text: str) -> HistoryEntry:
        """Read one value; PeerError 400 when malformed or without an index."""
        address = NameAddr.parse(text, "History-Info")
        if _INDEX.fullmatch(address.params.get("index") or "") is None:
            malformed("History-Info")
        return cls(address)

    @classmethod
    def parse_many(cls, text: str) -> list[HistoryEntry]:
        """Read a comma-separated list, oldest first; PeerError 400 when one is malformed."""
        return [cls.parse(value) for value in split_list(text, "History-Info")]

    @classmethod
    def of(cls, uri: Uri, index: tuple[int, ...], way: tuple[str, str] | None = None) -> HistoryEntry:
        """The target at this place; `way` is such as `("mp", "1.1")`: which entry it came of, and how."""
        params = Params({"index": ".".join(map(str, index))})
        return cls(NameAddr("", uri, params if way is None else params.put(*way)))

    @property
    def index(self) -> tuple[int, ...]:
        """The place in the tree of targets: 1.2 is the second that was tried after 1."""
        return tuple(int(number) for number in (self.address.params["index"] or "").split("."))

    @property
    def target(self) -> Uri:
        """The target itself, without the headers in its URI."""
        return msgspec.structs.replace(self.address.uri, headers="")

    @property
    def way(self) -> tuple[str, str] | None:
        """How the target was found, and the index of the entry it came of; None when nothing is said."""
        params = self.address.params
        return next(((name, params.text(name) or "") for name in _WAYS if name in params), None)

    @property
    def reasons(self) -> list[Reason]:
        """Why the request went on from there (§10.2). PeerError 400 when malformed."""
        return [reason for text in self._carried("reason") for reason in Reason.parse_many(text)]

    @property
    def private(self) -> bool:
        """Whether the target is not for the callee to see (§10.1)."""
        return any("history" in text.lower() for text in self._carried("privacy"))

    def _carried(self, name: str) -> list[str]:
        return [value for known, value in self.address.uri.header_items() if known.lower() == name]

    def left(self, reason: Reason) -> HistoryEntry:
        """The same entry once the request has gone on from there, for this reason."""
        headers = self.address.uri.headers
        added = f"Reason={escape(str(reason), safe='', errors='surrogateescape')}"
        uri = msgspec.structs.replace(self.address.uri, headers=f"{headers}&{added}" if headers else added)
        return HistoryEntry(msgspec.structs.replace(self.address, uri=uri))

    def __str__(self) -> str:
        return str(self.address)
