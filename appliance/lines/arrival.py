"""Who calls in by a line or trunk, and whom: read from an INVITE as carriers write it.

RFC 3325 §9.1 (P-Asserted-Identity), draft-ietf-sip-privacy-04 §6 (Remote-Party-ID), RFC 3261 §20.20 (From),
RFC 3966 (`tel:`), RFC 7315 §4.2 (P-Called-Party-ID), RFC 3323 §4.1.1.3 (anonymous), §4.2 (Privacy).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from appliance.errors import PeerError
from appliance.sip.message import NameAddr, Uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config.outside import Outside
    from appliance.sip.message import Request

__all__ = ["MAX_DIGITS", "Arrival", "arrival_of", "number_of"]

MAX_DIGITS = 64
"Characters kept of a number. E.164 ends at 15; a carrier that sends a hundred thousand is no reason to keep them."
MAX_NAME = 128
"Characters kept of a name."
PRIVATE = frozenset({"id", "user", "header"})
"RFC 3323 §4.2, RFC 3325 §9.3: whoever asks for one of these is shown to no phone, though a carrier that trusts us names him."
BOTH = frozenset({"name", "uri"})
"What of a caller may be withheld, in the words of Remote-Party-ID."
REMOTE_PARTY_ID = "remote-party-id"
ANONYMOUS = frozenset({"anonymous", "unavailable", "restricted"})
# RFC 3966 §5.1.1: what may stand between the digits for the eye.
_VISUAL_SEPARATORS = str.maketrans("", "", "-.() ")


class Arrival(msgspec.Struct, frozen=True):
    """A call that came in."""

    number: str
    "Who calls; empty when that is hidden, or nobody says."
    name: str
    called: str
    "The number they called, as the carrier gives it."
    target: str
    "Where it is put through to: a number of this exchange."
    asserted: str = ""
    "Who calls and is hidden by Privacy: id, where the carrier says it in P-Asserted-Identity; never to be shown to a phone."


def arrival_of(request: Request, way: Outside) -> Arrival:
    """What an INVITE that came by `way` is about."""
    called = _called_number(request)
    withheld = _withheld(request)
    caller = None if withheld == BOTH else _caller(request, way)
    return Arrival(
        number=number_of(caller.uri) if caller and "uri" not in withheld else "",
        name=_printable(caller.display[:MAX_NAME]) if caller and "name" not in withheld else "",
        called=called,
        target=_target(called, way),
        asserted=_asserted(request, way) if withheld == BOTH else "",
    )


def _asserted(request: Request, way: Outside) -> str:
    """RFC 3325 §7: `id` hides it from users, not from others in the network that trust each other."""
    header = "p-asserted-identity"
    if header not in way.caller_from or "id" not in _wishes(request):
        return ""
    caller = _read(request, header)
    return number_of(caller.uri) if caller else ""


def _called_number(request: Request) -> str:
    """The number that was called: RFC 7315 says it apart where the Request-URI is our Contact."""
    said = request.headers.get("P-Called-Party-ID")
    if said is not None:
        try:
            return number_of(NameAddr.parse(said).uri)
        except PeerError:
            pass  # the Request-URI says it, too
    return number_of(Uri.parse(request.uri))


def number_of(uri: Uri) -> str:
    """The number in a sip: or tel: URI, without decoration and parameters, at most 64 characters."""
    number = (uri.number or "").partition(";")[0]
    if not uri.is_sip:
        number = number.translate(_VISUAL_SEPARATORS)
    return _printable(number[:MAX_DIGITS])


def _printable(text: str) -> str:
    # What is escaped in a URI may be the end of a line, which must never get into a header of ours.
    text = text.encode("utf-8", "replace").decode()
    return "".join(each for each in text if each.isprintable())


def _withheld(request: Request) -> frozenset[str]:
    """What of the caller is for nobody: `name`, `uri`, both or nothing."""
    if not PRIVATE.isdisjoint(_wishes(request)):
        return BOTH
    withheld: set[str] = set()
    for party in _addresses(request, REMOTE_PARTY_ID):
        if _calls(party):
            # Several are a quoted list; who withholds it, the user or the network, is the same to us.
            said = re.split(r"[,;\s]+", (party.params.text("privacy") or "").lower())
            withheld |= {each.removesuffix("-network") for each in said}
    return BOTH if "full" in withheld else BOTH & withheld


def _wishes(request: Request) -> set[str]:
    return {each.strip() for each in ";".join(request.headers.get_all("Privacy")).lower().split(";")}


def _target(called: str, way: Outside) -> str:
    for pair in way.numbers:
        number, _, target = pair.partition("=")
        # Carriers write one number with a plus or without it, as they please.
        if number.lstrip("+") == called.lstrip("+"):
            return target
    return way.incoming or called


def _caller(request: Request, way: Outside) -> NameAddr | None:
    for header in way.caller_from:
        caller = _read(request, header)
        if caller is not None and (caller.uri.number or "").lower() not in ANONYMOUS:
            return caller
    return None


def _read(request: Request, header: str) -> NameAddr | None:
    for address in _addresses(request, header):
        if address.uri.user and (header != REMOTE_PARTY_ID or _calls(address)):
            return address
    return None


def _calls(party: NameAddr) -> bool:
    """Whether a Remote-Party-ID is about who calls, and not about who is called."""
    return (party.params.text("party") or "calling").lower() == "calling"


def _addresses(request: Request, header: str) -> Iterator[NameAddr]:
    for line in request.headers.get_all(header):
        try:
            yield from NameAddr.parse_many(line, header)
        except PeerError:
            continue  # what nobody can read names nobody
