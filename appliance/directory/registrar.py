"""The registrar: takes REGISTER and keeps the bindings.

RFC 3261 §10.3, §20.10 (Contact), §20.19 (Expires), §20.23 (Min-Expires); RFC 3327 (Path); RFC 5626 §6; RFC 5627.
"""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from functools import lru_cache
from ipaddress import ip_address
from sys import intern
from typing import TYPE_CHECKING

import msgspec

from appliance.directory import outbound
from appliance.directory.bindings import MAX_BINDINGS, Binding
from appliance.directory.gruu import Gruus, asks_for_gruus
from appliance.errors import PeerError
from appliance.sip.inspection import check_required
from appliance.sip.transport.answer import DEFAULT_PORT, HOST_CACHE, answerable
from appliance.sip.transport.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.clock import Timers
    from appliance.directory.bindings import Bindings
    from appliance.directory.credentials import Credentials
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import NameAddr, Params, Request, Uri

__all__ = ["DEFAULT_EXPIRES", "MAX_EXPIRES", "MIN_EXPIRES", "SUPPORTED", "Registrar"]

SUPPORTED = frozenset({"gruu", "outbound", "path"})
"Option tags of registration."

_SUPPORTED_HEADER = ("Supported", ", ".join(sorted(SUPPORTED)))

DEFAULT_EXPIRES = 3600
"Seconds, for a phone that asks for none (§10.2.1.1)."

MIN_EXPIRES = 60
"Seconds. What is shorter is a keep-alive, and 1,000 phones would send 17 requests a second by it already."

MAX_EXPIRES = 7200
"Seconds. A phone that vanished keeps ringing in vain for that long at most."

MAX_KEPT = 2048
"Characters kept of a Contact with its parameters, Path and the Call-ID; with GRUU and feature tags some 700."

MAX_USER_AGENT = 128
"Characters kept of a User-Agent: what people recognise a phone by stands at the front."

# §25.1: qvalue
_Q = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class Registrar:
    """Serves REGISTER."""

    def __init__(
        self,
        timers: Timers,
        credentials: Credentials,
        bindings: Bindings,
        wall_clock: Callable[[], float] = time.time,
        gruus: Gruus | None = None,
    ) -> None:
        """`wall_clock` gives seconds since 1970, UTC, for the Date header and for people."""
        self._timers = timers
        self._credentials = credentials
        self._bindings = bindings
        self._wall_clock = wall_clock
        self._gruus = gruus or Gruus(bindings)

    def receive(self, transaction: ServerTransaction) -> None:
        """Answer one REGISTER; PeerError for what is refused. Nothing changes then."""
        request = transaction.request
        number = self._authorize(request)
        if request.headers.get_all("Contact") == ["*"]:
            self._clear(request, number)
            more: tuple[tuple[str, str], ...] = ()
        else:
            more = self._update(request, number, transaction.flow)
        transaction.reply(200, headers=(*self._describe(request, number), *more))

    def _authorize(self, request: Request) -> str:
        check_required(request, SUPPORTED)  # step 2
        number = self._credentials.verify(request)
        address = request.to.uri
        if not address.is_sip:
            raise PeerError(400, "No Address of Record in To")
        # Step 4. Whatever its host: phones write our name, our address, or what a router makes of it.
        if address.number != number:
            raise PeerError(403, "Forbidden")
        return number

    def _clear(self, request: Request, number: str) -> None:
        if request.expires != 0:  # step 6
            raise PeerError(400, "Contact * Without Expires: 0")
        self._bindings.clear(number, request.call_id, request.cseq.number)

    def _update(self, request: Request, number: str, flow: Flow) -> tuple[tuple[str, str], ...]:
        """Take the contacts; gives what else the answer says."""
        contacts = request.contacts
        if len(contacts) > MAX_BINDINGS:
            raise PeerError(403, "Too Many Contacts")
        is_outbound = outbound.applies(request, contacts)
        default = DEFAULT_EXPIRES if request.expires is None else request.expires
        wanted: list[Binding] = []
        unwanted: list[Binding] = []
        for contact in contacts:
            granted = _grant(contact, default)
            binding = self._bind(request, number, flow, contact, granted)
            if not is_outbound and "reg-id" in binding.params:  # RFC 5626 §6: ignored
                binding = msgspec.structs.replace(binding, params=binding.params.without("reg-id"))
            (wanted if granted else unwanted).append(binding)
        if contacts:
            self._bindings.update(number, wanted, unwanted)
        # RFC 3327 §5.3: the phone is shown by which way it will be called.
        path = tuple(("Path", line) for line in request.headers.get_all("Path")) if wanted else ()
        return path + outbound.ANSWER if is_outbound else path

    def _bind(self, request: Request, number: str, flow: Flow, contact: NameAddr, granted: int) -> Binding:
        now = self._timers.now()
        path = ", ".join(f"<{hop.uri}>" for hop in request.paths)
        if not contact.uri.is_sip:
            raise PeerError(400, "Contact Cannot Be Called")
        # RFC 5627 §5.1: calls to a GRUU that is registered for a contact of itself would go round in circles.
        if "gr" in contact.uri.params:
            raise PeerError(403, "Contact Is a GRUU")
        _check_kept(f"{contact.uri}{contact.params}{request.call_id}{path}")
        return Binding(
            number=number,
            contact=contact.uri,
            flow=_way_to(request.paths[0].uri if path else contact.uri, request, flow),
            q=_read_q(contact.params.get("q")),
            expires_at=now + granted,
            granted=granted,
            user_agent=_user_agent(request),
            call_id=request.call_id,
            cseq=request.cseq.number,
            registered_at=self._wall_clock(),
            refreshed_at=now,
            params=_kept(contact.params),
            path=path,
        )

    def _describe(self, request: Request, number: str) -> list[tuple[str, str]]:
        # Step 8: all of them, each with the seconds it has left.
        now = self._timers.now()
        headers = [("Date", _date(int(self._wall_clock()))), _SUPPORTED_HEADER]
        for binding in self._bindings.lookup(number):
            q = "" if binding.q == 1.0 else f";q={binding.q:g}"
            expires = max(0, round(binding.expires_at - now))
            more = self._gruus_of(request, binding) if "+sip.instance" in binding.params else ""
            headers.append(("Contact", f"<{binding.contact}>{q};expires={expires}{binding.params}{more}"))
        return headers

    def _gruus_of(self, request: Request, binding: Binding) -> str:
        return self._gruus.params_of(binding, request.to.uri) if asks_for_gruus(request) else ""


