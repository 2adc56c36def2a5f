"""A computer on the box's own cable: it asks by multicast DNS who has a name, over IPv6 as every card speaks it.

RFC 6762 (mDNS), RFC 8200 §3 (IPv6), RFC 768 (UDP). QEMU's user network passes no multicast on, so the box has a second card.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype

from tests.image.machine import Machine
from tests.peers.probe import free_port

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MachineWithNeighbour"]

HOST = "127.0.0.1"
CARD = bytes.fromhex("020000000001")
ADDRESS = ipaddress.IPv6Address("fe80::ff:fe00:1")
ALL = ipaddress.IPv6Address("ff02::fb")
ALL_CARDS = bytes.fromhex("3333000000fb")
PORT = 5353
UDP = 17
IPV6 = 0x86DD
ETHERNET_OCTETS, IPV6_OCTETS, UDP_OCTETS = 14, 40, 8
ASK_AGAIN_SECONDS = 2.0


class MachineWithNeighbour(Machine):
    """Power on at `with`, power cut at its end."""

    def __enter__(self) -> Machine:
        # UDP, which drops what nobody reads: on a Unix socket QEMU would wait for us for ever.
        self._frames = self._open.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        self._frames.bind((HOST, 0))
        self._card_port = free_port()
        return super().__enter__()

    def ask(self, name: str, seconds: float) -> set[str]:
        """The IPv6 addresses that are answered for `name`; AssertionError when nobody does within `seconds`."""
        question = dns.message.make_query(name, dns.rdatatype.AAAA, flags=0, id=0).to_wire()
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            self._frames.sendto(_frame(question), (HOST, self._card_port))
            again = time.monotonic() + ASK_AGAIN_SECONDS
            while (left := again - time.monotonic()) > 0:
                self._frames.settimeout(left)
                try:
                    found = _addresses(self._frames.recv(65536), name)
                except TimeoutError:
                    break
                if found:
                    return found
        msg = f"nobody answers for {name} within {seconds} s"
        raise AssertionError(msg)

    def _qemu(self) -> list[str | Path]:
        own = self._frames.getsockname()[1]
        cable = f"local.type=inet,local.host={HOST},local.port={self._card_port}"
        cable += f",remote.type=inet,remote.host={HOST},remote.port={own}"
        return [
            *super()._qemu(),
            *("-netdev", f"dgram,id=neighbour,{cable}"),
            *("-device", "virtio-net-pci,netdev=neighbour,romfile="),
        ]


def _frame(payload: bytes) -> bytes:
    length = UDP_OCTETS + len(payload)
    datagram = struct.pack("!HHHH", PORT, PORT, length, 0) + payload
    pseudo = ADDRESS.packed + ALL.packed + struct.pack("!IxxxB", length, UDP)
    checksum = _checksum(pseudo + datagram)
    datagram = struct.pack("!HHHH", PORT, PORT, length, checksum) + payload
    header = struct.pack("!IHBB", 6 << 28, length, UDP, 255) + ADDRESS.packed + ALL.packed
    return ALL_CARDS + CARD + struct.pack("!H", IPV6) + header + datagram


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def _addresses(frame: bytes, name: str) -> set[str]:
    """What a frame answers for the name; empty for every other one."""
    datagram = ETHERNET_OCTETS + IPV6_OCTETS
    if len(frame) < datagram + UDP_OCTETS or struct.unpack("!H", frame[12:14]) != (IPV6,):
        return set()
    if frame[ETHERNET_OCTETS + 6] != UDP or struct.unpack("!H", frame[datagram : datagram + 2]) != (PORT,):
        return set()
    try:
        message = dns.message.from_wire(frame[datagram + UDP_OCTETS :], ignore_trailing=True)
    except dns.exception.DNSException:
        return set()
    if not message.flags & dns.flags.QR:
        return set()
    return {
        # RFC 6762 §10.2 sets the class's top bit, so these are of a class that dnspython knows nothing of.
        str(ipaddress.IPv6Address(record.to_wire()))
        for answers in message.answer
        if answers.rdtype == dns.rdatatype.AAAA and answers.name.to_text(omit_final_dot=True) == name
        for record in answers
    }
