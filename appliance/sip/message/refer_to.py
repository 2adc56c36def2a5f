"""The Refer-To header: whom the one who gets a REFER shall call, and how.

RFC 3515 §2.1; RFC 3261 §19.1.5 (requests made of URIs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.errors import PeerError
from appliance.sip.message.name_addr import NameAddr
from appliance.sip.message.replaces import Replaces

if TYPE_CHECKING:
    from appliance.sip.message.message import Request
    from appliance.sip.message.uri import Uri

__all__ = ["ReferTo"]


class ReferTo(msgspec.Struct, frozen=True, gc=False):
    """A target, with the headers that the request to it shall carry."""

    address: NameAddr
    "As the header has it."

    @classmethod
    def parse(cls, text: str) -> ReferTo:
        """Read the header's value; PeerError 400 when malformed."""
        return cls(NameAddr.parse(text, "Refer-To"))

    @classmethod
    def of_request(cls, request: Request) -> ReferTo:
        """Whom this REFER means. PeerError 400 unless it names exactly one (§2.4.2)."""
        values = request.headers.get_all("Refer-To")
        if len(values) != 1:
            raise PeerError(400, "Invalid Refer-To")
        return cls.parse(values[0])

    @classmethod
    def of(cls, uri: Uri, replaces: Replaces | None = None) -> ReferTo:
        """This target; `replaces` names the call that the new one shall take the place of."""
        if replaces is None:
            return cls(NameAddr("", uri))
        return cls(NameAddr("", msgspec.structs.replace(uri, headers=f"Replaces={replaces.escaped}")))

    @property
    def method(self) -> str:
        """What to send there: INVITE, unless the URI says something else."""
        return self.address.uri.params.text("method") or "INVITE"

    @property
    def target(self) -> Uri:
        """Where to send it: the URI without the method and the headers (§19.1.5)."""
        uri = self.address.uri
        return msgspec.structs.replace(uri, params=uri.params.without("method"), headers="")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What the sender wants in that request, unescaped. §19.1.5: not all of it is to be honoured."""
        return self.address.uri.header_items()

    @property
    def replaces(self) -> Replaces | None:
        """The call that the new one shall take the place of. PeerError 400 when malformed or given twice."""
        values = [value for name, value in self.headers if name.lower() == "replaces"]
        if len(values) > 1:
            raise PeerError(400, "Invalid Replaces")
        return Replaces.parse(values[0]) if values else None

    def __str__(self) -> str:
        return str(self.address)
