"""Digest: challenges, credentials and the arithmetic between them.

RFC 7616 §3.3, §3.4; RFC 8760 for SIP; RFC 3261 §22, §25.1; RFC 2069 for credentials without qop.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from appliance.sip.message.grammar import malformed, quote, unescape_quoted
from appliance.sip.message.limits import MAX_PARAMS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALGORITHMS", "Authorization", "Challenge", "digest_response", "ha1"]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _sha512_256(text: str) -> str:
    return hashlib.new("sha512_256", text.encode("utf-8", "surrogateescape")).hexdigest()


ALGORITHMS: dict[str, Callable[[str], str]] = {
    "MD5": _md5,
    "SHA-256": _sha256,
    "SHA-512-256": _sha512_256,
}
"The hash functions by the names of RFC 7616 §3.3; text in, lower-case hexadecimal out."

# auth-param = auth-param-name EQUAL ( token / quoted-string )
_PARAM = re.compile(
    r"""[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*=[ \t]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s,"]*))[ \t]*(?:,[ \t,]*|$)""",
    re.DOTALL,
)
_PARAMS = re.compile(f"(?>{_PARAM.pattern})*+", re.DOTALL)  # possessive: linear in any text
_COUNT = re.compile(r"[0-9A-Fa-f]{8}")
# RFC 7616 §3.3, §3.4: what a challenge or credentials quote.
_QUOTED = frozenset({"realm", "domain", "nonce", "opaque", "username", "uri", "response", "cnonce"})


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """H(username:realm:password): what is stored instead of a password (RFC 7616 §3.4.2)."""
    return ALGORITHMS[algorithm](f"{username}:{realm}:{password}")


def digest_response(secret: str, method: str, answer: Authorization, body: bytes = b"") -> str:
    """The response that proves knowledge of HA1 `secret` (RFC 7616 §3.4.1), for the answer's own parameters."""
    function = ALGORITHMS[answer.algorithm]
    a2 = f"{method}:{answer.uri}"
    if answer.qop == "auth-int":
        a2 += ":" + function(body.decode("utf-8", "surrogateescape"))
    if answer.qop is None:  # RFC 2069
        return function(f"{secret}:{answer.nonce}:{function(a2)}")
    return function(f"{secret}:{answer.nonce}:{answer.nc}:{answer.cnonce}:{answer.qop}:{function(a2)}")


class Challenge(msgspec.Struct, frozen=True, gc=False):
    """The value of WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    "A key of `ALGORITHMS`, or the name of one that we do not know."
    qop: tuple[str, ...] = ()
    "`auth`, `auth-int`; empty from a peer of RFC 2069's days."
    opaque: str | None = None
    stale: bool = False
    "Whether the password was right and only the nonce too old."

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read the header's value; PeerError 400 when malformed or of another scheme than Digest."""
        params = _parse_params(text, "Challenge")
        return cls(
            realm=_required(params, "realm", "Challenge"),
            nonce=_required(params, "nonce", "Challenge"),
            algorithm=_algorithm(params),
            qop=tuple(option for option in re.split(r"[ \t,]+", params.get("qop", "")) if option),
            opaque=params.get("opaque"),
            stale=params.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        text = f"Digest realm={quote(self.realm)}, nonce={quote(self.nonce)}"
        if self.opaque is not None:
            text += f", opaque={quote(self.opaque)}"
        if self.stale:
            text += ", stale=true"
        text += f", algorithm={self.algorithm}"
        return f'{text}, qop="{",".join(self.qop)}"' if self.qop else text


class Authorization(msgspec.Struct, frozen=True, gc=False):
    """The value of Authorization or Proxy-Authorization."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str | None = None
    cnonce: str | None = None
    nc: str | None = None
    "Eight hexadecimal digits, as written."
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Authorization:
        """Read the header's value; PeerError 400 when malformed or of another scheme than Digest."""
        params = _parse_params(text, "Authorization")
        given = params.get
        qop, cnonce, nc = given("qop"), given("cnonce"), given("nc")
        if qop is not None and (qop not in ("auth", "auth-int") or cnonce is None or _bad_count(nc)):
            malformed("Authorization")
        try:
            who, proof = (
                (params["username"], params["realm"], params["nonce"]),
                (params["uri"], params["response"]),
            )
        except KeyError:
            malformed("Authorization")
        return cls(*who, *proof, _algorithm(params), qop, cnonce, nc, given("opaque"))

    @classmethod
    def answer(  # noqa: PLR0913  # what RFC 7616 §3.4.1 hashes, and no less
        cls,
        challenge: Challenge,
        method: str,
        uri: str,
        username: str,
        secret: str,
        *,
        cnonce: str = "",
        count: int = 1,
        body: bytes = b"",
    ) -> Authorization:
        """The answer to a challenge, by the HA1 `secret`; `count` says how often the nonce was used so far.

        The body is proven, too, only where nothing less is accepted: what stands between may change it.
        """
        qop = next((each for each in ("auth", "auth-int") if each in challenge.qop), None)
        blank = cls(
            username=username,
            realm=challenge.realm,
            nonce=challenge.nonce,
            uri=uri,
            response="",
            algorithm=challenge.algorithm,
            qop=qop,
            cnonce=cnonce if qop else None,
            nc=f"{count:08x}" if qop else None,
            opaque=challenge.opaque,
        )
        return msgspec.structs.replace(blank, response=digest_response(secret, method, blank, body))

    def __str__(self) -> str:
        names = (
            "username",
            "realm",
            "nonce",
            "uri",
            "response",
            "algorithm",
            "cnonce",
            "opaque",
            "qop",
            "nc",
        )
        items = [(name, getattr(self, name)) for name in names]
        return _print_params([(name, value) for name, value in items if value is not None])


def _bad_count(nc: str | None) -> bool:
    return nc is None or _COUNT.fullmatch(nc) is None


def _required(params: dict[str, str], name: str, what: str) -> str:
    value = params.get(name)
    if value is None:
        malformed(what)
    return value


def _algorithm(params: dict[str, str]) -> str:
    # RFC 7616 §3.3: absent means MD5. Names are tokens: any case.
    return params.get("algorithm", "MD5").upper()


def _parse_params(text: str, what: str) -> dict[str, str]:
    rest = text[6:]
    if text[:6].lower() != "digest" or rest[:1] not in (" ", "\t"):
        malformed(what)
    if _PARAMS.fullmatch(rest) is None:
        malformed(what)
    found = _PARAM.findall(rest)
    if "\\" in rest:
        found = [(name, unescape_quoted(quoted), token) for name, quoted, token in found]
    params = {name.lower(): quoted or token for name, quoted, token in found}
    if len(params) != len(found) or len(found) > MAX_PARAMS:
        malformed(what)  # given twice, or too many
    return params


def _print_params(items: list[tuple[str, str]]) -> str:
    return "Digest " + ", ".join(
        f"{name}={quote(value) if name in _QUOTED else value}" for name, value in items
    )
