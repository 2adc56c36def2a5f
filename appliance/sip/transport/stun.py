"""STUN on the SIP port: keep-alives over UDP, those of phones and our own, and nothing else of STUN.

RFC 5626 §3.5.2, §8; RFC 5389 §6 (header), §7.3.1 (Binding), §15.2 (XOR-MAPPED-ADDRESS).
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.sip.transport.flow import Address

__all__ = ["TRANSACTION_OCTETS", "answer_stun", "make_stun", "read_stun"]

TRANSACTION_OCTETS = 12
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


def make_stun(transaction: bytes) -> bytes:
    """A Binding request: a keep-alive of ours."""
    return _HEADER.pack(_BINDING_REQUEST, 0, _MAGIC_COOKIE, transaction)


def read_stun(data: bytes) -> tuple[bytes, Address] | None:
    """A Binding success: its transaction, and our address as the peer sees it; None for all else."""
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_SUCCESS or cookie != _MAGIC_COOKIE or length != len(data) - _HEADER.size:
        return None
    at = _HEADER.size
    while at + 4 <= len(data):
        name, size = struct.unpack_from("!HH", data, at)
        if name == _XOR_MAPPED_ADDRESS and size in (8, 20) and at + 4 + size <= len(data):
            return transaction, _unhide(data[at + 6 : at + 4 + size], data[4:20])
        at += 4 + (size + 3) // 4 * 4  # §15: attributes are padded to four octets
    return None


def _unhide(value: bytes, mask: bytes) -> Address:
    port = int.from_bytes(value[:2], "big") ^ (_MAGIC_COOKIE >> 16)
    octets = bytes(one ^ other for one, other in zip(value[2:], mask, strict=False))
    return str(ip_address(octets)), port
