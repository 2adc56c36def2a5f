"""A dialog: what two user agents agree on for as long as they talk.

RFC 3261 §12: creation, requests inside, route set, remote target. RFC 3261 §16.12.1.2: strict routers. RFC 6141 §4:
when the remote target changes.
"""

from __future__ import annotations

__all__ = ["MAX_FORWARDS", "Dialog", "DialogId"]

from typing import TYPE_CHECKING

from appliance.errors import LocalError, PeerError
from appliance.sip.message import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.sip.message import NameAddr, Response

DialogId = tuple[str, str, str]
"Call-ID, local tag, remote tag."

# §8.1.1.6: what a user agent starts a request with.
MAX_FORWARDS = "70"

# §12.1.1: where the counting of our own requests begins when the peer created the dialog. Any number below
# 2**31 will do; a small one leaves room for a long call.
FIRST_CSEQ = 1


class Dialog:
    """One side's view of a dialog. `local` and `remote` are whole From/To values, tags included."""

    __slots__ = (
        "call_id",
        "confirmed",
        "contact",
        "local",
        "local_seq",
        "local_tag",
        "remote",
        "remote_seq",
        "remote_tag",
        "routes",
        "target",
    )

    def __init__(self, call_id: str, local: tuple[str, str], remote: tuple[str, str], contact: str) -> None:
        self.call_id = call_id
        self.local, self.local_tag = local
        self.remote, self.remote_tag = remote
        self.contact = contact
        "Our Contact value in the requests of this dialog."
        self.target = ""
        "The URI our requests go to: the peer's newest Contact."
        self.routes: tuple[NameAddr, ...] = ()
        "The route set, nearest first. It never changes once the dialog is confirmed."
        self.local_seq: int | None = None
        self.remote_seq: int | None = None
        self.confirmed = False

    @classmethod
    def of_uas(cls, request: Request, local_tag: str, contact: str) -> Dialog:
        """The dialog that our answer to this INVITE makes. PeerError 400 without a Contact."""
        to = request.headers.get("To") or ""
        remote = request.headers.get("From") or ""
        # §12.1.1: no tag in From means a client of RFC 2543, for which the remote tag is null.
        names = (f"{to};tag={local_tag}", local_tag), (remote, request.from_.tag or "")
        dialog = cls(request.call_id, *names, contact)
        contacts = request.contacts
        # §8.1.1.8: a Contact MUST be there, and exactly one.
        if not contacts:
            raise PeerError(400, "Missing Contact")
        dialog.target = str(contacts[0].uri)
        # §12.1.1: the route set is the Record-Route of the request, in its order.
        dialog.routes = tuple(request.record_routes)
        dialog.remote_seq = request.cseq.number
        return dialog

    @classmethod
    def of_uac(cls, request: Request, response: Response) -> Dialog:
        """The dialog that this response to our INVITE makes: early by a 1xx, confirmed by a 2xx."""
        local = (request.headers.get("From") or "", request.from_.tag or "")
        # §12.1.2: no tag in To means a server of RFC 2543, for which the remote tag is null.
        remote = (response.headers.get("To") or "", response.to.tag or "")
        dialog = cls(request.call_id, local, remote, request.headers.get("Contact") or "")
        # A provisional response without a Contact breaks §12.1.1; where the INVITE went is the best guess.
        dialog.target = request.uri
        dialog.local_seq = request.cseq.number
        dialog.confirm(response) if response.status >= 200 else dialog._learn(response)
        return dialog

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local_tag, self.remote_tag

    def confirm(self, response: Response | None = None) -> None:
        """The INVITE was accepted. A client gives the 2xx that said so."""
        if response is not None and not self.confirmed:
            # §13.2.2.4: the route set MUST be computed anew from the 2xx.
            self._learn(response)
        self.confirmed = True

    def _learn(self, response: Response) -> None:
        # §12.1.2: the route set is the Record-Route of the response, reversed.
        self.routes = tuple(reversed(response.record_routes))
        self.refresh_target(response)

    def refresh_target(self, message: Request | Response) -> None:
        """§12.2: the Contact of a target refresh request that is accepted, or of a 2xx, replaces the remote target.

        RFC 6141 §4: one that is refused changes nothing, so that its sender still gets what it got before.
        PeerError 400 for a request whose Contact cannot be read; a response cannot be refused, so the target stays.
        """
        try:
            contacts = message.contacts
        except PeerError:
            if isinstance(message, Request):
                raise
            return
        if contacts:
            self.target = str(contacts[0].uri)

    def make_request(
        self,
        method: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        invite_seq: int | None = None,
    ) -> Request:
        """A request inside this dialog (§12.2.1.1). An ACK needs the CSeq number of its INVITE."""
        uri, routes = self._way()
        # The order costs nothing and is what people expect to read in a trace.
        fields = [("Route", route) for route in routes]
        fields += [("Max-Forwards", MAX_FORWARDS), ("From", self.local), ("To", self.remote)]
        fields += [("Call-ID", self.call_id), ("CSeq", f"{self._next_seq(method, invite_seq)} {method}")]
        # §12.2.1.1: target refresh requests SHOULD carry a Contact; §8.1.1.8 wants none in an ACK or BYE.
        if method in {"INVITE", "UPDATE"}:
            fields.append(("Contact", self.contact))
        fields += headers
        return Request(method, uri, Headers(fields), body)

    def renumber(self, request: Request) -> None:
        """Give a request inside this dialog, which is to go out once more, the next number (§22.2)."""
        request.headers.set("CSeq", f"{self._next_seq(request.method, None)} {request.method}")

    def _next_seq(self, method: str, invite_seq: int | None) -> int:
        if method == "ACK":
            # §13.2.2.4: the CSeq number of the ACK MUST be that of the INVITE it acknowledges.
            if invite_seq is None:
                raise LocalError("an ACK needs the CSeq number of its INVITE")
            return invite_seq
        self.local_seq = FIRST_CSEQ if self.local_seq is None else self.local_seq + 1
        return self.local_seq

    def _way(self) -> tuple[str, list[str]]:
        # §12.2.1.1: the Request-URI is the remote target and Route the route set, unless ...
        routes = [f"<{route.uri}>" for route in self.routes]
        if not routes or "lr" in self.routes[0].uri.params:
            return self.target, routes
        # ... the first router is a strict one: then it is the Request-URI, and the target goes to the end.
        return str(self.routes[0].uri), [*routes[1:], f"<{self.target}>"]

    def receive_request(self, request: Request) -> None:
        """Take in a request other than ACK and CANCEL (§12.2.2). PeerError 500 when it is out of order.

        Whoever accepts it refreshes the target by it; a Contact that cannot be read is refused here: PeerError 400.
        """
        number = request.cseq.number
        # §12.2.2: a number below the last one is out of order and MUST be refused with 500. One that repeats
        # the last is no retransmission either (the transactions keep those), so it is refused the same.
        if self.remote_seq is not None and number <= self.remote_seq:
            raise PeerError(500, "CSeq Out Of Order")
        self.remote_seq = number
        if request.method in {"INVITE", "UPDATE"}:
            _ = request.contacts
