"""Under which addresses the exchange is reached: what people type into phones and browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.system.network import reachable_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.service.options import Address, Options

__all__ = ["AddressBook", "at_port"]

HTTPS_PORT = 443
EVERYWHERE = ("0.0.0.0", "::")


class AddressBook:
    """The addresses as they are now: DHCP may change them while the exchange runs."""

    def __init__(self, options: Options, own: Callable[[], list[str]] = reachable_addresses) -> None:
        """`own` gives the machine's addresses, best first."""
        self.sip = options.sip
        self.tls = options.tls
        self.web = options.web
        "Whoever lets the kernel choose the console's port puts the chosen one in here."
        self._own = own

    def addresses(self) -> list[str]:
        """The hosts at which phones reach the exchange; loopback when there is no network."""
        return self._hosts(self.sip)

    def console_url(self) -> str:
        """What to type into a browser."""
        host, port = self._hosts(self.web)[0], self.web[1]
        return f"https://{_bracketed(host)}{'' if port == HTTPS_PORT else f':{port}'}/"

    def where(self, address: Address) -> str:
        """`host:port` of one of the listening addresses, for people."""
        return at_port((self._hosts(address)[0], address[1]))

    def _hosts(self, address: Address) -> list[str]:
        """Both `0.0.0.0` and `::` stand for all addresses, of IPv4 and of IPv6."""
        if address[0] in EVERYWHERE:
            return self._own() or ["127.0.0.1"]
        return [address[0]]


def at_port(address: Address) -> str:
    """`192.0.2.1:5060`, `[2001:db8::1]:5060`."""
    return f"{_bracketed(address[0])}:{address[1]}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
