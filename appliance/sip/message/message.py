"""Requests and responses: raw headers, read when asked.

RFC 3261 §7.1, §7.2, §8.2.6, §20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import PeerError
from appliance.sip.message.cseq import CSeq
from appliance.sip.message.grammar import malformed, parse_number, split_list
from appliance.sip.message.headers import Headers
from appliance.sip.message.limits import MAX_DELTA_SECONDS
from appliance.sip.message.name_addr import NameAddr
from appliance.sip.message.names import DISPLAY
from appliance.sip.message.reasons import reason_phrase
from appliance.sip.message.via import Via

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BadMessage", "Message", "Request", "Response"]

_MAX_FORWARDS = 255
UNKNOWN_SOURCE = ("", 0)
"Where a request of our own has come from."
# §8.2.6.2: what every response takes from its request.
_ECHOED = ("via", "from", "to", "call-id", "cseq")
# §12.1.1, RFC 6665 §4.2.1, RFC 3515 §2: what a 2xx to these may found a dialog with.
_FOUNDS_DIALOG = frozenset({"INVITE", "SUBSCRIBE", "REFER"})


class _Fields:
    """What requests and responses have in common. A malformed header raises PeerError 400 when it is read."""

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    @property
    def via(self) -> Via:
        """The topmost Via (§20.42)."""
        typed = self.headers.typed
        via: Via = typed["via"] if "via" in typed else self._read_via()
        return via

    def read(self) -> None:
        """Read what every layer above relies on (§8.1.1, §8.1.3): PeerError 400 for what is missing or malformed."""
        self._read_via()
        self._read_cseq()
        self._read_address("from", "From")
        self._read_address("to", "To")
        self._text("call-id")

    def _read_via(self) -> Via:
        top = split_list(self._text("via"), "Via")[0]
        via = self.headers.typed["via"] = Via.parse(top)
        return via

    @property
    def vias(self) -> list[Via]:
        """All Vias, topmost first."""
        return [via for line in self.headers.fields.get("via", ()) for via in Via.parse_many(line)]

    @property
    def from_(self) -> NameAddr:
        """Who asks (§20.20)."""
        typed = self.headers.typed
        address: NameAddr = typed["from"] if "from" in typed else self._read_address("from", "From")
        return address

    @property
    def to(self) -> NameAddr:
        """Who is asked (§20.39)."""
        typed = self.headers.typed
        address: NameAddr = typed["to"] if "to" in typed else self._read_address("to", "To")
        return address

    def _read_address(self, key: str, what: str) -> NameAddr:
        address = self.headers.typed[key] = NameAddr.parse(self._text(key), what)
        return address

    @property
    def call_id(self) -> str:
        """The Call-ID (§20.8), byte for byte."""
        return self._text("call-id")

    @property
    def cseq(self) -> CSeq:
        """The CSeq (§20.16)."""
        typed = self.headers.typed
        cseq: CSeq = typed["cseq"] if "cseq" in typed else self._read_cseq()
        return cseq

    def _read_cseq(self) -> CSeq:
        cseq = self.headers.typed["cseq"] = CSeq.parse(self._text("cseq"))
        return cseq

    @property
    def contacts(self) -> list[NameAddr]:
        """The Contacts (§20.10). A lone `*` is no address: see the raw header."""
        return self._addresses("contact", "Contact")

    @property
    def routes(self) -> list[NameAddr]:
        """The Routes (§20.34), topmost first."""
        return self._addresses("route", "Route")

    @property
    def record_routes(self) -> list[NameAddr]:
        """The Record-Routes (§20.30), topmost first."""
        return self._addresses("record-route", "Record-Route")

    @property
    def paths(self) -> list[NameAddr]:
        """The proxies between registrar and phone (RFC 3327 §4), nearest to the registrar first."""
        return self._addresses("path", "Path")

    @property
    def service_routes(self) -> list[NameAddr]:
        """The Route set that a registrar asks us to use from now on (RFC 3608 §5), nearest first."""
        return self._addresses("service-route", "Service-Route")

    def _addresses(self, key: str, what: str) -> list[NameAddr]:
        lines = self.headers.fields.get(key)
        if lines is None:
            return []
        known: list[NameAddr] | None = self.headers.typed.get(key)
        if known is None:
            known = [address for line in lines for address in NameAddr.parse_many(line, what)]
            self.headers.typed[key] = known
        return known

    @property
    def max_forwards(self) -> int | None:
        """The hops left, 0 to 255 (§20.22); None from a peer of RFC 2543's days."""
        lines = self.headers.fields.get("max-forwards")
        return parse_number(lines[0], _MAX_FORWARDS, "Max-Forwards") if lines else None

    @property
    def expires(self) -> int | None:
        """Seconds, 0 to 2**32-1 (§20.19); None when absent or malformed, which §10.2.1.1 treats alike."""
        lines = self.headers.fields.get("expires")
        if not lines or not (lines[0].isascii() and lines[0].isdigit()):
            return None
        return MAX_DELTA_SECONDS if len(lines[0]) > 10 else min(int(lines[0]), MAX_DELTA_SECONDS)

    @property
    def content_type(self) -> str | None:
        """The body's media type in lower case, without parameters (§20.15)."""
        lines = self.headers.fields.get("content-type")
        return lines[0].partition(";")[0].strip(" \t").lower() if lines else None

    def tokens(self, name: str) -> list[str]:
        """The tokens of a list such as Require, Supported or Allow.

        Some phones leave a comma too many where they leave a token out: what is not there says nothing.
        """
        lines = self.headers.get_all(name)
        return [token for line in lines for token in split_list(line, name, gaps=True) if token]

    def _text(self, key: str) -> str:
        fields = self.headers.fields
        if key not in fields:
            raise PeerError(400, f"Missing {DISPLAY[key]}")
        lines = fields[key]
        if not lines[0]:
            malformed(DISPLAY[key])
        return lines[0]

    def _encode(self, start_line: str) -> bytes:
        parts = [start_line]
        spellings = self.headers.spellings
        for key, lines in self.headers.fields.items():
            name = DISPLAY[key] if key in DISPLAY else spellings.get(key, key)
            for line in lines:
                parts.append(f"{name}: {line}")  # noqa: PERF401  # mostly one line: a comprehension costs more
        parts.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(parts).encode("utf-8", "surrogateescape") + self.body


