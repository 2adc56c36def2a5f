"""An external line: an account at a carrier, where the exchange registers as a phone does.

RFC 3261 §10 (registration), §22 (credentials). Carriers differ in every field, so that each stands by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.config import outside
from appliance.config.extension import MAX_NAME_CHARACTERS, has_controls
from appliance.config.outside import Outside, Shows, check_host, check_word, with_port
from appliance.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EXPIRY_RANGE", "Line", "Place", "check_places", "place_of", "verify"]

EXPIRY_RANGE = (60, 86_400)

Place = tuple[str, ...]
"Where a carrier keeps a registration."


class Line(Outside, frozen=True, kw_only=True):
    """What is kept of a line. The password is kept as it is: carriers choose the realm it is hashed with."""

    server: str
    "The registrar: a name or an address, perhaps with a port."
    proxy: str = ""
    "The outbound proxy all requests go through, if it is not the server."
    domain: str = ""
    "The SIP domain; empty: the server's host."
    realm: str = ""
    "The only realm whose challenges are answered; empty: whichever the carrier names."
    account: str
    "The public identity: the user part of From and To."
    auth_name: str = ""
    "The name to prove oneself with; empty: the account."
    password: str = ""
    from_user: str = ""
    "The user part of From in calls; empty: by the rule `shows`."
    from_display: str = ""
    contact_user: str = ""
    "The user part of Contact; empty: the account."
    expiry: int = 3600
    "Seconds a registration is asked for, 60 to 86400; the carrier may grant others."
    register_uri_parameter: bool = False
    "Whether `uri_parameter` goes into REGISTER too."
    shows: Shows = "outside"
    extensions: tuple[str, ...] = ()
    "Who may call by this line; empty: everybody."

    def __repr__(self) -> str:
        return f"Line({self.name!r}, {self.account!r} at {self.server!r}, enabled={self.enabled})"


def verify(line: Line) -> None:
    """Raise ConfigError for the first setting that cannot be."""
    path = f"lines.{line.name[:64]}"
    outside.verify(path, line)
    check_host(path + ".server", line.server)
    for name in ("proxy", "domain"):
        if getattr(line, name):
            check_host(f"{path}.{name}", getattr(line, name))
    if not line.account:
        raise ConfigError(path + ".account", "error.value_missing", name="account")
    for name in ("account", "auth_name", "from_user", "contact_user"):
        check_word(f"{path}.{name}", getattr(line, name))
    for name in ("realm", "password", "from_display"):
        _check_text(f"{path}.{name}", getattr(line, name))
    low, high = EXPIRY_RANGE
    if not low <= line.expiry <= high:
        raise ConfigError(path + ".expiry", "error.out_of_range", low=low, high=high)


def place_of(line: Line) -> Place:
    """Two lines with one place would be one registration to the carrier, which each undoes for the other."""
    server, domain = with_port(line.server.lower(), line.port), line.domain.lower()
    return server, domain, line.account, line.contact_user or line.account


def check_places(lines: Iterable[Line]) -> None:
    """Raise ConfigError for the first of these lines that is on and has the place of another one."""
    known: dict[Place, Line] = {}
    for line in lines:
        other = known.setdefault(place_of(line), line) if line.enabled else line
        if other is not line:
            raise ConfigError("lines." + line.name + ".account", "error.same_account", name=other.name)


def _check_text(path: str, text: str) -> None:
    if len(text) > 2 * MAX_NAME_CHARACTERS:
        raise ConfigError(path, "error.too_long", limit=2 * MAX_NAME_CHARACTERS)
    if has_controls(text):
        raise ConfigError(path, "error.control_character")
