"""The Via header: the way an answer goes back.

RFC 3261 §20.42, §25.1; RFC 3581 for rport.
"""

from __future__ import annotations

import re

import msgspec

from appliance.sip.message.grammar import NO_PARAMS, Params, malformed, parse_number, split_list
from appliance.sip.message.uri import check_host

__all__ = ["MAGIC_COOKIE", "Via"]

MAGIC_COOKIE = "z9hG4bK"
"§8.1.1.7: a branch that begins so is unique for its transaction."

_VIA = re.compile(
    r"""[Ss][Ii][Pp][ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)
        [ \t]+(\[[^\]\s]*\]|[A-Za-z0-9.\-_]+)
        (?:[ \t]*:[ \t]*([0-9]+))?[ \t]*""",
    re.VERBOSE,  # not IGNORECASE: that makes every character class slow
)
_MAX_PORT = 65_535


class Via(msgspec.Struct, frozen=True, gc=False):
    """One hop."""

    transport: str
    "Upper case: UDP, TCP, TLS, WS, WSS, or a name we do not know."
    host: str
    "The sent-by host as written; IPv6 in its brackets."
    port: int | None
    "The sent-by port; None when it is left to the transport's default."
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one hop; PeerError 400 when malformed."""
        found = _VIA.match(text)
        if found is None:
            malformed("Via")
        transport, host, port_text = found.groups()
        if host[0] == "[":
            check_host(host, "Via")
        port = None if port_text is None else parse_number(port_text, _MAX_PORT, "Via")
        return cls(transport.upper(), host, port, Params.parse(text[found.end() :], "Via"))

    @classmethod
    def parse_many(cls, text: str) -> list[Via]:
        """Read a comma-separated list of hops, topmost first; PeerError 400 when one is malformed."""
        return [cls.parse(value) for value in split_list(text, "Via")]

    @property
    def branch(self) -> str | None:
        """The transaction's name; None from a peer of RFC 2543's days."""
        return self.params.get("branch")

    @property
    def received(self) -> str | None:
        """The address a request was seen to come from, without brackets (RFC 5118 §4.5 allows both)."""
        value = self.params.get("received")
        return None if value is None else value.strip("[]")

    @property
    def rport(self) -> int | None:
        """The port a request was seen to come from (RFC 3581); None when absent or still to be filled in."""
        value = self.params.get("rport")
        return parse_number(value, _MAX_PORT, "Via") if value else None

    @property
    def wants_rport(self) -> bool:
        """Whether the sender asks for the answer at the port it sent from (RFC 3581 §3)."""
        return "rport" in self.params

    @property
    def address(self) -> str:
        """The sent-by host without the brackets of IPv6."""
        return self.host[1:-1] if self.host.startswith("[") else self.host

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.params}"
