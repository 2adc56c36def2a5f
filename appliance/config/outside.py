"""What lines and trunks have in common: how calls leave by them, and how they come in.

RFC 3261 §19.1.1 (URI parameters), RFC 3323 and RFC 3325 (hidden callers), RFC 3966 (`tel:`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.config.extension import has_controls
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CALLER_SOURCES",
    "Outside",
    "Shows",
    "Transport",
    "check_host",
    "check_key",
    "check_word",
    "verify",
    "with_port",
]

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
# RFC 3261 §25.1: other-param, several of them divided by semicolons.
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~\[\]/:&$]+"
URI_PARAMETERS = re.compile(rf"{_TOKEN}(=({_TOKEN}))?(;{_TOKEN}(=({_TOKEN}))?)*")
# A name or an address, IPv6 in brackets, perhaps with a port.
HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)(:[0-9]{1,5})?")
NUMBER = re.compile(r"[0-9+*#]{1,32}")
DIALLED_IN = re.compile(r"[0-9+*#]{1,32}=[0-9*#]{1,32}")
MAX_WORD = 128
MAX_CALLS = 1_000
MAX_NUMBERS = 1_000
"Numbers of one line's own: an office's block of a thousand."

Transport = Literal["", "udp", "tcp", "tls"]
"Empty: what DNS says (RFC 3263), or else UDP."
Shows = Literal["extension", "outside", "fixed"]
CALLER_SOURCES = ("p-asserted-identity", "remote-party-id", "from")


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """A way out of the house, and in."""

    name: str
    "Its key, in routes too: `line:NAME`, `trunk:NAME`. 1 to 32 of a-z, 0-9, - and _."
    enabled: bool = True
    transport: Transport = ""
    port: int = 0
    "Of a server whose address names none, 1 to 65535; 0: what DNS says, or else the transport's own."
    uri_parameter: str = ""
    "Free text such as `user=phone`, put behind the Request-URI of each INVITE."
    no_100rel: bool = False
    "INVITEs carry no 100rel in Supported and no PRACK in Allow."
    shows: Shows = "extension"
    "Whose number is shown: the calling extension's, the line's own, or `caller_number`."
    caller_number: str = ""
    caller_cut: int = 0
    "Digits cut from the front of the shown number, 0 to 15, before `caller_prefix` is put there."
    caller_prefix: str = ""
    hide_caller: bool = False
    "Ask the carrier to show nobody who calls (RFC 3323, RFC 3325)."
    caller_from: tuple[str, ...] = CALLER_SOURCES
    "Where the number of who calls in is looked for, in this order of trust."
    incoming: str = ""
    "The number that calls in are put through to, unless `numbers` has another; empty: the number they called."
    numbers: tuple[str, ...] = ()
    "`CALLED=NUMBER` each: which of ours is meant by a number that was called."
    max_calls: int = 0
    "How many at a time, 1 to 1000; 0: as many as come."


def verify(path: str, each: Outside) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    check_key(path + ".name", each.name)
    if each.uri_parameter and not (
        len(each.uri_parameter) <= MAX_WORD and URI_PARAMETERS.fullmatch(each.uri_parameter)
    ):
        raise ConfigError(path + ".uri_parameter", "error.bad_uri_parameter")
    for name in ("caller_number", "caller_prefix", "incoming"):
        text = getattr(each, name)
        if text and not NUMBER.fullmatch(text):
            raise ConfigError(path + "." + name, "error.bad_outside_number")
    if each.shows == "fixed" and not each.caller_number:
        raise ConfigError(path + ".caller_number", "error.value_missing", name="caller_number")
    _check_range(path + ".port", each.port, 65_535)
    _check_range(path + ".caller_cut", each.caller_cut, 15)
    _check_range(path + ".max_calls", each.max_calls, MAX_CALLS)
    _check_sources(path + ".caller_from", each.caller_from)
    _check_numbers(path + ".numbers", each.numbers)


def check_key(path: str, name: str) -> None:
    """1 to 32 of a-z, 0-9, - and _."""
    if not KEY.fullmatch(name):
        raise ConfigError(path, "error.bad_key")


def check_host(path: str, host: str) -> None:
    """A host name or an address, perhaps with a port."""
    if not HOST.fullmatch(host) or not 0 < int(with_port(host, 1).rpartition(":")[2]) <= 65_535:
        raise ConfigError(path, "error.bad_host")


def with_port(host: str, port: int) -> str:
    """`host` (a name or an address, IPv6 in brackets) with `port` behind it, unless it names its own or `port` is 0."""
    names_its_own = ":" in host.rpartition("]")[2]
    return host if names_its_own or not port else f"{host}:{port}"


def check_word(path: str, text: str) -> None:
    """What goes into a header: at most 128 characters, none that ends it or quotes, and no space."""
    if len(text) > MAX_WORD:
        raise ConfigError(path, "error.too_long", limit=MAX_WORD)
    if has_controls(text) or any(each in ' "<>\\' for each in text):
        raise ConfigError(path, "error.control_character")


def _check_range(path: str, value: int, high: int) -> None:
    if not 0 <= value <= high:
        raise ConfigError(path, "error.out_of_range", low=0, high=high)


def _check_sources(path: str, sources: tuple[str, ...]) -> None:
    if not sources or len(set(sources)) != len(sources) or not set(sources) <= set(CALLER_SOURCES):
        raise ConfigError(path, "error.not_a_choice", choices=", ".join(CALLER_SOURCES))


def _check_numbers(path: str, numbers: Iterable[str]) -> None:
    called = [each.partition("=")[0] for each in numbers]
    if len(called) > MAX_NUMBERS:
        raise ConfigError(path, "error.too_many", limit=MAX_NUMBERS)
    if len(set(called)) != len(called) or not all(map(DIALLED_IN.fullmatch, numbers)):
        raise ConfigError(path, "error.bad_numbers")