class Request(_Fields):
    """A request (§7.1)."""

    __slots__ = ("method", "source", "uri")

    def __init__(self, method: str, uri: str, headers: Headers | None = None, body: bytes = b"") -> None:
        self.method = method
        "As written: methods are case-sensitive."
        self.uri = uri
        "The Request-URI as written; `Uri.parse` reads it, and remembers."
        self.headers = Headers() if headers is None else headers
        self.body = body
        self.source = UNKNOWN_SOURCE
        "The address and port it came from, whatever it says itself: the endpoint notes them (§18.2.1)."

    def encode(self) -> bytes:
        """The request as it goes on the wire."""
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def respond(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """A response to this request (§8.2.6); `to_tag` is used only where the request's To has none."""
        mine = self.headers.fields
        echo = Headers.of({key: mine[key] for key in _ECHOED if key in mine}, {})
        if to_tag is not None and "to" in mine and not self._has_to_tag():
            echo.fields["to"] = (f"{mine['to'][0]};tag={to_tag}",)
        if status == 100 and "timestamp" in mine:
            echo.fields["timestamp"] = mine["timestamp"]  # §8.2.6.1
        if 100 < status < 300 and self.method in _FOUNDS_DIALOG and "record-route" in mine:
            echo.fields["record-route"] = mine["record-route"]  # §12.1.1
        for name, value in headers:
            echo.add(name, value)
        return Response(status, reason_phrase(status) if reason is None else reason, echo, body)

    def _has_to_tag(self) -> bool:
        try:
            return self.to.tag is not None
        except PeerError:
            return False

    def restate_via(self, line: str, via: Via) -> None:
        """Put `line` in place of the first Via line; `via` is what it says of the topmost Via."""
        self.headers.replace_first("Via", line)
        self.headers.typed["via"] = via

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(_Fields):
    """A response (§7.2)."""

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str | None = None, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        self.status = status
        "100 to 699."
        self.reason = reason_phrase(status) if reason is None else reason
        self.headers = Headers() if headers is None else headers
        self.body = body

    def encode(self) -> bytes:
        """The response as it goes on the wire."""
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


Message = Request | Response


class BadMessage(PeerError):  # noqa: N818  # it is an item of a stream as much as an exception
    """What came is no message, or breaks a rule that no layer above could mend."""

    def __init__(self, status: int, reason: str, request: Request | None = None, method: str = "") -> None:
        super().__init__(status, reason)
        self.request = request
        "What to answer; its Via can be read. None: stay silent."
        self.method = method if request is None else request.method
        "What was asked for; empty when that cannot be told."
