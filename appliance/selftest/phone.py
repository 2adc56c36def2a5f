"""A small SIP phone on our own stack: it registers, calls, is called, and hangs up. One call at a time.

RFC 3261 §10.2 (REGISTER), §13.2 (calling), §13.3 (being called), §15.1 (BYE), §22 (digest).
It repeats no 2xx: on loopback nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from appliance.errors import PeerError
from appliance.sip.dialog import Dialog
from appliance.sip.endpoint import Failed
from appliance.sip.message import Authorization, Challenge, Headers, Request
from appliance.sip.message.digest import ALGORITHMS, ha1

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from appliance.selftest.sound import Sound
    from appliance.sip.endpoint import ClientEvent, Endpoint, ServerTransaction
    from appliance.sip.message import Response
    from appliance.sip.transport.flow import Flow

__all__ = ["Account", "Phone", "answer_challenge"]

REGISTRATION_S = "120"
SDP = ("Content-Type", "application/sdp")


class Account:
    """What a person types into a phone."""

    def __init__(self, number: str, password: str, server: tuple[str, int]) -> None:
        self.number = number
        self.password = password
        self.server = server

    def uri(self, number: str | None = None) -> str:
        """The server's URI, or that of a number at the server."""
        host, port = self.server
        return f"sip:{number}@{host}:{port}" if number else f"sip:{host}:{port}"


class Phone:
    """A user of an endpoint of its own."""

    def __init__(self, account: Account, endpoint: Endpoint, sound: Sound, random: Random) -> None:
        self.account = account
        self.sound = sound
        self.established = anyio.Event()
        "The call that came in has its ACK."
        self.ended = anyio.Event()
        "The peer hung up."
        self._endpoint = endpoint
        self._random = random
        self._flow: Flow = endpoint.flow_to("udp", account.server)
        self._sequence = 0
        self._dialog: Dialog | None = None
        self._ack: Request | None = None
        endpoint.serve("INVITE", self._ring)

    async def register(self) -> None:
        """PeerError with the registrar's refusal."""
        tail = [("Contact", self._contact), ("Expires", REGISTRATION_S)]
        response = await self._ask("REGISTER", self.account.uri(), self.account.number, tail)
        _check(response)

    async def call(self, number: str) -> None:
        """Return once the call is answered. PeerError with the refusal."""
        tail = [("Contact", self._contact), SDP]
        response = await self._ask(
            "INVITE",
            self.account.uri(number),
            number,
            tail,
            self.sound.description,
            self._acknowledge,
        )
        _check(response)
        self.sound.aim(response.body)

    async def hang_up(self) -> None:
        """End the call. PeerError when the peer knows nothing of it."""
        dialog = self._dialog
        if dialog is None:
            raise PeerError(481, "No Call To End")
        response = await self._transact(dialog.make_request("BYE"))
        self._forget()
        _check(response)

    # What the endpoint brings (endpoint.DialogUser).

    def receive(self, transaction: ServerTransaction) -> None:
        if transaction.request.method != "BYE":
            raise PeerError(488, "Not Acceptable Here")
        transaction.reply(200)
        self._forget()
        self.ended.set()

    def receive_ack(self, _: Request) -> None:
        self.established.set()

    def _ring(self, transaction: ServerTransaction) -> None:
        if self._dialog is not None:
            raise PeerError(486, "Busy Here")
        request = transaction.request
        self.sound.aim(request.body)
        dialog = Dialog.of_uas(request, transaction.tag, self._contact)
        self._keep(dialog)
        contact = ("Contact", self._contact)
        transaction.reply(180, headers=[contact])
        transaction.reply(200, headers=[contact, SDP], body=self.sound.description)

    def _acknowledge(self, request: Request, response: Response) -> None:
        # §13.2.2.4: an ACK for each 2xx that comes, the first and its repetitions.
        if self._ack is None:
            dialog = Dialog.of_uac(request, response)
            self._keep(dialog)
            self._ack = dialog.make_request("ACK", invite_seq=request.cseq.number)
        self._endpoint.send_ack(self._ack, self._flow)

    def _keep(self, dialog: Dialog) -> None:
        self._dialog = dialog
        self._endpoint.add_dialog(dialog.id, self)

    def _forget(self) -> None:
        if self._dialog is not None:
            self._endpoint.remove_dialog(self._dialog.id)
        self._dialog = self._ack = None

    # Requests and their answers.

    async def _ask(  # a request's parts
        self,
        method: str,
        uri: str,
        to: str,
        tail: list[tuple[str, str]],
        body: bytes = b"",
        on_success: Callable[[Request, Response], None] | None = None,
    ) -> Response:
        """Send a request outside dialogs, once more with credentials if it is challenged."""
        account = self.account
        base = [
            ("Max-Forwards", "70"),
            ("From", f"<{account.uri(account.number)}>;tag={self._endpoint.new_tag()}"),
            ("To", f"<{account.uri(to)}>"),
            ("Call-ID", f"{self._random.getrandbits(96):024x}"),
        ]
        credentials: list[tuple[str, str]] = []
        while True:
            self._sequence += 1
            headers = Headers([*base, ("CSeq", f"{self._sequence} {method}"), *tail, *credentials])
            response = await self._transact(Request(method, uri, headers, body), on_success)
            if response.status not in (401, 407) or credentials:
                return response
            cnonce = f"{self._random.getrandbits(64):016x}"
            credentials = [answer_challenge(response, method, uri, account, cnonce)]

    async def _transact(
        self, request: Request, on_success: Callable[[Request, Response], None] | None = None
    ) -> Response:
        final: list[ClientEvent] = []
        done = anyio.Event()

        def on_event(event: ClientEvent) -> None:
            if isinstance(event, Failed) or event.status >= 200:
                if on_success is not None and not isinstance(event, Failed) and event.status < 300:
                    on_success(request, event)
                final.append(event)
                done.set()

        self._endpoint.send_request(request, self._flow, on_event)
        await done.wait()
        if isinstance(final[0], Failed):
            raise PeerError(408, f"{request.method} Not Answered ({final[0].cause})")
        return final[0]

    @property
    def _contact(self) -> str:
        return self._endpoint.contact(self._flow, self.account.number)


def answer_challenge(
    response: Response, method: str, uri: str, account: Account, cnonce: str
) -> tuple[str, str]:
    """The header that answers a 401 or 407, by the first challenge whose hash we know (RFC 8760 §2.4).

    PeerError 400 when there is none.
    """
    of_proxy = response.status == 407
    for text in response.headers.get_all("Proxy-Authenticate" if of_proxy else "WWW-Authenticate"):
        challenge = Challenge.parse(text)
        if challenge.algorithm not in ALGORITHMS:
            continue
        secret = ha1(challenge.algorithm, account.number, challenge.realm, account.password)
        answer = Authorization.answer(challenge, method, uri, account.number, secret, cnonce=cnonce)
        return "Proxy-Authorization" if of_proxy else "Authorization", str(answer)
    raise PeerError(400, "No Challenge That We Know")


def _check(response: Response) -> None:
    if response.status >= 300:
        raise PeerError(response.status, response.reason)
