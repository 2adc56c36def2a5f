"""Telephones that are sipp processes, before the running exchange.

alice, bob = office.phones(2)
alice.calls(bob.number).hears(180, 200).hangs_up()
bob.is_called().rings().answers().takes("BYE")
office.play(alice, bob)
office.ends(alice, "normal")
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

from appliance.selftest.phone import Account
from tests.interop.exchange import Exchange, free_ports, wait_until
from tests.peers.probe import is_open
from tests.peers.rtp_port import RtpPort
from tests.peers.sipp import CALLEE_HOST
from tests.peers.sipp_scenario import AGREED, GO, OFFERED, WAITS
from tests.peers.sipp_script import Script

__all__ = ["SippOffice", "SippPhone"]

LIMIT_S = 40
"Seconds for a whole script on a busy machine; sipp fails behind them."
POLL_S = 0.01
RECEIVED = re.compile(rb"^UDP message received \[([0-9]+)\] bytes :\n\n", re.MULTILINE)
"What sipp writes before each message in its log that has come."
MUSIC = 160
"Octets of G.711 every 20 ms; no phone here says so much."


class SippPhone(Script):
    """A script, and the process that plays it once."""

    _serial = count(1)  # of folders: a port may serve one phone after the other

    def __init__(self, account: Account, folder: Path, ear: RtpPort, address: tuple[str, int]) -> None:
        super().__init__(account, ear.address)
        self.ear = ear
        "Where its sound comes to."
        self.address = address
        self._folder = folder / f"{account.number}-{next(self._serial)}"
        self._process: subprocess.Popen[bytes] | None = None
        self._went_on = 0

    @property
    def contact(self) -> str:
        host, port = self.address
        return f"sip:{self.number}@{host}:{port}"

    def start(self) -> None:
        """Start sipp, and wait until it listens or has ended."""
        self._folder.mkdir()
        scenario = self._folder / "scenario.xml"
        scenario.write_text(self.xml)
        host, port = self.address
        options = {
            "-sf": scenario,
            "-i": host,
            "-p": port,
            "-t": "u1",
            "-m": 1,
            "-cid_str": self._folder.name,
            "-timeout": LIMIT_S,
            "-recv_timeout": LIMIT_S * 1000,
            "-error_file": "errors",
            "-message_file": "messages",
            "-log_file": "log",
        }
        command = [
            *("sipp", "{}:{}".format(*self.account.server), "-nostdin", "-timeout_error"),
            *("-trace_err", "-trace_msg", "-trace_logs"),
            *(str(word) for option in options.items() for word in option),
        ]
        with (self._folder / "screen").open("wb") as screen:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=screen, stderr=screen)
        while self._process.poll() is None and not is_open("udp", host, port):
            time.sleep(POLL_S)

    def is_waiting(self) -> None:
        """Return once its script has come as far as where it waits next."""
        wait_until(lambda: len(self._waits()) > self._went_on, f"{self.number} to wait")

    def go_on(self) -> None:
        """Once its script waits for that."""
        self.is_waiting()
        self._went_on += 1
        host, port = self.address
        word = (
            f"{GO} {self.contact} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bKgo{self._went_on}\r\n"
            f"From: <sip:test@{host}>;tag=1\r\nTo: <{self.contact}>\r\nCall-ID: {self._waits()[-1]}\r\n"
            f"CSeq: {self._went_on} {GO}\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.sendto(word.encode(), (host, port))

    def _waits(self) -> list[str]:
        """The Call-ID of each time when it waited or waits."""
        return [line.split()[-1] for line in self._log() if WAITS in line]

    @property
    def was_called(self) -> bool:
        """Whether an INVITE has come or gone."""
        return any(OFFERED in line for line in self._log())

    def has_agreed(self) -> bool:
        """Whether there was an INVITE, and an ACK behind the last one."""
        words = [word for line in self._log() for word in line.split() if word in {OFFERED, AGREED}]
        return words[-1:] == [AGREED]

    def _log(self) -> list[str]:
        """Its lines, as far as they are whole."""
        return self._read("log").decode().rpartition("\n")[0].splitlines()

    @property
    def told(self) -> bytes:
        """What it was told last of the other side's sound; empty: nothing yet."""
        told = b""
        log = self._read("messages")
        for came in RECEIVED.finditer(log):
            message = log[came.end() : came.end() + int(came[1])]
            body = message.partition(b"\r\n\r\n")[2]
            # sipp may be in the middle of writing it.
            if len(message) == int(came[1]) and body.startswith(b"v=0"):
                told = body
        return told

    def is_playing(self) -> bool:
        """Whether its script is not over. AssertionError when it did not go as it says: by sipp's own exit status."""
        assert self._process is not None
        status = self._process.poll()
        assert not status, self._told()
        return status is None

    def has_ended(self) -> None:
        """Wait for the end of its script, which must have gone as it says."""
        wait_until(lambda: not self.is_playing(), f"the end of the script of {self.number}", LIMIT_S + 5)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _told(self) -> str:
        texts = [self._read(name).decode(errors="replace") for name in ("errors", "messages", "screen")]
        return "\n".join([f"sipp of {self.number}", *texts[:2], texts[2][-500:]])

    def _read(self, name: str) -> bytes:
        file = self._folder / name
        return file.read_bytes() if file.exists() else b""


