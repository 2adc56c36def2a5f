"""Small questions to a server: is a port free, is one open yet, does it answer OPTIONS yet."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

__all__ = ["first_answer", "free_port", "is_open"]

_OPTIONS = (
    "OPTIONS sip:ping@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{number};rport\r\nMax-Forwards: 70\r\n"
    "From: <sip:ping@{host}>;tag=1\r\nTo: <sip:ping@{host}>\r\nCall-ID: {number}@bench\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)
_ASK_EVERY = 0.02
_GIVE_UP_AFTER = 60.0


def free_port() -> int:
    """A port of 127.0.0.1 that neither UDP nor TCP uses at this moment."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_open(kind: str, host: str, port: int) -> bool:
    """Whether a process of this network has that port, of `udp` or `tcp`. Nobody is disturbed by the question."""
    table = Path(f"/proc/thread-self/net/{kind}{'6' if ':' in host else ''}")
    octets = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    # proc_net_tcp(5): each 32 bits of the address as the machine has them in its memory.
    words = struct.unpack(f"={len(octets) // 4}I", octets)
    local = "".join(f"{word:08X}" for word in words) + f":{port:04X}"
    return any(line.split()[1] == local for line in table.read_text().splitlines()[1:])


def first_answer(server: tuple[str, int]) -> float:
    """Ask OPTIONS until the server answers; returns the moment, on the monotonic clock."""
    give_up = time.monotonic() + _GIVE_UP_AFTER
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.connect(server)
        udp.settimeout(_ASK_EVERY)
        me = "{}:{}".format(*udp.getsockname())
        number = 0
        while time.monotonic() < give_up:
            number += 1
            try:
                udp.send(_OPTIONS.format(host=server[0], me=me, number=number).encode())
                if udp.recv(4096).startswith(b"SIP/2.0"):
                    return time.monotonic()
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                # The port is not open yet; asking at once again would only burn the core it starts on.
                _wait(udp)
    msg = f"no answer from {server} in {_GIVE_UP_AFTER} s"
    raise TimeoutError(msg)


def _wait(udp: socket.socket) -> None:
    try:
        udp.recv(1)
    except (TimeoutError, ConnectionRefusedError):
        return