@lru_cache(1)
def _date(second: int) -> str:
    """The Date header's value (§20.17). A second's worth of answers shares it."""
    return formatdate(second, usegmt=True)


def _grant(contact: NameAddr, default: int) -> int:
    """The seconds to grant; 0 to drop the binding. PeerError 423 for too few."""
    asked = _read_expires(contact.params.get("expires"), default)
    # Step 7 allows refusing only what is below an hour, as our minimum is.
    if 0 < asked < MIN_EXPIRES:
        raise PeerError(423, "Interval Too Brief", (("Min-Expires", str(MIN_EXPIRES)),))
    return min(asked, MAX_EXPIRES)


def _read_expires(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_EXPIRES  # §20.10: malformed is as good as 3600
    return MAX_EXPIRES if len(text) > 10 else int(text)


def _read_q(text: str | None) -> float:
    if text is None:
        return 1.0
    if _Q.fullmatch(text) is None:
        raise PeerError(400, "Malformed Contact")
    return float(text)


def _way_to(contact: Uri, request: Request, flow: Flow) -> Flow:
    """How to reach the phone, or the proxy before it.

    Over a connection: that connection, as nobody listens at the other end of most of them. Over UDP: when the
    topmost Via names the address the request came from, no NAT is between us, and the Contact's address holds
    (a phone may well listen elsewhere than where it sends from). Else the way back through the NAT.
    """
    if flow.connection:
        return flow
    via, (host, port) = request.via, request.source
    if via.address != host or (via.wants_rport and (via.port or DEFAULT_PORT["udp"]) != port):
        return flow
    remote = (contact.address, DEFAULT_PORT["udp"] if contact.port is None else contact.port)
    if remote == flow.remote:
        return flow
    transport = (contact.params.get("transport") or "udp").lower()
    if transport != "udp" or _family(remote[0]) != _family(flow.remote[0]) or not answerable(remote):
        return flow
    return Flow(flow.transport, flow.local, remote)


@lru_cache(HOST_CACHE)
def _family(host: str) -> int:
    """4 or 6; 0 for a name."""
    try:
        return ip_address(host.partition("%")[0]).version
    except ValueError:
        return 0


def _kept(params: Params) -> Params:
    params = params.without("q").without("expires")
    # RFC 5627 §5.1: a phone may say which GRUUs it was given, but that is not for it to say.
    return params.without("pub-gruu").without("temp-gruu") if "+sip.instance" in params else params


def _user_agent(request: Request) -> str:
    text = (request.headers.get("User-Agent") or "")[:MAX_USER_AGENT]
    # Interned, as a hundred phones of one make say the same.
    return intern(text.encode("utf-8", "replace").decode())


def _check_kept(text: str) -> None:
    if len(text) > MAX_KEPT:
        raise PeerError(403, "Registration Too Long")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PeerError(400, "Not UTF-8") from None  # it could neither be stored nor shown
