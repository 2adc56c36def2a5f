"""The questions of the wizard and the menu, and what counts as an answer to each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface
from typing import TYPE_CHECKING, Any

from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, say
from appliance.system.wanted import is_host_name

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = [
    "Range",
    "ask_extensions",
    "ask_host_name",
    "ask_language",
    "ask_network",
    "ask_password",
    "confirm",
    "describe_network",
]

PASSWORD_LENGTHS = range(8, 65)
"Characters. The upper end keeps a typed password apart from a machine's frame; control takes longer ones."
EXTENSIONS_LIMIT = 50
"How many at once: as many passwords are shown, and someone has to write them down."
NUMBER_DIGITS = range(2, 16)
"As everywhere in the exchange."
DNS_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Range:
    """Extensions `first`, `first` + 1, ...: `count` of them."""

    first: str
    count: int

    @property
    def last(self) -> str:
        """The last one's number, with as many digits as the first."""
        return str(int(self.first) + self.count - 1).zfill(len(self.first))


def ask_language(unicode: bool) -> Talk[Language]:
    """The language. Asked in both: nothing is known yet."""
    yield from say("Language / 语言" if unicode else "Language")
    yield from say(
        "  1  English\n  2  中文" if unicode else "  1  English\n  2  Chinese (needs a UTF-8 terminal)"
    )

    def check(answer: str) -> Language:
        match answer.lower():
            case "1" | "en" | "english":
                return "en"
            case "2" | "zh" | "中文":
                return "zh"
            case _:
                raise InvalidError("serial.invalid.choice", choices="1, 2")

    return (yield from ask_until(Words("en", unicode), "1/2", check, "1"))


def ask_password(words: Words) -> Talk[str]:
    """A new password, typed twice, never shown."""
    yield from say(words("password.about", length=PASSWORD_LENGTHS.start))
    while True:
        first = yield from ask(words("password.first") + ": ", secret=True)
        if len(first) not in PASSWORD_LENGTHS:
            invalid = InvalidError(
                "serial.invalid.password", low=PASSWORD_LENGTHS.start, high=PASSWORD_LENGTHS.stop - 1
            )
            yield from say(words.refusal(invalid))
            continue
        second = yield from ask(words("password.again") + ": ", secret=True)
        if first == second:
            return first
        yield from say(words("password.differs"))


def ask_host_name(words: Words, default: str) -> Talk[str]:
    """The box's name: one label of a host name."""

    def check(answer: str) -> str:
        if not is_host_name(answer):
            raise InvalidError("serial.invalid.host_name")
        return answer.lower()

    yield from say(words("host_name.about"))
    return (yield from ask_until(words, words("host_name.ask"), check, default))


def ask_network(words: Words) -> Talk[dict[str, Any]]:
    """DHCP, or an address of one's own: the values that `system set` takes."""

    def check(answer: str) -> bool:
        if answer.lower() in ("1", "dhcp"):
            return False
        if answer.lower() in ("2", "static"):
            return True
        raise InvalidError("serial.invalid.choice", choices="1, 2")

    yield from say(words("network.about"))
    if not (yield from ask_until(words, "1/2", check, "1")):
        return {"network": "dhcp"}
    interface = yield from ask_until(words, words("network.address"), _interface)
    gateway = yield from ask_until(
        words, words("network.gateway"), lambda answer: _gateway(answer, interface)
    )
    dns = yield from ask_until(words, words("network.dns"), _servers, gateway or "")
    return {
        "network": "static",
        "address": str(interface.ip),
        "prefix": interface.network.prefixlen,
        "gateway": gateway,
        "dns": dns,
    }


def describe_network(words: Words, network: dict[str, Any]) -> str:
    """What a summary says; with a fixed address two lines, so that three name servers fit."""
    more = _describe_the_rest(words, network)
    if network.get("network") != "static":
        return "DHCP" + more
    gateway = network["gateway"] or words("none")
    servers = ", ".join(network["dns"]) or words("none")
    address = f"{network['address']}/{network['prefix']}"
    return f"{address}, {words('label.gateway')} {gateway}\n     DNS: {servers}{more}"


def _describe_the_rest(words: Words, network: dict[str, Any]) -> str:
    """What differs from a plain cable with IPv6 by itself, a line each."""
    lines = []
    if network.get("ipv6") == "static":
        gateway = network.get("gateway6") or words("none")
        address = f"{network['address6']}/{network['prefix6']}"
        lines.append(f"IPv6: {address}, {words('label.gateway')} {gateway}")
    elif network.get("ipv6") == "off":
        lines.append(f"IPv6: {words('off')}")
    if network.get("vlan"):
        lines.append(f"VLAN: {network['vlan']}")
    if network.get("link") == "wifi":
        lines.append(f"Wi-Fi: {network.get('wifi_ssid', '')}")
    return "".join(f"\n     {line}" for line in lines)


def ask_extensions(words: Words) -> Talk[Range | None]:
    """The first extensions; None for none."""
    yield from say(words("extensions.about"))
    count = yield from ask_until(words, words("extensions.count"), _count, "0")
    if not count:
        return None

    def check(answer: str) -> str:
        if not (answer.isdecimal() and answer.isascii()) or len(answer) not in NUMBER_DIGITS:
            raise InvalidError("serial.invalid.number")
        if len(Range(answer, count).last) > len(answer):
            raise InvalidError("serial.invalid.range")
        return answer

    first = yield from ask_until(words, words("extensions.first"), check, "101")
    return Range(first, count)


def confirm(words: Words, question: str, word: str) -> Talk[bool]:
    """Whether the person typed `word` and meant it."""
    answer = yield from ask(f"{question} {words('confirm', word=word)}: ")
    return answer.lower() == word.lower()


def _interface(answer: str) -> IPv4Interface:
    try:
        interface = IPv4Interface(answer.replace(" ", ""))
    except ValueError:
        raise InvalidError("serial.invalid.address") from None
    network, own = interface.network, interface.ip
    # A /32 is what an address without a prefix becomes; nobody lives alone on a network.
    usable = 8 <= network.prefixlen <= 30 and own not in (network.network_address, network.broadcast_address)
    if not usable or own.is_loopback or own.is_multicast or own.is_reserved:
        raise InvalidError("serial.invalid.address")
    return interface


def _gateway(answer: str, interface: IPv4Interface) -> str:
    if not answer:
        return ""
    gateway = _ipv4(answer)
    if gateway not in interface.network or gateway == interface.ip:
        raise InvalidError("serial.invalid.gateway", network=str(interface.network))
    return str(gateway)


def _servers(answer: str) -> list[str]:
    servers = [str(_ipv4(each)) for each in answer.replace(",", " ").split()]
    if len(servers) > DNS_LIMIT:
        raise InvalidError("serial.invalid.dns", limit=DNS_LIMIT)
    return servers


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise InvalidError("serial.invalid.ip") from None


def _count(answer: str) -> int:
    if not (answer.isdecimal() and answer.isascii()) or len(answer) > 4 or int(answer) > EXTENSIONS_LIMIT:
        raise InvalidError("serial.invalid.count", limit=EXTENSIONS_LIMIT)
    return int(answer)
