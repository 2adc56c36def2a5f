"""A telephone with moods: registers, calls and is called. What it does in a call: talk.py."""

from __future__ import annotations

from collections import Counter

from appliance.clock import Clock
from appliance.sip.dialog import InviteUsage
from appliance.sip.endpoint import ClientEvent, Endpoint, ServerTransaction
from appliance.sip.message import Authorization, Challenge, Headers, Request, Response
from appliance.sip.message.digest import ha1
from appliance.sip.transport.flow import Address
from tests.simulation.network import Host, Network
from tests.simulation.talk import SDP, Talk

__all__ = ["SimulatedPhone"]


class SimulatedPhone:
    """One registered phone."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        number: str,
        address: Address,
        exchange: Address,
        *,
        transport: str = "udp",
        modern: bool = False,
    ) -> None:
        self.modern = modern
        self.clock, self.chance, self.number, self.address = clock, network.random, number, address
        self.host: Host = network.host(address)
        self.endpoint = Endpoint(clock, network.random, self.host)
        self.endpoint.serve("INVITE", self.invited)
        self.endpoint.allowed |= {"INFO", "PRACK", "UPDATE"}
        self.endpoint.supported |= {"100rel", "timer"}
        self.exchange = self.endpoint.flow_to(transport, exchange)
        self.contact = f"<sip:{number}@{address[0]}:{address[1]};transport={transport}>"
        self.results: Counter[str] = Counter()
        self.registered = False

    def sdp(self, direction: str = "sendrecv") -> bytes:
        return SDP.format(host=self.address[0], direction=direction).encode()

    def prove(self, challenged: Response, request: Request) -> str:
        """The Authorization that answers a challenge."""
        challenge = Challenge.parse(challenged.headers.get("WWW-Authenticate") or "")
        secret = ha1(challenge.algorithm, self.number, challenge.realm, f"secret{self.number}")
        cnonce = f"{self.chance.getrandbits(40):x}"
        answer = Authorization.answer(
            challenge, request.method, request.uri, self.number, secret, cnonce=cnonce
        )
        return str(answer)

    def register(self, authorization: str | None = None, cseq: int = 1) -> None:
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.number}@pbx>;tag={self.endpoint.new_tag()}"),
            ("To", f"<sip:{self.number}@pbx>"),
            ("Call-ID", f"register-{self.address[0]}"),
            ("CSeq", f"{cseq} REGISTER"),
            ("Contact", f"{self.contact};expires=7200"),
        ]
        if authorization is not None:
            fields.append(("Authorization", authorization))
        request = Request("REGISTER", "sip:pbx", Headers(fields))

        def answered(event: ClientEvent) -> None:
            if not isinstance(event, Response):
                self.register(cseq=cseq + 1)
            elif event.status == 401:
                self.register(self.prove(event, request), cseq + 1)
            else:
                self.registered = event.status == 200

        self.endpoint.send_request(request, self.exchange, answered)

    def call(self, number: str) -> None:
        """Call somebody; perhaps give up soon."""
        talk = Talk(self, InviteUsage.sent())
        talk.dial(number, offer=self.chance.random() < 0.85)
        if self.chance.random() < 0.25:
            self.clock.after(self.chance.uniform(0.0, 10), talk.give_up)

    def invited(self, transaction: ServerTransaction) -> None:
        Talk(self, InviteUsage.received()).ring(transaction)
