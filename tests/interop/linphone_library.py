"""Linphone's library (liblinphone 5.1, as Debian 12 has it) as a phone with lamps: it subscribes to what its programs do not.

Neither baresip 1.0.0 (its module `presence` knows that package alone) nor Linphone's own programs (`linphonec`, `linphone-daemon`:
presence, by friends) can watch `dialog` (RFC 4235). The library that those programs are made of subscribes to any package, keeps the
subscription alive and answers NOTIFYs; it is called here in a process of its own, which does nothing else:

    python -m tests.interop.linphone_library CONFIG LOG ADDRESS PACKAGE
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.interop.exchange import wait_until

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["LampPhone", "why_not"]

LIBRARY = "liblinphone.so.10"
WAIT_S = 20.0
STOP_S = 5.0
PACE_S = 0.02
"Between two calls of `linphone_core_iterate`, as its manual wants it."
SECONDS = 600
"For which it subscribes."
EVERYTHING = 0x1F
"Of what the library logs: messages are among it."
LINE_BUFFERED = 1

CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port=-2
sip_tls_port=-2
guess_hostname=0
register_only_when_network_is_up=0
use_ipv6=0
default_proxy=0
[proxy_0]
reg_proxy=<sip:{host}:{server};transport=udp>
reg_identity=sip:{number}@{host}:{server}
reg_expires=600
reg_sendregister=1
publish=0
[auth_info_0]
username={number}
passwd={password}
[net]
firewall_policy=0
[misc]
uuid=0
"""

_NOTIFY = re.compile(
    r"^NOTIFY sip:.*?^Content-Length: *\d+\s*?\n\s*?\n(.*?)^\d{4}-\d\d-\d\d ", re.MULTILINE | re.DOTALL
)


def why_not() -> str:
    """Why it cannot be used here; empty when it can."""
    return "" if find_library("linphone") else "liblinphone is not installed"


class LampPhone:
    """A phone that watches one number, for as long as the `with` block runs."""

    def __init__(
        self, folder: Path, number: str, password: str, server: tuple[str, int], port: int, watched: str
    ) -> None:
        self.number = number
        self._folder = folder
        self._address = f"sip:{watched}@{server[0]}:{server[1]}"
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        told = {"host": server[0], "server": server[1], "number": number, "password": password, "port": port}
        (folder / "config").write_text(CONFIG.format(**told))

    def __enter__(self) -> Self:
        files = [str(self._folder / each) for each in ("config", "log")]
        with (self._folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.interop.linphone_library", *files, self._address, "dialog"],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env={**os.environ, "HOME": str(self._folder)},
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def bodies(self) -> list[bytes]:
        """What the NOTIFYs said that came so far."""
        log = self._folder / "log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return [each.strip().encode() for each in _NOTIFY.findall(text)]

    def wait_bodies(self, count: int) -> list[bytes]:
        """The same, once there are so many."""

        def are_there() -> bool:
            assert self._process.poll() is None, (self._folder / "errors").read_text()
            return len(self.bodies()) >= count

        wait_until(are_there, f"{count} NOTIFYs to {self.number}", WAIT_S)
        return self.bodies()


def main(config: str, log: str, address: str, package: str) -> None:
    """Register, subscribe, and go on until SIGTERM."""
    ends: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ends.append(number)

    signal.signal(signal.SIGTERM, end)
    library, libc = ctypes.CDLL(LIBRARY), ctypes.CDLL(None)
    pointer = ctypes.c_void_p
    for function in (
        libc.fopen,
        library.linphone_factory_get,
        library.linphone_factory_create_core_3,
        library.linphone_factory_create_address,
        library.linphone_core_get_default_account,
        library.linphone_core_subscribe,
    ):
        function.restype = pointer
    file = pointer(libc.fopen(log.encode(), b"w"))
    libc.setvbuf(file, None, LINE_BUFFERED, 0)
    library.linphone_core_set_log_file(file)
    library.linphone_core_set_log_level_mask(EVERYTHING)
    factory = pointer(library.linphone_factory_get())
    core = pointer(library.linphone_factory_create_core_3(factory, config.encode(), None, None))
    if library.linphone_core_start(core) != 0:
        sys.exit("the library does not start")
    account = pointer(library.linphone_core_get_default_account(core))
    watched = pointer(library.linphone_factory_create_address(factory, address.encode()))
    subscribed = False
    while not ends:
        library.linphone_core_iterate(core)
        # 2: LinphoneRegistrationOk.
        if not subscribed and library.linphone_account_get_state(account) == 2:
            subscribed = True
            library.linphone_core_subscribe(core, watched, package.encode(), SECONDS, None)
        time.sleep(PACE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
