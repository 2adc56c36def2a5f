"""A WebSocket client of the tests' own, by hand from RFC 6455: what a browser does, and what none would do."""

from __future__ import annotations

import base64
import hashlib
import os
import struct

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "accepts",
    "frame",
    "take_frame",
    "upgrade",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # §1.3


def upgrade(host: str = "127.0.0.1", protocol: str | None = "sip", origin: str | None = None) -> bytes:
    """§4.1: the request that opens it."""
    lines = [
        "GET / HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Extensions: permessage-deflate",
    ]
    if protocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
    if origin is not None:
        lines.append(f"Origin: {origin}")
    return "\r\n".join([*lines, "", ""]).encode()


def accepts(answer: bytes) -> bool:
    """§4.2.2: whether a head of HTTP is the 101 that belongs to our request, with `sip` and no extension."""
    proof = base64.b64encode(hashlib.sha1(KEY.encode() + GUID).digest())
    lines = {line.lower() if b"accept" not in line.lower() else line for line in answer.split(b"\r\n")}
    return (
        answer.startswith(b"HTTP/1.1 101 ")
        and any(line.lower() == b"sec-websocket-accept: " + proof.lower() for line in lines)
        and any(line.endswith(proof) for line in lines)
        and b"sec-websocket-protocol: sip" in lines
        and b"sec-websocket-extensions" not in answer.lower()
    )


def frame(payload: bytes, kind: int = TEXT, *, last: bool = True, masked: bool = True) -> bytes:
    """§5.2: one frame, as a client sends it."""
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if last else 0) | kind])
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += struct.pack("!BH", mask_bit | 126, size)
    else:
        head += struct.pack("!BQ", mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(octet ^ mask[at % 4] for at, octet in enumerate(payload))


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Take one frame of a server out of what came: its kind and payload; None when it is not whole yet."""
    if len(data) < 2:
        return None
    kind, size, at = data[0] & 0x0F, data[1], 2
    assert data[0] & 0xF0 == 0x80, "a server's frame is whole and uses no extension"
    assert size < 128, "§5.1: a server does not mask"
    if size == 126:
        (size,), at = struct.unpack_from("!H", data, 2), 4
    elif size == 127:
        (size,), at = struct.unpack_from("!Q", data, 2), 10
    if len(data) < at + size:
        return None
    payload = bytes(data[at : at + size])
    del data[: at + size]
    return kind, payload
