"""Asks by OPTIONS whether a SIP server is at an address.

RFC 3261 §11: any final response is one, a refusal too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from appliance.sip.message import Headers, Request, Response, Uri
from appliance.sip.transport.flow import TransportError

if TYPE_CHECKING:
    from appliance.sip.endpoint import ClientEvent, Endpoint

__all__ = ["OptionsProbe"]

ANSWER_WITHIN = 2.0
"Seconds: three datagrams (timer E, RFC 3261 §17.1.2.2), by the slowest way around the world."


class OptionsProbe:
    """A `SipProbe` over the exchange's own endpoint, from the port that a provider would hear calls from."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, host: str, port: int) -> bool:
        """Whether somebody answers by UDP. Never fails."""
        answered = anyio.Event()

        def take(event: ClientEvent) -> None:
            if isinstance(event, Response) and event.status >= 200:
                answered.set()

        try:
            flow = self._endpoint.flow_to("udp", (host, port))
            self._endpoint.send_request(self._options(Uri.sip(None, host, port), flow.local[0]), flow, take)
        except TransportError:
            return False
        with anyio.move_on_after(ANSWER_WITHIN):
            await answered.wait()
        return answered.is_set()

    def _options(self, uri: Uri, local: str) -> Request:
        tag, call_id = self._endpoint.new_tag(), self._endpoint.new_tag()
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<{Uri.sip('anonymous', local)}>;tag={tag}"),
            ("To", f"<{uri}>"),
            ("Call-ID", call_id),
            ("CSeq", "1 OPTIONS"),
            ("Accept", "application/sdp"),
        ]
        return Request("OPTIONS", str(uri), Headers(fields))
