"""The Replaces header: the dialog whose place an INVITE takes.

RFC 3891 §6.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote as escape

import msgspec

from appliance.errors import PeerError
from appliance.sip.message.grammar import Params, malformed
from appliance.sip.message.names import is_token

if TYPE_CHECKING:
    from appliance.sip.message.message import Request

__all__ = ["Replaces"]

# RFC 3261 §25.1: what a header inside a URI may hold unescaped, but for `? + $`, which some peers take amiss.
_HEADER_MARKS = "-_.!~*'()[]/:"


class Replaces(msgspec.Struct, frozen=True, gc=False):
    """A dialog, named as the one who gets the INVITE knows it."""

    call_id: str
    params: Params
    "With `to-tag` and `from-tag`, each once."

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read the header's value; PeerError 400 when malformed, or without one of the tags."""
        call_id, semicolon, rest = text.partition(";")
        call_id = call_id.strip(" \t")
        params = Params.parse(semicolon + rest, "Replaces")
        # A Call-ID is a word, or two around an @: it has no white space, no comma, and is not empty.
        if not call_id or any(character in call_id for character in " \t,"):
            malformed("Replaces")
        if not all(is_token(params.get(tag) or "") for tag in ("to-tag", "from-tag")):
            malformed("Replaces")
        return cls(call_id, params)

    @classmethod
    def of(cls, call_id: str, to_tag: str, from_tag: str, *, early_only: bool = False) -> Replaces:
        """The dialog with these tags; `early_only`: to be replaced only while it rings."""
        params = Params({"to-tag": to_tag, "from-tag": from_tag})
        return cls(call_id, params.put("early-only", None) if early_only else params)

    @classmethod
    def of_request(cls, request: Request) -> Replaces | None:
        """What this request is to replace; None for nothing. PeerError 400 where there may be none (§3)."""
        values = request.headers.get_all("Replaces")
        if not values:
            return None
        # §3: more than one, one beside a Join (RFC 3911 §4), or one in another request, MUST get 400.
        if len(values) > 1 or request.method != "INVITE" or "Join" in request.headers:
            raise PeerError(400, "Invalid Replaces")
        return cls.parse(values[0])

    @property
    def to_tag(self) -> str:
        """The tag of the side that gets the INVITE."""
        return self.params["to-tag"] or ""

    @property
    def from_tag(self) -> str:
        """The tag of the side that shall be replaced."""
        return self.params["from-tag"] or ""

    @property
    def early_only(self) -> bool:
        """Whether a call that was answered meanwhile is to be left alone."""
        return "early-only" in self.params

    @property
    def mirrored(self) -> Replaces:
        """The dialog with these tags the other way round."""
        return Replaces.of(self.call_id, self.from_tag, self.to_tag, early_only=self.early_only)

    @property
    def escaped(self) -> str:
        """The value as it stands in a Refer-To URI: `?Replaces=` and this."""
        return escape(str(self), safe=_HEADER_MARKS, errors="surrogateescape")

    def __str__(self) -> str:
        return self.call_id + str(self.params)
