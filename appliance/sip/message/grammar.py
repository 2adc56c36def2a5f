"""Pieces of the grammar that many headers share: quoting, lists, parameters, numbers.

RFC 3261 §7.3.1, §25.1.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NoReturn

from appliance.errors import PeerError
from appliance.sip.message.limits import MAX_LIST_VALUES, MAX_PARAMS, NUMBER_CACHE

__all__ = ["Params", "malformed", "parse_number", "quote", "split_list", "unescape_quoted", "unquote"]

# quoted-string = SWS DQUOTE *(qdtext / quoted-pair) DQUOTE
_QUOTED = r'"(?:[^"\\]|\\.)*"'
# What a comma does not separate: quoted strings and what stands in angle brackets (§7.3.1, §20).
_LIST_PART = re.compile(rf'{_QUOTED}|<[^>]*>|,|["<]', re.DOTALL)
# generic-param = token [ EQUAL gen-value ]; gen-value = token / host / quoted-string. A peer's value may
# hold anything else too that ends no parameter: `received=2001:db8::1` (RFC 5118 §4.5) has colons.
_PARAM = re.compile(rf"""[ \t]*;[ \t]*([^\s;=,"<>]+)(?:[ \t]*=[ \t]*({_QUOTED}|[^\s;,"<>]*))?""", re.DOTALL)
_SPECIAL = re.compile(r"""[\s,"<>\\]""")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_MAX_DIGITS = 20  # a few zeros may come first
_TO_QUOTE = re.compile(r'(["\\])')


def malformed(what: str) -> NoReturn:
    """Refuse a header's value: PeerError 400."""
    raise PeerError(400, f"Malformed {what}")


def parse_number(text: str, most: int, what: str) -> int:
    """A decimal number of 0 to `most`; PeerError 400 for anything else.

    Stricter than int(): no sign, no underscore, no other script's digits.
    """
    if len(text) > _MAX_DIGITS:
        malformed(what)
    return _parse_number(text, most, what)


@lru_cache(NUMBER_CACHE)
def _parse_number(text: str, most: int, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        malformed(what)
    value = int(text)
    if value > most:
        malformed(what)
    return value


def quote(text: str) -> str:
    """`text` as a quoted-string."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{_TO_QUOTE.sub(_BACKSLASH, text)}"'


_BACKSLASH = r"\\\1"


def unquote(text: str) -> str:
    """What a quoted-string says; any other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return unescape_quoted(text[1:-1])


def unescape_quoted(text: str) -> str:
    """What stands between the quotes of a quoted-string, without its backslashes."""
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def split_list(text: str, what: str, *, gaps: bool = False) -> list[str]:
    """The values of a comma-separated header, stripped; PeerError 400 when one is empty, unless there may be `gaps`."""
    if "," not in text:
        return [text]
    cuts = [-1]
    for part in _LIST_PART.finditer(text):
        found = part.group()
        if found == ",":
            cuts.append(part.start())
        elif len(found) == 1:  # a quote or bracket that nothing closes
            malformed(what)
    cuts.append(len(text))
    values = [text[start + 1 : end].strip(" \t") for start, end in pairwise(cuts)]
    if len(values) > MAX_LIST_VALUES or not (gaps or all(values)):
        malformed(what)
    return values


class Params(dict[str, "str | None"]):
    """Parameters behind a value: lower-case name -> value as written (a quoted one with its quotes), or None.

    A value: it is never changed; `put` and `without` give another one. `str` gives the peer's own text.
    """

    __slots__ = ("_text",)
    _text: str

    @classmethod
    def parse(cls, text: str, what: str) -> Params:
        """Read `;name=value;name`, or nothing at all; PeerError 400 for anything else."""
        if not text:
            return NO_PARAMS
        params = cls()
        params._text = text
        # The ordinary case has no space, quote or comma in it, and then every semicolon separates.
        parts = _scan_params(text, what) if _SPECIAL.search(text) else text.split(";")[text[0] == ";" :]
        for part in parts:
            name, equals, value = part.partition("=")
            params[name.lower()] = value if equals else None
        if len(parts) != len(params) or "" in params or text[0] not in "; \t" or len(parts) > MAX_PARAMS:
            malformed(what)  # given twice (§7.3.1: never more than once), nameless, none at all, too many
        return params

    def text(self, name: str) -> str | None:
        """What a parameter says, without quotes; None when it is absent or has no value."""
        value = self.get(name)
        return None if value is None else unquote(value)

    def put(self, name: str, value: str | None) -> Params:
        """These parameters with one more, or with another value for one of them."""
        return Params({**self, name: value})

    def without(self, name: str) -> Params:
        """These parameters but for one."""
        if name not in self:
            return self
        return Params({key: value for key, value in self.items() if key != name})

    def __str__(self) -> str:
        try:
            return self._text
        except AttributeError:  # one that was not parsed
            self._text = "".join([f";{k}" if v is None else f";{k}={v}" for k, v in self.items()])
        return self._text

    def __hash__(self) -> int:  # type: ignore[override]  # a value may be a key, unlike dict
        return hash(frozenset(self.items()))


NO_PARAMS = Params()


def _scan_params(text: str, what: str) -> list[str]:
    """`name=value` for each parameter, without the white space that may stand around its signs."""
    parts = []
    at, end = 0, len(text.rstrip(" \t"))
    while at < end:
        found = _PARAM.match(text, at)
        if found is None:
            malformed(what)
        parts.append(found[1] if found[2] is None else f"{found[1]}={found[2]}")
        at = found.end()
    return parts
