"""A telephone: it keeps itself registered, calls and is called. What it does in a call: talk.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from appliance.clock import Clock, Timer
from appliance.errors import PeerError
from appliance.sip.endpoint import ClientEvent, ClientTransaction, Endpoint, Failed, ServerTransaction
from appliance.sip.message import Authorization, Challenge, Headers, Request, Response
from appliance.sip.message.digest import ha1
from appliance.sip.transport.flow import Address, Flow, TransportError
from tests.simulation.attempt import HEADER, Attempt
from tests.simulation.callee import Callee
from tests.simulation.caller import Caller
from tests.simulation.network import Host, Network
from tests.simulation.talk import SDP, Talk

__all__ = ["SimulatedPhone"]

EXPIRES = 300
"Seconds that a registration lasts; it is refreshed at half time."
PAUSE = 5.0
"Seconds after which a registration is tried again that failed."


class SimulatedPhone:
    """One phone of an extension."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        number: str,
        address: Address,
        exchange: Address,
        attempts: dict[str, Attempt],
        *,
        transport: str = "udp",
        modern: bool = False,
    ) -> None:
        self.clock, self.chance, self.number, self.address = clock, network.random, number, address
        self.exchange, self.transport, self.modern = exchange, transport, modern
        self.attempts = attempts
        self.talks: list[Talk] = []
        self.results: Counter[str] = Counter()
        self.host: Host = network.host(address)
        self.endpoint = Endpoint(clock, network.random, self.host)
        self.endpoint.serve("INVITE", self.invited)
        self.endpoint.allowed |= {"INFO", "PRACK", "UPDATE"}
        self.endpoint.supported |= {"100rel", "timer"}
        self.endpoint.on_connection_lost = self.connection_lost
        self.contact = f"<sip:{number}@{address[0]}:{address[1]};transport={transport}>"
        self.registered = self.registering = False
        self.flow: Flow | None = None  # that it has registered over
        self.cseq = 0
        self.again: Timer | None = None
        self.parted = self.recovers = self.off = False

    @property
    def alive(self) -> bool:
        return self.host.powered

    @property
    def cut_off(self) -> bool:
        """Whether it cannot reach the exchange, or has lost its connection by that and not yet a new one."""
        return self.parted or self.recovers

    def sdp(self, direction: str = "sendrecv") -> bytes:
        return SDP.format(host=self.address[0], direction=direction).encode()

    # --- what goes out

    def send(self, request: Request, on_event: Callable[[ClientEvent], None]) -> ClientTransaction | None:
        """Send a request the way that leads to the exchange now; without one it fails at once, but not before this returns."""
        try:
            flow = self.endpoint.flow_to(self.transport, self.exchange)
        except TransportError:
            self.clock.after(0, lambda: on_event(Failed("transport")))
            return None
        return self.endpoint.send_request(request, flow, on_event)

    def send_ack(self, ack: Request) -> None:
        with suppress(TransportError):  # the 2xx comes again
            self.endpoint.send_ack(ack, self.endpoint.flow_to(self.transport, self.exchange))

    def prove(self, challenged: Response, request: Request) -> str:
        """The Authorization that answers a challenge."""
        challenge = Challenge.parse(challenged.headers.get("WWW-Authenticate") or "")
        secret = ha1(challenge.algorithm, self.number, challenge.realm, f"secret{self.number}")
        cnonce = f"{self.chance.getrandbits(40):x}"
        answer = Authorization.answer(
            challenge, request.method, request.uri, self.number, secret, cnonce=cnonce
        )
        return str(answer)

    # --- registration

    def register(self, authorization: str | None = None) -> None:
        """Register, and stay so until `switch_off`."""
        self.registering, self.cseq = True, self.cseq + 1
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.number}@pbx>;tag={self.endpoint.new_tag()}"),
            ("To", f"<sip:{self.number}@pbx>"),
            ("Call-ID", f"register-{self.address[0]}"),
            ("CSeq", f"{self.cseq} REGISTER"),
            ("Contact", f"{self.contact};expires={EXPIRES}"),
        ]
        if authorization is not None:
            fields.append(("Authorization", authorization))
        request = Request("REGISTER", "sip:pbx", Headers(fields))
        client = self.send(request, lambda event: self.register_answered(request, client, event))

    def register_answered(
        self, request: Request, client: ClientTransaction | None, event: ClientEvent
    ) -> None:
        status = event.status if isinstance(event, Response) else 408
        if status < 200:
            return
        if isinstance(event, Response) and status == 401 and "Authorization" not in request.headers:
            self.register(self.prove(event, request))
            return
        self.registering = False
        self.results[f"REGISTER {status}"] += 1
        if status == 200 and client is not None:
            self.registered, self.recovers, self.flow = True, False, client.flow
        self.register_after(EXPIRES / 2 if status == 200 else PAUSE)

    def register_after(self, delay: float) -> None:
        if self.off:
            return
        if self.again is not None:
            self.again.cancel()
        self.again = self.clock.after(delay, self.register)

    def connection_lost(self, flow: Flow) -> None:
        if self.flow is not None and flow.connection == self.flow.connection:
            self.recovers, self.flow = True, None
            if not self.registering:
                self.register_after(0)

    def switch_off(self) -> None:
        """Refresh nothing more, and put down the receiver."""
        self.off = True
        if self.again is not None:
            self.again.cancel()
        for talk in self.talks:
            talk.put_down()

    # --- calls

    def call(self, number: str, attempt: Attempt) -> None:
        """Call somebody; perhaps give up soon."""
        caller = Caller(self, attempt, number)
        caller.dial()
        if attempt.hasty:
            self.clock.after(attempt.patience, caller.give_up)

    def invited(self, transaction: ServerTransaction) -> None:
        attempt = self.attempts.get(transaction.request.headers.get(HEADER) or "")
        if attempt is None:
            raise PeerError(404, "Not Found")
        Callee(self, attempt).ring(transaction)
