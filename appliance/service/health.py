"""Whether the exchange is well, as somebody sees it who needs it: from outside, over its own ports and socket."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import ssl
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.control.client import Client, NotRunningError, socket_in
from appliance.errors import ConfigError
from appliance.service.options import parse_address
from appliance.system.update.state import Before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CHECKS", "Health", "gone", "measure"]

logger = logging.getLogger(__name__)

CHECKS = ("sip", "console", "database", "lines", "extensions", "servers")
ANSWER_S = 3.0
"A box that is well answers within milliseconds; one that is busy starting may take a second."
CONTROL_S = 10.0
OK = 200
TOLERATED_OF = 4
"One extension in so many may be gone: people switch telephones off, also during an update."
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Health:
    """Where to look."""

    data: Path
    sip: Address
    web: Address
    further: Path | None = None
    "The folder of the further servers, which must be well, too: NAME.conf with the ports of each that runs."

    def missing(self, before: Before) -> frozenset[str]:
        """The checks that fail now. `before` is what must be registered again."""
        now = self._registered()
        found = {
            "sip": self._sip_answers(),
            "console": self._console_answers(),
            "database": now is not None,
            "servers": all(each.answers() for each in self._further()),
        }
        return frozenset(name for name, well in found.items() if not well) | gone(before, now or Before())

    def answers(self) -> bool:
        """Whether it speaks to phones and to people."""
        return self._sip_answers() and self._console_answers()

    def _further(self) -> Iterator[Health]:
        for file in sorted(self.further.glob("*.conf")) if self.further is not None else ():
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
                said = dict(line.split("=", 1) for line in lines if line.startswith("BRANCHBOX_"))
                sip, web = (parse_address(said[f"BRANCHBOX_{name}"]) for name in ("SIP", "WEB"))
            except (OSError, KeyError, ValueError, ArgumentTypeError) as error:
                # One that somebody wrote by hand, and that systemd may understand: it is not for an update to judge.
                logger.warning("%s is not looked at: %s", file, error)
                continue
            yield Health(file.with_suffix(""), sip, web)

    def _sip_answers(self) -> bool:
        """RFC 3261 §11: OPTIONS, which any answer to proves the exchange alive."""
        host, port = _own(self.sip)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        mark = os.urandom(8).hex()
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as own:
                own.settimeout(ANSWER_S)
                own.connect((host, port))
                own.send(_options(own.getsockname()[:2], (host, port), mark))
                return mark.encode() in own.recv(65535)
        except OSError:
            return False

    def _console_answers(self) -> bool:
        # Our own certificate on our own loopback: there is nobody in between to be proved.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(*_own(self.web), timeout=ANSWER_S, context=context)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _registered(self) -> Before | None:
        try:
            return measure(self.data)
        except (NotRunningError, ConfigError):
            return None


def gone(before: Before, now: Before) -> frozenset[str]:
    """Which of the checks `lines` and `extensions` fail. Every line counts; of several telephones one may be off."""
    missing = set()
    if not set(before.lines) <= set(now.lines):
        missing.add("lines")
    tolerated = max(len(before.extensions) // TOLERATED_OF, int(len(before.extensions) > 1))
    if len(set(before.extensions) - set(now.extensions)) > tolerated:
        missing.add("extensions")
    return frozenset(missing)


def measure(data: Path) -> Before:
    """Who is registered, here and outside. NotRunningError; ConfigError also when the database does not answer."""
    with Client(socket_in(data), CONTROL_S) as client:
        client.perform("records", "list", values={"limit": "1"})  # read from the disk, unlike the rest
        lines = client.perform("lines", "list")
        registrations = client.perform("registrations", "list")
    return Before(
        tuple(sorted(each["name"] for each in lines if each.get("state") == "registered")),
        tuple(sorted({each["number"] for each in registrations})),
    )


def _own(address: Address) -> Address:
    """The address by which this machine reaches what listens on all of them."""
    host, port = address
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


def _options(local: Address, remote: Address, mark: str) -> bytes:
    own, peer = (f"[{host}]" if ":" in host else host for host in (local[0], remote[0]))
    return (
        f"OPTIONS sip:{peer}:{remote[1]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own}:{local[1]};branch=z9hG4bK{mark};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:health@{own}>;tag={mark}\r\n"
        f"To: <sip:{peer}>\r\n"
        f"Call-ID: {mark}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
