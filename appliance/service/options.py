"""What `branchbox run` can be told, on its command line or in the environment."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Address", "Options", "add_arguments", "parse_address", "parse_ports"]

Address = tuple[str, int]
LOWEST_RTP_SPAN = 4
"Ports one call needs: RTP and RTCP for each of its two legs."


@dataclass(frozen=True, slots=True)
class Options:
    """Where the exchange listens and keeps its data."""

    data: Path
    sip: Address
    "UDP and TCP."
    tls: Address
    web: Address
    rtp: tuple[int, int]
    "The lowest and the highest UDP port for sound and picture."
    wss: Address | None = None
    "Secure WebSockets, for telephones in browsers; None for none."
    wss_origins: tuple[str, ...] = ()
    "The web pages that may open them, beside those of this machine."
    dns: tuple[Address, ...] = ()
    "The name servers that say where carriers are; none: those of the system."

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Options:
        """The options out of parsed arguments."""
        return cls(
            *(arguments.data, arguments.sip, arguments.tls, arguments.web, arguments.rtp),
            *(arguments.wss, arguments.wss_origins, arguments.dns),
        )


def add_arguments(parser: argparse.ArgumentParser, environment: Mapping[str, str] = os.environ) -> None:
    """Every option has a variable of the same name: `--data` is BRANCHBOX_DATA.

    `0.0.0.0` and `[::]` both mean all addresses, for SIP those of IPv4 and of IPv6.
    """

    def default(name: str, otherwise: str) -> str:
        return environment.get(f"BRANCHBOX_{name}", otherwise)

    # argparse passes a default that is text through `type`, so that a bad variable is refused like a bad option.
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=default("DATA", "./var"), help="the data folder"
    )
    for name, otherwise, what in (
        ("sip", "0.0.0.0:5060", "where phones reach the exchange by UDP and TCP"),
        ("tls", "0.0.0.0:5061", "where phones reach the exchange by TLS"),
        ("web", "0.0.0.0:8443", "where the web console is"),
    ):
        parser.add_argument(
            f"--{name}",
            metavar="ADDR:PORT",
            type=parse_address,
            default=default(name.upper(), otherwise),
            help=f"{what} (default {otherwise})",
        )
    _add_browsers(parser, default)
    parser.add_argument(
        "--rtp",
        metavar="LOW-HIGH",
        type=parse_ports,
        default=default("RTP", "30000-34999"),
        help="UDP ports for sound and picture (default 30000-34999)",
    )
    parser.add_argument(
        "--dns",
        metavar="ADDR:PORT",
        type=_parse_name_servers,
        default=default("DNS", ""),
        help="name servers that say where carriers are, divided by commas (default: the system's)",
    )


def _add_browsers(parser: argparse.ArgumentParser, default: Callable[[str, str], str]) -> None:
    parser.add_argument(
        "--wss",
        metavar="ADDR:PORT",
        type=_parse_optional_address,
        default=default("WSS", ""),
        help="where telephones in browsers reach the exchange by secure WebSocket (default: nowhere)",
    )
    parser.add_argument(
        "--wss-origins",
        metavar="ORIGINS",
        type=_parse_origins,
        default=default("WSS_ORIGINS", ""),
        help="web pages of other machines that may do so, such as https://phone.example,https://crm.example",
    )


def parse_address(text: str) -> Address:
    """`192.0.2.1:5060`, `[2001:db8::1]:5060`; argparse's error for anything else."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not colon or not 0 <= number <= 65535:
        msg = f"{text!r} is not ADDR:PORT with an IP address, such as 0.0.0.0:5060"
        raise argparse.ArgumentTypeError(msg)
    return host, number


def _parse_optional_address(text: str) -> Address | None:
    return parse_address(text) if text else None


def _parse_name_servers(text: str) -> tuple[Address, ...]:
    return tuple(parse_address(each.strip()) for each in text.split(",") if each.strip())


def _parse_origins(text: str) -> tuple[str, ...]:
    origins = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    for origin in origins:
        parts = urlsplit(origin)
        if not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            msg = f"{origin!r} is not an origin, such as https://phone.example"
            raise argparse.ArgumentTypeError(msg)
    return origins


def parse_ports(text: str) -> tuple[int, int]:
    """`30000-34999`; argparse's error for anything else."""
    low, _, high = text.partition("-")
    if low.isdecimal() and high.isdecimal():
        ports = int(low), int(high)
        # RFC 3550 §11: RTP has the even port, RTCP the one above it.
        usable = (ports[1] + 1) // 2 * 2 - (ports[0] + 1) // 2 * 2
        if ports[0] >= 1024 and ports[1] <= 65535 and usable >= LOWEST_RTP_SPAN:
            return ports
    msg = f"{text!r} is not LOW-HIGH with four ports or more of 1024 to 65535, such as 30000-34999"
    raise argparse.ArgumentTypeError(msg)
