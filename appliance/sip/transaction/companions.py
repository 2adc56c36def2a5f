"""The requests that a client transaction makes of its own: ACK and CANCEL.

RFC 3261 §17.1.1.3 and §9.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sip.message import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.sip.message import Response

__all__ = ["make_ack", "make_cancel"]


def make_ack(invite: Request, response: Response) -> Request:
    """The ACK of a response from 300 to 699, inside the INVITE's transaction."""
    # §17.1.1.3: To is the response's, tag and all; what is not named here equals the INVITE's.
    return _companion("ACK", invite, response.headers.get("To"), ())


def make_cancel(invite: Request, headers: Iterable[tuple[str, str]] = ()) -> Request:
    """The CANCEL of an INVITE that waits for its final response. `headers` may say a Reason (RFC 3326)."""
    # §9.1: Request-URI, Call-ID, To, CSeq number and From MUST equal the INVITE's, tags included.
    return _companion("CANCEL", invite, invite.headers.get("To"), headers)


def _companion(method: str, invite: Request, to: str | None, more: Iterable[tuple[str, str]]) -> Request:
    mine = invite.headers
    # Both: one Via, equal to the INVITE's topmost; its Route too, so that they take the same way.
    fields = [("Via", mine.get("Via") or "")]
    fields += [("Route", route) for route in mine.get_all("Route")]
    fields += [("Max-Forwards", "70"), ("From", mine.get("From") or ""), ("To", to or "")]
    fields += [("Call-ID", invite.call_id), ("CSeq", f"{invite.cseq.number} {method}"), *more]
    return Request(method, invite.uri, Headers(fields))
