"""Two telephones outside the box: sipp speaks SIP for them, this process sends and hears their sound.

QEMU's user network shows everybody on this machine to the box as 10.0.2.2, behind whose address the phones sit as
behind a router's: what they say of their own address (127.0.0.1) is of no use to the box, as in a real office.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.probe import free_port
from tests.peers.sipp import SCENARIOS

if TYPE_CHECKING:
    from tests.image.machine import Machine

__all__ = ["Office", "Phone", "first_answer"]

HOST = "127.0.0.1"
RTP_PORT_OF_SDP = re.compile(r"^m=audio (\d+)", re.MULTILINE)
PHONE_SECONDS = 90.0
"For one run of sipp: some round trips in software emulation."
TALK_SECONDS = 15
"How long the caller holds the call; within it both must have been heard."


def _sound_socket() -> socket.socket:
    sound = socket.socket(type=socket.SOCK_DGRAM)
    sound.bind((HOST, 0))
    sound.setblocking(False)
    return sound


@dataclass(slots=True)
class Phone:
    """An extension with its password, a port for SIP and a socket for its sound."""

    number: str
    password: str
    port: int = field(default_factory=free_port)
    sound: socket.socket = field(default_factory=_sound_socket)
    _sequence: int = 0

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.sound.close()

    @property
    def payload(self) -> bytes:
        """20 ms of what only this phone says."""
        return self.number.encode().ljust(160, b"\xd5")

    def speak(self, port: int) -> None:
        """One RTP packet of PCMU to the box (RFC 3550 §5.1)."""
        self._sequence += 1
        header = struct.pack("!BBHII", 0x80, 0, self._sequence, self._sequence * 160, int(self.number))
        self.sound.sendto(header + self.payload, (HOST, port))

    def hears(self, other: Phone) -> bool:
        """Whether a packet with the other's sound has come in."""
        while True:
            try:
                packet = self.sound.recv(4096)
            except BlockingIOError:
                return False
            if packet[12:] == other.payload:
                return True


class Office:
    """Runs sipp against the box's forwarded SIP port."""

    def __init__(self, sip_port: int, folder: Path) -> None:
        self._sip_port = sip_port
        self._folder = folder

    def register(self, phone: Phone) -> None:
        """AssertionError when the box refuses or does not answer."""
        keys = (
            "-key",
            "contact_host",
            HOST,
            "-key",
            "contact_port",
            str(phone.port),
            "-key",
            "expires",
            "600",
        )
        self._end(self._start("register", phone, "", *keys))

    def call(self, machine: Machine, caller: Phone, callee: Phone) -> None:
        """One call with sound both ways; AssertionError when anything of it fails."""
        answering = self._start("callee", callee, "")
        try:
            calling = self._start("caller", caller, callee.number, "-d", str(TALK_SECONDS * 1000))
            try:
                self._talk(machine, caller, callee)
                self._end(calling)
            finally:
                _stop(calling)
            self._end(answering)
        finally:
            _stop(answering)

    def _talk(self, machine: Machine, caller: Phone, callee: Phone) -> None:
        # The box's ports for this call: what it offered the callee, and what it answered the caller.
        ports: dict[str, int] = {}
        for phone, start in ((callee, "INVITE "), (caller, "SIP/2.0 200")):
            own = free_port()
            machine.forward("udp", self._announced(phone, start), own)
            ports[phone.number] = own
        heard: set[str] = set()
        give_up = time.monotonic() + TALK_SECONDS - 2
        while len(heard) < 2:
            for phone, other in ((caller, callee), (callee, caller)):
                phone.speak(ports[phone.number])
                if phone.hears(other):
                    heard.add(phone.number)
            assert time.monotonic() < give_up, f"only {heard or 'nobody'} heard the other"
            time.sleep(0.02)

    def _announced(self, phone: Phone, start: str) -> int:
        """The port in the box's first message to a phone that begins with `start` and has a description."""
        give_up = time.monotonic() + PHONE_SECONDS
        while time.monotonic() < give_up:
            try:
                said = self._messages(phone).read_text(errors="replace")
            except FileNotFoundError:
                said = ""
            for message in said.split("message received")[1:]:
                found = RTP_PORT_OF_SDP.search(message.replace("\r", ""))
                if found and f"\n{start}" in message:
                    return int(found[1])
            time.sleep(0.1)
        msg = f"no description for {phone.number}"
        raise AssertionError(msg)

    def _messages(self, phone: Phone) -> Path:
        return self._folder / f"{phone.number}.messages"

    def _start(self, scenario: str, phone: Phone, callee: str, *options: str) -> subprocess.Popen[bytes]:
        script = self._folder / f"{scenario}-{phone.number}.xml"
        own_sound = f"m=audio {phone.sound.getsockname()[1]} "
        script.write_text(
            (SCENARIOS / f"{scenario}.xml").read_text().replace("m=audio [media_port] ", own_sound)
        )
        users = self._folder / f"{phone.number}.csv"
        secret = f"[authentication username={phone.number} password={phone.password}]"
        users.write_text(f"SEQUENTIAL\n{phone.number};{secret};{callee}\n")
        self._messages(phone).unlink(missing_ok=True)
        return subprocess.Popen(
            [
                *(
                    "sipp",
                    f"{HOST}:{self._sip_port}",
                    "-sf",
                    str(script),
                    "-inf",
                    str(users),
                    "-m",
                    "1",
                    "-nostdin",
                ),
                *("-i", HOST, "-p", str(phone.port), "-mi", HOST, "-mp", str(free_port())),
                *("-timeout", str(int(PHONE_SECONDS)), "-timeout_error"),
                *("-trace_msg", "-message_file", str(self._messages(phone)), *options),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def _end(self, sipp: subprocess.Popen[bytes]) -> None:
        try:
            _, said = sipp.communicate(timeout=PHONE_SECONDS + 10)
        finally:
            _stop(sipp)
        arguments = [str(each) for each in sipp.args] if isinstance(sipp.args, list) else []
        traces = "\n".join(
            each.read_text(errors="replace")[-6000:] for each in self._folder.glob("*.messages")
        )
        assert sipp.returncode == 0, f"{' '.join(arguments)}\n{said.decode(errors='replace')}\n{traces}"


def first_answer(port: int, seconds: float) -> float:
    """Ask OPTIONS until the box answers; the moment on the monotonic clock. AssertionError after `seconds`."""
    give_up = time.monotonic() + seconds
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.connect((HOST, port))
        asking.settimeout(0.25)
        number = 0
        while time.monotonic() < give_up:
            number += 1
            try:
                asking.send(_options(number, asking.getsockname()[1]))
                if asking.recv(4096).startswith(b"SIP/2.0 "):
                    return time.monotonic()
            except (TimeoutError, ConnectionRefusedError):
                continue
    msg = f"no answer to OPTIONS within {seconds} s"
    raise AssertionError(msg)


def _options(number: int, port: int) -> bytes:
    return (
        f"OPTIONS sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{port};branch=z9hG4bK{number};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:ask@{HOST}>;tag=1\r\nTo: <sip:{HOST}>\r\nCall-ID: {number}@{HOST}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
