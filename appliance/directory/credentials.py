"""Credentials: which extension a request proves to come from.

RFC 7616, RFC 8760 (digest), RFC 3261 §22 (in SIP), RFC 2069 for clients without qop.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, NoReturn, Protocol

from appliance.directory.nonces import Nonces
from appliance.directory.offers import Offers, again
from appliance.directory.throttle import Throttle
from appliance.errors import PeerError
from appliance.sip.message import Authorization, Challenge, Uri
from appliance.sip.message.digest import digest_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.sip.message import Request

__all__ = ["Credentials", "Secrets"]

MAX_KEY = 32
"Characters of a number by which something is remembered; extensions have at most 15 digits."

MAX_AUTHORIZATIONS = 8
"Authorization lines looked at: one for each realm on the way (§22.3), and few phones have more than one."

# Never the digest of any password, but checked as if it were an extension's: as long as a real one, so that
# hashing it takes as long too.
_NOBODY = {
    "MD5": secrets.token_hex(16),
    "SHA-256": secrets.token_hex(32),
    "SHA-512-256": secrets.token_hex(32),
}


class Secrets(Protocol):
    """What is stored of an extension's password."""

    @property
    def ha1_md5(self) -> str:
        """MD5(number:realm:password) in lower-case hexadecimal."""

    @property
    def ha1_sha256(self) -> str:
        """SHA-256 of the same."""

    @property
    def ha1_sha512_256(self) -> str:
        """SHA-512/256 of the same; empty when the password was set before that was kept."""


class Credentials:
    """Challenges requests and verifies what comes back."""

    def __init__(self, timers: Timers, realm: str, lookup: Callable[[str], Secrets | None]) -> None:
        """`lookup` gives an extension's secrets; None for one that does not exist or may not be used."""
        self._timers = timers
        self._realm = realm
        self._lookup = lookup
        self._nonces = Nonces(secrets.token_bytes(32))
        self._opaque = secrets.token_hex(8)
        self._throttle = Throttle()
        self._offers = Offers()

    def verify(self, request: Request) -> str:
        """The number of the extension that sent the request.

        Guesses are counted by where it came from. Where the answer goes would not do: `maddr` lets the peer choose that.

        PeerError 401 with fresh challenges in any other case: no credentials, ones nobody can read, an
        extension that does not exist, a wrong password, a nonce that was used. Nothing tells these apart,
        but that a right password with an old nonce gets stale=true.
        """
        source = request.source[0]
        claimed = (request.from_.uri.number or "")[:MAX_KEY]
        answer = self._find_answer(request)
        if answer is None:
            agent = request.headers.get("User-Agent") or ""
            asking = (request.via.branch or request.call_id)[-MAX_KEY:]
            self._challenge(source, self._offers.choose(source, claimed, agent, asking))
        self._offers.answered(source, claimed)
        self._check(request, answer, source)
        return answer.username

    def is_claimed_by(self, request: Request) -> bool:
        """Whether a request bears credentials for our realm, right or wrong."""
        return "Authorization" in request.headers and self._find_answer(request) is not None

    def _check(self, request: Request, answer: Authorization, source: str) -> None:
        now, number, offer = self._timers.now(), answer.username[:MAX_KEY], again(answer.algorithm)
        # All of it is worked out before anything is decided, so that every refusal takes as long.
        right = self._is_right(request, answer)
        ours = self._nonces.is_ours(answer.nonce, source)
        if self._throttle.blocks(source, number, now):
            self._challenge(source, offer)
        if not right:
            if ours:  # else whoever sent it may not even be at that address
                self._throttle.failed(source, number, now)
            self._challenge(source, offer)
        count = None if answer.nc is None else int(answer.nc, 16)
        if not (ours and self._nonces.take(answer.nonce, now, count)):
            self._challenge(source, offer, stale=True)
        self._throttle.succeeded(source, number)

    def _find_answer(self, request: Request) -> Authorization | None:
        for line in request.headers.get_all("Authorization")[:MAX_AUTHORIZATIONS]:
            try:
                answer = Authorization.parse(line)
            except PeerError:
                continue  # another scheme, or nothing we can read: as good as none
            if answer.realm == self._realm and answer.algorithm in _NOBODY:
                return answer
        return None

    def _is_right(self, request: Request, answer: Authorization) -> bool:
        secret = self._secret_of(answer)
        # Without a secret: the same work as for anybody.
        expected = digest_response(secret or _NOBODY[answer.algorithm], request.method, answer, request.body)
        given = answer.response.lower().encode("utf-8", "surrogateescape")
        same = hmac.compare_digest(given, expected.encode())
        return same and secret != "" and _is_for(answer.uri, request.uri)

    def _secret_of(self, answer: Authorization) -> str:
        known = self._lookup(answer.username)
        if known is None:
            return ""
        match answer.algorithm:
            case "MD5":
                return known.ha1_md5
            case "SHA-256":
                return known.ha1_sha256
            case _:
                return known.ha1_sha512_256

    def _challenge(self, source: str, offer: tuple[str, ...], *, stale: bool = False) -> NoReturn:
        nonce = self._nonces.make(self._timers.now(), source)
        challenges = [Challenge(self._realm, nonce, name, ("auth",), self._opaque, stale) for name in offer]
        raise PeerError(401, "Unauthorized", tuple(("WWW-Authenticate", str(each)) for each in challenges))


def _is_for(signed: str, uri: str) -> bool:
    # RFC 7616 §3.4.6: the same resource. Phones and proxies differ in how they write the host of it, but
    # nobody may change who is called. sipp and some phones sign the server alone, without the number.
    if signed == uri:
        return True
    try:
        number = Uri.parse(signed).number
        return number is None or number == Uri.parse(uri).number
    except PeerError:
        # Over IPv6 sipp forgets the brackets, as in sip:::1:5060. That names no number either.
        return signed.startswith("sip:") and "@" not in signed
