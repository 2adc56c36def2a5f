"""The address of a server, with its port where it is not the usual one: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`.

RFC 3986 §3.2.2 (brackets around IPv6).
"""

from __future__ import annotations

import re
from ipaddress import ip_address

__all__ = ["server_address", "written"]

IN_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::([0-9]{1,5}))?")
WITH_PORT = re.compile(r"([^:\[\]]*):([0-9]{1,5})")


def server_address(text: str, usual_port: int) -> tuple[str, int]:
    """Its IP address and port. ValueError: it is none, or one that no server can have."""
    match = IN_BRACKETS.fullmatch(text) or WITH_PORT.fullmatch(text)
    host, digits = match.groups() if match else (text, None)
    address, port = ip_address(host), usual_port if digits is None else int(digits)
    if address.is_unspecified or address.is_multicast or not 0 < port < 65_536:
        msg = f"no server is at {text}"
        raise ValueError(msg)
    return str(address), port


def written(address: tuple[str, int]) -> str:
    """An address and a port as one text."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
