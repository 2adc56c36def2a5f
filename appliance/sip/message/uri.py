"""SIP and SIPS URIs, and all other schemes as opaque text.

RFC 3261 §19.1, §25.1; RFC 3966 for `tel:`; RFC 5118 for IPv6.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes

import msgspec

from appliance.sip.message.grammar import NO_PARAMS, Params, malformed, parse_number
from appliance.sip.message.limits import MAX_CACHED_URI, URI_CACHE

__all__ = ["Uri", "check_host", "unescape"]

_SIP = re.compile(
    r"""(sips?):
        (?:([^@:<>"\s]+)(?::([^@:<>"\s]*))?@)?    # userinfo: whatever cannot end it; phones send `#` unescaped
        (\[[^\]\s]*\]|[A-Za-z0-9.\-_]+)           # host: `_` is in no standard, but in some offices' DNS
        (?::([0-9]+))?
        (;[^?<>"\s]*)?
        (?:\?([^?<>"\s]*))?""",
    re.VERBOSE | re.IGNORECASE,
)
# absoluteURI = scheme ":" ( hier-part / opaque-part )
_OTHER = re.compile(r'([A-Za-z][A-Za-z0-9+.\-]*):([^<>"\s]+)')
_MAX_PORT = 65_535
# §19.1.4: these do not match when only one of the two URIs has them.
_IN_BOTH = ("user", "ttl", "method", "maddr", "transport")

# RFC 3966 §3: what may stand between digits for the eye; and blanks, which people write.
_VISUAL_SEPARATORS = str.maketrans("", "", "-.() ")


def unescape(text: str) -> str:
    """Undo `%HH`, once (§19.1.2). Octets that are no UTF-8 stay as surrogates."""
    if "%" not in text:
        return text
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def check_host(host: str, what: str) -> None:
    """PeerError 400 when a bracketed host is no IPv6 address."""
    if host[0] != "[":
        return
    try:
        _ipv6(host)
    except AddressValueError:
        malformed(what)


def _ipv6(host: str) -> IPv6Address:
    # RFC 5118 §4.10: RFC 3261's grammar allows three colons before a dotted quad, so peers may send them.
    return IPv6Address(host[1:-1].replace(":::", "::"))


class Uri(msgspec.Struct, frozen=True, gc=False):
    """A URI. Its parts are as written: `str` gives back what was parsed, to the byte."""

    scheme: str
    "Lower case. Other than `sip` and `sips`: opaque, with all behind the colon in `user`."
    user: str | None
    "As written, escapes and all; compare and look up by `number`."
    password: str | None
    host: str
    "As written; IPv6 in its brackets. Empty when the scheme is opaque."
    port: int | None
    "1 to 65535; None when the URI names none."
    params: Params = NO_PARAMS
    headers: str = ""
    "What stands behind the question mark, as written; see `header_items`."

    @classmethod
    def sip(cls, user: str | None, host: str, port: int | None = None) -> Uri:
        """The plain URI of a number at a host; `user` must need no escaping."""
        return cls("sip", user, None, f"[{host}]" if ":" in host and host[0] != "[" else host, port)

    @staticmethod
    def parse(text: str) -> Uri:
        """Read a URI of any scheme; PeerError 400 when it is none."""
        return _parse(text) if len(text) <= MAX_CACHED_URI else _parse.__wrapped__(text)

    @property
    def number(self) -> str | None:
        """The user, unescaped once: what was dialled, or whom the URI names. Of a telephone number its digits alone."""
        if self.user is None:
            return None
        number = unescape(self.user)
        # §19.1.6: user=phone makes it a telephone number; the other value that there is, ip, says nothing.
        if self.scheme == "tel" or ("user" in self.params and (self.params["user"] or "").lower() == "phone"):
            return _bare_number(number)
        return number

    @property
    def is_sip(self) -> bool:
        """Whether it is a SIP or SIPS URI."""
        return self.scheme in ("sip", "sips")

    @property
    def address(self) -> str:
        """The host without the brackets of IPv6: what a socket takes."""
        return self.host[1:-1] if self.host.startswith("[") else self.host

    def matches(self, other: Uri) -> bool:
        """Whether both lead to the same resource (§19.1.4). Not the same as `==`, which compares the text."""
        if self == other:
            return True
        return (
            self._essence() == other._essence()
            and (self.host != "" or self.user == other.user)
            and _params_match(self.params, other.params)
            and _header_set(self) == _header_set(other)
        )

    def _essence(self) -> tuple[str, str | None, str | None, str, int | None]:
        user = None if self.user is None else unescape(self.user)
        password = None if self.password is None else unescape(self.password)
        host = str(_ipv6(self.host)) if self.host.startswith("[") else self.host.lower()
        # §19.1.4: the default port, left out in one and written in the other, makes them different.
        return self.scheme, user, password, host, self.port

    def header_items(self) -> list[tuple[str, str]]:
        """The headers that the URI asks for (§19.1.1), unescaped."""
        pairs = [item.partition("=") for item in self.headers.split("&") if item]
        return [(unescape(name), unescape(value)) for name, _, value in pairs]

    def __str__(self) -> str:
        if not self.host:
            return f"{self.scheme}:{self.user}"
        text = f"{self.scheme}:"
        if self.user is not None:
            text += self.user if self.password is None else f"{self.user}:{self.password}"
            text += "@"
        text += self.host
        if self.port is not None:
            text += f":{self.port}"
        if self.params:
            text += str(self.params)
        return f"{text}?{self.headers}" if self.headers else text


@lru_cache(URI_CACHE)
def _parse(text: str) -> Uri:
    # A phone sends the same few URIs in all of its messages, and a Uri is a value: reading it once will do.
    found = _SIP.fullmatch(text)
    if found is None:
        return _parse_opaque(text)
    scheme, user, password, host, port_text, params, headers = found.groups()
    check_host(host, "URI")
    port = None if port_text is None else parse_number(port_text, _MAX_PORT, "URI")
    return Uri(scheme.lower(), user, password, host, port, Params.parse(params or "", "URI"), headers or "")


def _parse_opaque(text: str) -> Uri:
    found = _OTHER.fullmatch(text)
    if found is None or found[1].lower() in ("sip", "sips"):
        malformed("URI")
    return Uri(found[1].lower(), found[2], None, "", None)


def _bare_number(text: str) -> str:
    # RFC 3966 §5.1.2, §5.1.5: visual separators and the parameters are no part of what is dialled.
    return text.partition(";")[0].translate(_VISUAL_SEPARATORS)


def _params_match(one: Params, other: Params) -> bool:
    if any((name in one) != (name in other) for name in _IN_BOTH):
        return False
    return all(_folded(one[name]) == _folded(other[name]) for name in one.keys() & other.keys())


def _folded(value: str | None) -> str | None:
    return None if value is None else unescape(value).lower()


def _header_set(uri: Uri) -> set[tuple[str, str]]:
    return {(name.lower(), value) for name, value in uri.header_items()}
