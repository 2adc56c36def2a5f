"""Bytes to messages: one datagram, or one message cut from a stream.

RFC 3261 §7, §8.1.1, §18.3. Text is UTF-8 with surrogateescape, so that what is echoed goes back byte for byte.
"""

from __future__ import annotations

import re

from appliance.errors import PeerError
from appliance.sip.message.grammar import parse_number
from appliance.sip.message.headers import Headers
from appliance.sip.message.limits import MAX_HEADER_LINES
from appliance.sip.message.message import BadMessage, Message, Request, Response
from appliance.sip.message.names import DISPLAY, KEYS, header_key, is_token
from appliance.sip.message.uri import Uri

__all__ = ["Head", "parse_message"]

_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
# §7.3.1: these are no lists; two of them leave open which one counts. (`content_length` sees to its own.)
_SINGLE = ("from", "to", "call-id", "cseq", "max-forwards")
_STATUS = re.compile(r"[1-6][0-9][0-9]")
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_VIA_VERSION = re.compile(r"SIP[ \t]*/[ \t]*[0-9]+\.[0-9]+", re.IGNORECASE)
_VIA_END = re.compile("[;,]")
# Longer than any datagram: what a larger Content-Length says in full does not matter any more.
_MAX_CONTENT_LENGTH = 2**31


def parse_message(data: bytes) -> Message:
    """Read one datagram; BadMessage for whatever is none.

    Octets behind the body are dropped (§18.3); without a Content-Length the body is all the rest.
    """
    if data[:2] == b"\r\n":  # §7.5: empty lines may come first
        data = data.lstrip(b"\r\n")
    head_octets, blank, body = data.partition(b"\r\n\r\n")
    head = Head(head_octets)
    if not blank:
        # A head with the one CRLF of its last line, or none: cut short on the way.
        head.blame(PeerError(400, "Missing Empty Line"))
    try:
        length = head.content_length()
    except PeerError as error:
        head.blame(error)
        length = None
    if length is not None:
        if length > len(body):
            head.blame(PeerError(400, "Content-Length Exceeds the Datagram"))
        body = body[:length]
    return head.message(body)


