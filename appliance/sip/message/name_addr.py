"""A display name and an address: the value of From, To, Contact, Route, Record-Route and others.

RFC 3261 §20.10, §20.20, §20.30, §20.34, §20.39, §25.1.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from appliance.sip.message.grammar import NO_PARAMS, Params, malformed, quote, split_list, unquote
from appliance.sip.message.limits import ADDRESS_CACHE, MAX_CACHED_ADDRESS
from appliance.sip.message.uri import Uri

__all__ = ["NameAddr"]

# name-addr = [ display-name ] LAQUOT addr-spec RAQUOT, where a display name is quoted or made of words
_NAME_ADDR = re.compile(r'("(?:[^"\\]|\\.)*"[ \t]*|[^<>"]*)<[ \t]*([^<> \t]*)[ \t]*>[ \t]*', re.DOTALL)


class NameAddr(msgspec.Struct, frozen=True, gc=False):
    """One address as a header carries it."""

    display: str
    "The display name, unquoted; empty when there is none."
    uri: Uri
    params: Params = NO_PARAMS
    "The header's parameters, such as `tag`, `q` or `expires`; the URI's own are in `uri.params`."

    @staticmethod
    def parse(text: str, what: str = "Address") -> NameAddr:
        """Read one value; `what` names its header for the reason phrase. PeerError 400 when malformed."""
        return _parse(text, what) if len(text) <= MAX_CACHED_ADDRESS else _parse.__wrapped__(text, what)

    @classmethod
    def parse_many(cls, text: str, what: str = "Address") -> list[NameAddr]:
        """Read a comma-separated list of values; PeerError 400 when one is malformed."""
        return [cls.parse(value, what) for value in split_list(text, what)]

    @property
    def tag(self) -> str | None:
        """The tag of a From or To; None without one."""
        return self.params.get("tag")

    @property
    def text(self) -> str:
        """Name and URI without the parameters."""
        return f"{quote(self.display)} <{self.uri}>" if self.display else f"<{self.uri}>"

    def __str__(self) -> str:
        return self.text + str(self.params)


@lru_cache(ADDRESS_CACHE)
def _parse(text: str, what: str) -> NameAddr:
    # The messages of one dialog all bear the same From and To, and the REGISTERs of one phone the same Contact.
    found = _NAME_ADDR.match(text)
    if found is None:
        return _parse_bare(text, what)
    display, uri = found.groups()
    if display:
        display = unquote(display.strip(" \t"))
    return NameAddr(display, Uri.parse(uri), Params.parse(text[found.end() :], what))


def _parse_bare(text: str, what: str) -> NameAddr:
    # §20.10: without brackets, parameters are the header's, and a comma, question mark or semicolon
    # cannot be the URI's. `?` would be: refused, as a guess could turn into a header of ours.
    uri, semicolon, params = text.partition(";")
    uri = uri.rstrip(" \t")
    if "," in uri or "?" in uri:
        malformed(what)
    return NameAddr("", Uri.parse(uri), Params.parse(semicolon + params, what))
