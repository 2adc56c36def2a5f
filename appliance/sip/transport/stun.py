"""STUN on the SIP port: the keep-alive of phones that hold a UDP flow, and nothing else of STUN.

RFC 5626 §3.5.2, §8; RFC 5389 §6 (header), §7.3.1 (Binding), §15.2 (XOR-MAPPED-ADDRESS).
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address

__all__ = ["answer_stun"]

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HHBBH")
_BINDING_REQUEST, _BINDING_SUCCESS = 0x0001, 0x0101
_MAGIC_COOKIE = 0x2112A442
_XOR_MAPPED_ADDRESS = 0x0020


def answer_stun(data: bytes, remote: Address) -> bytes | None:
    """The answer to a Binding request, which tells the phone the address it is seen under; None for all else.

    It is at most 44 octets to at least 20: nobody can use it to flood another.
    """
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_REQUEST or cookie != _MAGIC_COOKIE or length != len(data) - _HEADER.size:
        return None
    ip = ip_address(remote[0].partition("%")[0])
    mask = _HEADER.pack(0, 0, cookie, transaction)[4:][: len(ip.packed)]
    hidden = bytes(one ^ other for one, other in zip(ip.packed, mask, strict=True))
    family, port = 1 if ip.version == 4 else 2, remote[1] ^ (cookie >> 16)
    attribute = _ATTRIBUTE.pack(_XOR_MAPPED_ADDRESS, 4 + len(hidden), 0, family, port) + hidden
    return _HEADER.pack(_BINDING_SUCCESS, len(attribute), cookie, transaction) + attribute