class SippOffice:
    """The exchange, and sipp phones of extensions that nobody else uses."""

    _numbers = count(700)  # one for all offices, as an exchange may see several of them

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        """`folder` is for sipp's files."""
        self.exchange = exchange
        self.perform = exchange.perform
        self._folder = folder
        self._stack = ExitStack()
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        # What a test has left that failed is no matter of the next one.
        for call in self.perform("calls", "list"):
            if {call["from_number"], call["to_number"]} & self._known:
                self.perform("calls", "hang-up", call["id"])

    # --- who is there

    def phones(self, many: int) -> list[SippPhone]:
        """Registered phones of new extensions."""
        made = []
        for _ in range(many):
            number = str(next(self._numbers))
            self._known.add(number)
            password = self.exchange.add_extensions(1, number)[number]
            made.append(self._phone(Account(number, password, self.exchange.sip)))
        self.register(*made)
        return made

    def second_phone(self, phone: SippPhone) -> SippPhone:
        """One more of the same extension, registered."""
        second = self._phone(phone.account)
        self.register(second)
        return second

    def again(self, phone: SippPhone) -> SippPhone:
        """The same telephone at the same port, for another script when the one before has ended."""
        return self._keep(SippPhone(phone.account, self._folder, phone.ear, phone.address))

    def carrier(self) -> SippPhone:
        """Somebody outside, behind a trunk of its name."""
        name = f"carrier{next(self._numbers)}"
        carrier = self._phone(Account(name, "", self.exchange.sip))
        host, port = carrier.address
        self.perform("trunks", "add", None, {"name": name, "peers": f"{host}:{port}", "keep_alive": 0})
        return carrier

    def _phone(self, account: Account) -> SippPhone:
        # At an address of this run's own: a port is free for a while before sipp takes it, and others look for ports, too.
        ear = self._stack.enter_context(RtpPort(CALLEE_HOST))
        (port,) = free_ports(CALLEE_HOST, 1)
        return self._keep(SippPhone(account, self._folder, ear, (CALLEE_HOST, port)))

    def _keep(self, phone: SippPhone) -> SippPhone:
        self._stack.callback(phone.kill)
        return phone

    def register(self, *phones: SippPhone) -> None:
        """Each by a sipp of its own, which is not the one that is called."""
        clerks = [self._phone(phone.account) for phone in phones]
        for clerk, phone in zip(clerks, phones, strict=True):
            clerk.registers(phone.contact)
        self.play(*clerks)

    # --- what they do

    def play(self, *phones: SippPhone) -> None:
        """Their scripts, each to its end. Those that are called stand before those that call them."""
        with self.playing(*phones):
            pass

    @contextmanager
    def playing(self, *phones: SippPhone) -> Iterator[None]:
        """As `play`; something may be done meanwhile."""
        for phone in phones:
            phone.start()
        try:
            yield
        except AssertionError:
            # Rather what sipp says than what came of it.
            self._some_play(phones)
            raise
        wait_until(lambda: not self._some_play(phones), "the ends of all scripts", LIMIT_S + 5)

    def _some_play(self, phones: tuple[SippPhone, ...]) -> bool:
        """Each is looked at, whatever the others do."""
        playing = [phone.is_playing() for phone in phones]
        return any(playing)

    def hear_each_other(self, one: SippPhone, other: SippPhone) -> None:
        """Wait until both have agreed upon it, and sound goes both ways, by what each was told of the other."""
        wait_until(
            lambda: one.has_agreed() and other.has_agreed(), f"{one.number} and {other.number} to agree"
        )
        for teller, hearer in ((one, other), (other, one)):
            word = f"{teller.number} at {teller.ear.address[1]}".encode()

            def heard(teller: SippPhone = teller, hearer: SippPhone = hearer, word: bytes = word) -> bool:
                if teller.told:
                    teller.ear.say(teller.told, word)
                return word in hearer.ear.heard()

            wait_until(heard, f"{hearer.number} to hear {teller.number}")

    def goes_on(self, phone: SippPhone, other: SippPhone) -> None:
        """Let a phone go on once it waits and the other one, too, has done with its last INVITE (otherwise 491)."""
        phone.is_waiting()
        wait_until(other.has_agreed, f"{other.number} to agree")
        phone.go_on()

    def hears_music(self, phone: SippPhone) -> None:
        """Packet after packet comes, behind the words that are still under way."""
        packets = 0
        while packets < 5:
            packets = packets + 1 if len(phone.ear.hears()) == MUSIC else 0

    def rings(self, phone: SippPhone) -> None:
        """Wait until it does."""
        self._is(phone, "ringing")

    def talks(self, phone: SippPhone) -> None:
        """Wait until it does."""
        self._is(phone, "busy")

    def _is(self, phone: SippPhone, state: str) -> None:
        wait_until(
            lambda: self.perform("extensions", "show", phone.number)["state"] == state,
            f"{phone.number} {state}",
        )

    # --- what is left

    def records(self, caller: SippPhone) -> list[dict[str, Any]]:
        """The records of an extension's own calls, oldest first."""
        records = self.perform("records", "list", None, {"number": caller.number})
        return [record for record in records[::-1] if record["from_number"] == caller.number]

    def ends(self, caller: SippPhone, *causes: str) -> list[dict[str, Any]]:
        """No call is left, and there are these records of the caller's calls, oldest first."""
        self.exchange.wait_idle()
        wait_until(
            lambda: len(self.records(caller)) >= len(causes), f"{len(causes)} records of {caller.number}"
        )
        records = self.records(caller)
        assert [each["cause"] for each in records] == list(causes), records
        return records
