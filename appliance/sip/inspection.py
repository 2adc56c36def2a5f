"""What a server inspects in a request before its user sees it: the checks that need the request alone.

RFC 3261 §8.2.1 (method), §8.2.2.1 (Request-URI), §8.2.2.3 (Require), §12.1.1 (sips:), §16.3 (Max-Forwards).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Collection

    from appliance.sip.message import Request

__all__ = ["allow_header", "check_required", "check_target", "refuse_method", "wants_sips"]

KNOWN_METHODS = frozenset({
    "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY",
    "OPTIONS", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE",
})  # fmt: skip
"§8.2.1, §21.5.2: a method we know but do not serve gets 405, any other 501."
SCHEMES = frozenset({"sip", "sips", "tel"})
END_HERE = frozenset({"OPTIONS", "REGISTER"})
"Requests that travel no further whatever their Max-Forwards (§11, §10)."


def allow_header(allowed: Collection[str]) -> tuple[str, str]:
    """The Allow header (§20.5)."""
    return "Allow", ", ".join(sorted(allowed))


def refuse_method(method: str, allowed: Collection[str]) -> PeerError:
    """The answer to a request outside a dialog whose method nobody serves there."""
    if method in allowed:
        return PeerError(481, "Call/Transaction Does Not Exist")  # it lives in dialogs alone
    if method in KNOWN_METHODS:
        return PeerError(405, "Method Not Allowed", (allow_header(allowed),))
    return PeerError(501, "Not Implemented", (allow_header(allowed),))


def check_target(request: Request) -> None:
    """PeerError for a Request-URI of a scheme we do not know, and for a request that came too far."""
    if request.uri.partition(":")[0].lower() not in SCHEMES:
        raise PeerError(416, "Unsupported URI Scheme")
    if request.max_forwards == 0 and request.method not in END_HERE:
        raise PeerError(483, "Too Many Hops")


def check_required(request: Request, supported: Collection[str]) -> None:
    """§8.2.2.3: PeerError 420 that names what is required and not supported."""
    if "Require" in request.headers:
        unknown = [tag for tag in request.tokens("Require") if tag not in supported]
        if unknown:
            raise PeerError(420, "Bad Extension", (("Unsupported", ", ".join(unknown)),))


def wants_sips(request: Request) -> bool:
    """§12.1.1: whether a dialog that this request makes takes a `sips:` URI for our Contact."""
    if request.uri[:5].lower() == "sips:":
        return True
    first = (request.record_routes or request.contacts)[:1]
    return any(address.uri.scheme == "sips" for address in first)
