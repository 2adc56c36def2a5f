"""A carrier whose every word the test says: it takes a line's REGISTER, asks for proofs, calls and is called.

carrier = office.carrier()
office.line(carrier, account="+862412345678")       # registered, as its name says
office.stage << carrier.gets("INVITE") >> carrier.asks("one") << carrier.gets("ACK") << carrier.gets("INVITE")
carrier.accepts_proof("one")
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import Any, Self

from appliance.selftest.phone import Account
from appliance.sip.message import Authorization, Challenge, Request
from appliance.sip.message.digest import digest_response, ha1
from tests.call.playbook import Sends
from tests.interop.exchange import wait_until
from tests.peers.stage import ScriptedPhone, Stage

__all__ = ["PASSWORD", "Carrier", "Office"]

PASSWORD = "the line's own"
ASKED_IN = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}
PROVEN_IN = {401: "Authorization", 407: "Proxy-Authorization"}


class Carrier(ScriptedPhone):
    """One server of a carrier's, at an address that nothing else has. It calls as its own number."""

    realm = "carrier.example"
    "The realm of its challenges; a test sets another one."
    user = ""
    "Who has to prove it; of the line's settings, unless a test sets it."

    def newest(self) -> Request:
        """The request that came last."""
        assert isinstance(self.last, Request)
        return self.last

    def header(self, name: str) -> str | None:
        """A header's value in the request that came last."""
        return self.newest().headers.get(name)

    def line_of(self, name: str) -> list[str]:
        """All values of a header there."""
        return self.newest().headers.get_all(name)

    def asks(
        self, nonce: str, *, status: int = 401, stale: bool = False, realm: str = "", **headers: str
    ) -> Sends:
        """Refuse the last request until it is proven."""
        challenge = str(Challenge(realm or self.realm, nonce, qop=("auth",), stale=stale))
        fields: dict[str, Any] = {ASKED_IN[status].replace("-", "_"): challenge, **headers}
        return self.says(status, **fields) if self.newest().method == "INVITE" else self.ok(status, **fields)

    def accepts_proof(self, nonce: str, *, status: int = 401) -> None:
        """The last request bears this line's proof for that challenge, and it is right."""
        request = self.newest()
        (header,) = request.headers.get_all(PROVEN_IN[status])
        answer = Authorization.parse(header)
        assert (answer.username, answer.realm, answer.nonce) == (self.user, self.realm, nonce)
        assert answer.uri == request.uri
        secret = ha1("MD5", self.user, self.realm, PASSWORD)
        assert answer.response == digest_response(secret, request.method, answer, request.body)

    def has_no_proof(self) -> None:
        """The last request gives nothing away."""
        assert not [name for name in PROVEN_IN.values() if self.header(name)]

    def registers(self, expires: int = 3600, **headers: Any) -> Sends:
        """Take the REGISTER that came last."""
        return self.ok(200, Contact=f"{self.header('Contact')};expires={expires}", **headers)

    def contact_of_line(self) -> str:
        """The URI that the line has registered: what a call from here asks for."""
        assert self.registered is not None
        return str(self.registered.contacts[0].uri)

    registered: Request | None = None
    "The REGISTER that was taken."

    def calls(self, uri: str, *, body: bytes = b"", **headers: Any) -> Sends:
        """An INVITE for any URI, as a carrier writes it; `From` and `To` are bare addresses."""
        caller = headers.pop("From", f"<sip:{self.number}@{self.here}>")
        callee = headers.pop("To", f"<{uri}>")
        self.invite("nobody")
        self.local, self.remote, self.target = f"{caller};tag={self.tag}", callee, uri
        return self.again(body or self.offer(), **headers)


class Office:
    """The exchange and what it is connected to, for one test; settings of its own are taken back in the end."""

    _serial = count(1)

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def carrier(self, transport: str = "udp", host: str = "") -> Carrier:
        """A carrier, unregistered."""
        serial = next(self._serial)
        account = Account(f"+8613900{serial:06}", "unused", self.stage.exchange.sip)
        phone = self.stage.phone(
            *(transport,),
            account=account,
            host=host or f"127.22.{serial // 250}.{serial % 250 + 1}",
            registered=False,
            kind=Carrier,
        )
        assert isinstance(phone, Carrier)
        return phone

    def add(self, area: str, **values: Any) -> str:
        """A setting that ends with the test; its name."""
        perform = self.stage.exchange.perform
        name = values.setdefault("name", f"{area[:-1]}{next(self._serial)}")
        perform(area, "add", None, values)
        self._stack.callback(perform, area, "remove", name)
        return str(name)

    def line(self, carrier: Carrier, *, answer: dict[str, Any] | None = None, **settings: Any) -> str:
        """A line that this carrier has taken, without asking for a proof; its name. `answer`: headers of the 200."""
        values = {"account": "+862412345678", "password": PASSWORD, "server": carrier.here, **settings}
        carrier.user = values.get("auth_name") or values["account"]
        name = self.add("lines", **values)
        self.stage << carrier.gets("REGISTER")
        carrier.registered = carrier.newest()
        self.stage >> carrier.registers(**(answer or {}))
        self.wait("lines", name, "registered")
        return name

    def trunk(self, *peers: Carrier, **settings: Any) -> str:
        """A trunk to these servers, which are not asked whether they are there unless settings say so; its name."""
        values = {"peers": ",".join(peer.here for peer in peers), "keep_alive": 0, **settings}
        return self.add("trunks", **values)

    def route(self, *ways: str, **settings: Any) -> str:
        """What is dialled before a number so that it goes by these lines and trunks."""
        prefix = f"8{next(self._serial):04}"
        self.add(
            "routes", **{"pattern": f"{prefix}X.", "strip": len(prefix), "to": ",".join(ways), **settings}
        )
        return prefix

    def show(self, area: str, name: str) -> dict[str, Any]:
        """What is shown of it now."""
        shown: dict[str, Any] = self.stage.exchange.perform(area, "show", name)
        return shown

    def wait(self, area: str, name: str, state: str, limit_s: float = 15.0) -> dict[str, Any]:
        """What is shown of it once it is in that state."""
        wait_until(lambda: self.show(area, name)["state"] == state, f"{name} {state}", limit_s)
        return self.show(area, name)

    def talk(self, caller: ScriptedPhone, callee: ScriptedPhone) -> Stage:
        """The callee, who got the INVITE, takes the call."""
        self.stage >> callee.says(200, callee.offer()) << callee.gets("ACK")
        return self.stage << caller.gets(200) >> caller.ack()

    def answers(self, caller: ScriptedPhone, callee: ScriptedPhone) -> None:
        """The same, and the call ends well: the only one that there is, and that the caller has made."""
        self.talk(caller, callee).hang_up(caller, callee).ends(caller, "normal")
