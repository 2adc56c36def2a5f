"""An account at a carrier, each of its fields by itself, and the addresses that are made of them.

RFC 3261 §10.2 (REGISTER), §8.1.1 (From, To), §8.1.2 (outbound proxy), §19.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

import msgspec

from appliance.errors import ConfigError, PeerError
from appliance.sip.message import NameAddr, Uri
from appliance.sip.message.grammar import NO_PARAMS, Params
from appliance.sip.transport.own_address import USER_MARKS

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address

__all__ = ["MAX_EXPIRY", "SEEN", "Account"]

SEEN = "seen"
"As contact address: the one that the registrar sees us at."

TRANSPORTS = ("", "udp", "tcp", "tls")
MIN_EXPIRY, MAX_EXPIRY = 30, 7 * 86_400
"Seconds. Less would fill the line with REGISTERs; more would outlive every change of address."

_HOSTS = ("server", "proxy", "domain")
_SHOWN_AS = "…"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier has given us. Its `repr` leaves the password out. ConfigError where a field cannot be used."""

    name: str
    "The line's key."
    server: str
    "The registrar: a host name or an IP address, without a port."
    port: int = 0
    "0: by DNS, or the transport's own."
    proxy: str = ""
    "The outbound proxy, `host` or `host:port`; empty: none."
    domain: str = ""
    "The SIP domain of our addresses; empty: the server."
    realm: str = ""
    "The only realm that is answered; empty: whatever the carrier names."
    account: str
    "The public identity, such as `+8624...`; the user part of our address, unless `from_user` says otherwise."
    auth_name: str = ""
    "Who we are in digest; empty: the account."
    password: str
    from_user: str = ""
    "Empty: the account."
    from_display: str = ""
    contact_user: str = ""
    "Empty: the account. A call's Request-URI bears it."
    transport: str = ""
    "`udp`, `tcp` or `tls`; empty: by DNS."
    expiry: int = 3600
    "Seconds that a registration shall last; the carrier may set others."
    uri_parameter: str = ""
    "Parameters of the URIs in From and To, such as `user=phone`, without the first semicolon."
    register_uri_parameter: bool = False
    "Whether the Request-URI of a REGISTER has them as well."
    contact_address: str = ""
    "What our Contact says instead of our own address: `seen`, or a `host` or `host:port`; empty: nothing."
    early_authorization: bool = False
    """Whether the first REGISTER names us in an Authorization without a proof, as 3GPP TS 24.229 §5.1.1.2.3 has it: some
    IMS cannot tell our authentication name from our address."""

    def __post_init__(self) -> None:
        self._check_texts()
        self._check_range("port", 0, 65_535)
        self._check_range("expiry", MIN_EXPIRY, MAX_EXPIRY)
        if self.transport not in TRANSPORTS:
            self._refuse("transport", "error.not_a_choice", choices=", ".join(TRANSPORTS[1:]))
        if not self.account:
            self._refuse("account", "error.value_missing", name="account")
        for field in self._named_hosts():
            self._authority(field)
        if self.contact_address not in ("", SEEN):
            self._authority("contact_address")
        self._parameters()

    def _check_texts(self) -> None:
        for field in self.__struct_fields__:
            value = getattr(self, field)
            # Each may become a part of a header's line.
            if isinstance(value, str) and not value.isprintable():
                self._refuse(field, "error.control_character")

    def _check_range(self, field: str, low: int, high: int) -> None:
        if not low <= getattr(self, field) <= high:
            self._refuse(field, "error.out_of_range", low=low, high=high)

    def __repr__(self) -> str:
        shown = {field: getattr(self, field) for field in self.__struct_fields__} | {"password": _SHOWN_AS}
        return f"Account({', '.join(f'{field}={value!r}' for field, value in shown.items())})"

    @property
    def digest_name(self) -> str:
        """The user name of digest, exactly as given."""
        return self.auth_name or self.account

    @property
    def registered_user(self) -> str:
        """The user part of our Contact, not escaped."""
        return self.contact_user or self._user(self.account)

    def registrar_uri(self) -> Uri:
        """The Request-URI of a REGISTER: the domain (§10.2), whatever server it is sent to."""
        uri = self._authority("domain") if self.domain else self._server()
        params = self._parameters() if self.register_uri_parameter else NO_PARAMS
        return msgspec.structs.replace(uri, params=params)

    def address_of_record(self) -> NameAddr:
        """Who we are: for From with a tag of its own, and for the To of a REGISTER."""
        host = self._authority("domain" if self.domain else "server")
        user = quote(self.from_user or self._user(self.account), safe=USER_MARKS)
        return NameAddr(
            self.from_display, msgspec.structs.replace(host, user=user, port=None, params=self._parameters())
        )

    def route(self) -> str:
        """The Route to the outbound proxy as a header has it; empty without one."""
        return f"<{self._authority('proxy')};lr>" if self.proxy else ""

    def next_hop(self) -> Uri:
        """Where requests go: the outbound proxy, or the server."""
        return self._authority("proxy") if self.proxy else self._server()

    def fixed_contact(self) -> Address | None:
        """The host and port that our Contact names instead of our own; port 0: our own. None: nothing is fixed."""
        if self.contact_address in ("", SEEN):
            return None
        uri = self._authority("contact_address")
        return uri.address, uri.port or 0

    def hosts(self) -> frozenset[str]:
        """The names, in lower case, under which the carrier is known to us."""
        return frozenset(self._authority(field).address.lower() for field in self._named_hosts())

    def _named_hosts(self) -> list[str]:
        return [field for field in _HOSTS if getattr(self, field) or field == "server"]

    def _server(self) -> Uri:
        return msgspec.structs.replace(self._authority("server"), port=self.port or None)

    def _user(self, identity: str) -> str:
        # Some carriers write the account with its domain; of an address only what stands before it is the user.
        user, at, host = identity.rpartition("@")
        return user if at and host.lower() in self.hosts() else identity

    def _authority(self, field: str) -> Uri:
        """A field that is `host` or `host:port`."""
        text = getattr(self, field)
        bare = text.count(":") > 1 and "[" not in text  # IPv6 without its brackets
        try:
            uri = Uri.parse(f"sip:[{text}]" if bare else f"sip:{text}")
        except PeerError:
            self._refuse(field, "error.not_a_server")
        plain = uri.user is None and not uri.params and not uri.headers
        if not plain or (field == "server" and uri.port is not None) or uri.port == 0:
            self._refuse(field, "error.not_a_server")
        return uri

    def _parameters(self) -> Params:
        text = self.uri_parameter.strip(" ;")
        if not text:
            return NO_PARAMS
        try:
            uri = Uri.parse(f"sip:host;{text}")
        except PeerError:
            self._refuse("uri_parameter", "error.not_uri_parameters")
        if uri.headers:
            self._refuse("uri_parameter", "error.not_uri_parameters")
        return uri.params

    def _refuse(self, field: str, key: str, **params: str | int) -> NoReturn:
        path = f"lines.{self.name}.{field}"
        raise ConfigError(path, key, **params)