class Head:
    """Start line and headers, taken apart but not believed yet. A fault is kept until `message` reports it."""

    __slots__ = ("error", "fields", "repeats", "spellings", "start_line")

    def __init__(self, data: bytes) -> None:
        self.error: PeerError | None = None
        "The first fault found; BadMessage says it."
        self.fields: dict[str, tuple[str, ...]] = {}
        self.spellings: dict[str, str] = {}
        self.repeats = False
        "Whether a header comes on several lines."
        text = data.decode("utf-8", "surrogateescape")
        if "\r\n " in text or "\r\n\t" in text:
            text = _FOLD.sub(" ", text)  # §7.3.1: a folded line is the same as one with a space
        lines = text.split("\r\n")
        breaks = len(lines) - 1
        if len(lines) > MAX_HEADER_LINES:
            del lines[MAX_HEADER_LINES:]
            self.blame(PeerError(400, "Too Many Headers"))
        if not lines[-1]:
            del lines[-1]
        self.start_line = lines[0] if lines else ""
        if text.count("\n") != breaks or text.count("\r") != breaks:
            # Whoever reads a lone CR or LF as a line's end would see other headers than we do.
            self.blame(PeerError(400, "Stray CR or LF"))
        self._read_fields(lines)

    def _read_fields(self, lines: list[str]) -> None:
        fields = self.fields
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            key = KEYS[name] if name in KEYS and colon else self._unusual_key(name, colon)
            if key in fields:
                fields[key] += (value.strip(" \t"),)
            else:
                fields[key] = (value.strip(" \t"),)
        self.repeats = len(fields) < len(lines) - 1
        fields.pop("", None)

    def _unusual_key(self, name: str, colon: str) -> str:
        try:
            key = header_key(name if colon else "")
        except PeerError as error:
            self.blame(error)
            return ""
        if key not in DISPLAY:
            self.spellings.setdefault(key, name.rstrip(" \t"))
        return key

    def blame(self, error: PeerError) -> None:
        """Note a fault; the first one noted is the one reported."""
        self.error = self.error or error

    def content_length(self) -> int | None:
        """What Content-Length says (§20.14), None without one; PeerError 400 when it says nothing certain."""
        values = self.fields.get("content-length")
        if values is None:
            return None
        if len(values) > 1:
            raise PeerError(400, "Content-Length Given Twice")
        return parse_number(values[0], _MAX_CONTENT_LENGTH, "Content-Length")

    def message(self, body: bytes) -> Message:
        """The message, verified; BadMessage with something to answer wherever there is."""
        self.fields.pop("content-length", None)  # the printer writes it from the body
        headers = Headers.of(self.fields, self.spellings)
        if self.start_line[:8].upper() == "SIP/2.0 ":
            return self._response(headers, body)
        if self.start_line[:4].upper() == "SIP/":
            raise BadMessage(
                400, "Malformed Status-Line"
            )  # of whatever version: a response is never answered
        method, _, rest = self.start_line.partition(" ")
        uri, _, version = rest.rpartition(" ")
        if not (is_token(method) and (version == "SIP/2.0" or _VERSION.fullmatch(version))):
            raise BadMessage(400, "Malformed Request-Line", _salvage(method, uri or rest, headers))
        request = Request(method, uri, headers, body)
        try:
            if version != "SIP/2.0" and version.upper() != "SIP/2.0":
                raise PeerError(505, "Version Not Supported")
            if self.error is not None:
                raise self.error
            _verify_request(request, repeats=self.repeats)
        except PeerError as error:
            raise BadMessage(error.status, error.reason, _salvage(method, uri, headers)) from error
        return request

    def _response(self, headers: Headers, body: bytes) -> Response:
        # §7.2 has a space before the reason phrase even when that is empty; not every peer sends it.
        status, _, reason = self.start_line[8:].partition(" ")
        try:
            if self.error is not None:
                raise self.error
            if _STATUS.fullmatch(status) is None:
                raise PeerError(400, "Malformed Status-Line")
            response = Response(int(status), reason, headers, body)
            _verify(response, repeats=self.repeats)
        except PeerError as error:
            # §18.1.2: a response is never answered.
            raise BadMessage(error.status, error.reason) from error
        return response


def _verify(message: Message, *, repeats: bool) -> None:
    """§8.1.1, §8.1.3: what every layer above relies on."""
    if repeats:
        fields = message.headers.fields
        for key in _SINGLE:
            if key in fields and len(fields[key]) > 1:
                raise PeerError(400, f"{DISPLAY[key]} Given Twice")
    message.read()


def _verify_request(request: Request, *, repeats: bool) -> None:
    _verify(request, repeats=repeats)
    if request.cseq.method != request.method:
        raise PeerError(400, "CSeq Names Another Method")
    _ = request.max_forwards  # §20.22: 0 to 255
    # §19.1.1: a Request-URI has no headers. Dropped in silence, they could come back as headers of ours.
    if Uri.parse(request.uri).headers:
        raise PeerError(400, "Headers in the Request-URI")


def _salvage(method: str, uri: str, headers: Headers) -> Request | None:
    """What a bad request can be answered by; None when there is no way back, or no answer to an ACK."""
    if method == "ACK" or not headers.fields.get("via"):
        return None
    request = Request(method, uri, headers)
    try:
        _ = request.via
    except PeerError:
        return _with_bare_via(request)
    return request


def _with_bare_via(request: Request) -> Request | None:
    # When it is the parameters or the version (then the answer is 505) that nobody can read, the hop's address
    # alone is enough to send an answer to. It takes the line's place: who wrote such a Via expects no echo.
    top, *below = request.headers.fields["via"]
    request.headers.fields["via"] = (_VIA_VERSION.sub("SIP/2.0", _VIA_END.split(top, 1)[0]), *below)
    try:
        _ = request.via
    except PeerError:
        return None
    return request
