"""GRUUs: URIs that lead to one phone of an extension, wherever it is and whoever has them.

RFC 5627 §4.1 and §5.1 (which phones get them), §5.2 (how they are made), §5.4 (whom they mean); §10 for what a temporary one
must not give away.

A public one is the address of record with the phone's instance in `gr`. A temporary one hides both in its user part:

    tgruu. + base64url(nonce + AES-GCM(mark + extension))

The mark stands for the phone and the Call-ID that it registers by: §5.1 wants all temporary ones of a phone to hold until it
begins anew by another. So nothing is remembered but a secret, which makes new ones at every REGISTER.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote as escape

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import PeerError
from appliance.sip.message import Params, Uri
from appliance.sip.message.uri import unescape

if TYPE_CHECKING:
    from appliance.directory.bindings import Binding, Bindings
    from appliance.sip.message import Request

__all__ = ["SECRET_OCTETS", "Gruus", "asks_for_gruus"]

SECRET_OCTETS = 32
_TEMPORARY = "tgruu."
_NONCE_OCTETS = 12
_MARK_OCTETS = 8
_NUMBER_OCTETS = 16  # extensions have at most 15 digits; always as many octets, so that none shows
_MARKS = "-_.!~*'()[]/:&+$"
"RFC 3261 §25.1: what a parameter of a URI may hold unescaped."


def asks_for_gruus(request: Request) -> bool:
    """§5.1: whether the sender of a REGISTER can use them."""
    return "gruu" in (tag.lower() for tag in request.tokens("Supported") + request.tokens("Require"))


class Gruus:
    """Makes them, and knows whom they mean."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self.keep(secrets.token_bytes(SECRET_OCTETS))

    def keep(self, secret: bytes) -> None:
        """Make temporary ones with this secret, from an earlier process: those that are in phones' hands hold again."""
        self._secret = secret
        self._cipher = AESGCM(secret)

    def params_of(self, binding: Binding, record: Uri) -> str:
        """What the Contact of this binding says of its GRUUs, in the answer to a REGISTER for `record`; mostly nothing."""
        if not binding.phone:
            return ""
        host = Uri(record.scheme, None, None, record.host, record.port)
        public = _with(host, record.user, escape(binding.phone, safe=_MARKS))
        temporary = _with(host, self._seal(binding), None)
        return f';pub-gruu="{public}";temp-gruu="{temporary}"'

    def meant_by(self, uri: Uri) -> tuple[str, str] | None:
        """The extension and the phone that a GRUU means; None when the URI is none. PeerError 404: not one of ours.

        §5.4: that phone may be registered or not.
        """
        if "gr" not in uri.params:
            return None
        phone = uri.params.text("gr")
        if phone:
            return uri.number or "", unescape(phone).lower()
        return self._open(uri.user or "")

    def _seal(self, binding: Binding) -> str:
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        hidden = self._mark(binding) + binding.number.encode().ljust(_NUMBER_OCTETS, b"\0")
        token = nonce + self._cipher.encrypt(nonce, hidden, None)
        return _TEMPORARY + urlsafe_b64encode(token).decode().rstrip("=")

    def _open(self, user: str) -> tuple[str, str]:
        try:
            text = user.removeprefix(_TEMPORARY).encode("ascii")
            token = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
            hidden = self._cipher.decrypt(token[:_NONCE_OCTETS], token[_NONCE_OCTETS:], None)
        except (ValueError, InvalidTag):
            raise PeerError(404, "Not Found") from None
        mark, number = hidden[:_MARK_OCTETS], hidden[_MARK_OCTETS:].rstrip(b"\0").decode()
        for binding in self._bindings.lookup(number):
            if binding.phone and hmac.compare_digest(mark, self._mark(binding)):
                return number, binding.phone
        raise PeerError(404, "Not Found")  # §5.1: the phone has begun anew, or has gone

    def _mark(self, binding: Binding) -> bytes:
        text = f"{binding.phone} {binding.call_id}".encode("utf-8", "surrogateescape")
        return blake2b(text, key=self._secret, digest_size=_MARK_OCTETS).digest()


def _with(host: Uri, user: str | None, gr: str | None) -> Uri:
    return Uri(host.scheme, user, None, host.host, host.port, Params({"gr": gr}))
