"""A network of the test's own, for peers that refuse to live on loopback alone.

The calling thread enters a new network namespace (Linux namespaces(7)); what it starts, and every socket it opens,
is in there too. It vanishes with its last process, so there is nothing to clean up.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["ADDRESS", "BEYOND", "beyond", "move", "own_network", "why_not"]

ADDRESS = "198.18.0.1"  # RFC 2544's range for tests of networks
BEYOND = "198.18.0.254"
"Of whoever is at the other end of the cable."
PREFIX = 24
CLONE_NEWNET = 0x4000_0000
NAMESPACE = Path("/proc/thread-self/ns/net")
CAP_SYS_ADMIN, CAP_NET_ADMIN = 21, 12

_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str:
    """Why there can be no such network here; empty when there can."""
    status = Path("/proc/self/status").read_text()
    effective = int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
    if not all(effective >> capability & 1 for capability in (CAP_SYS_ADMIN, CAP_NET_ADMIN)):
        return "only root can make a network of its own"
    return ""


@contextmanager
def own_network() -> Iterator[str]:
    """Loopback and one Ethernet with an address of ours; gives the address."""
    with NAMESPACE.open("rb") as former:
        _check(_libc.unshare(CLONE_NEWNET))
        try:
            _ip("link set lo up")
            # A veth's other end is as good as a cable that is plugged in.
            _ip("link add phone0 type veth peer name phone1")
            _ip(f"address add {ADDRESS}/{PREFIX} dev phone0")
            _ip("link set phone0 up")
            _ip("link set phone1 up")
            # Nobody is there. But there are phones that do not start without a way to everywhere.
            _ip("route add default dev phone0")
            yield ADDRESS
        finally:
            _check(_libc.setns(former.fileno(), CLONE_NEWNET))


@contextmanager
def beyond() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Inside `own_network`: the other end of the cable becomes a machine of its own, at BEYOND.

    Gives what enters it for a while: sockets that are opened and processes that are started meanwhile are there.
    """
    with NAMESPACE.open("rb") as here:
        _check(_libc.unshare(CLONE_NEWNET))
        try:
            there = NAMESPACE.open("rb")
        finally:
            _check(_libc.setns(here.fileno(), CLONE_NEWNET))

        @contextmanager
        def entered() -> Iterator[None]:
            _check(_libc.setns(there.fileno(), CLONE_NEWNET))
            try:
                yield
            finally:
                _check(_libc.setns(here.fileno(), CLONE_NEWNET))

        with there:
            _ip(f"link set phone1 netns /proc/{os.getpid()}/fd/{there.fileno()}")
            with entered():
                _ip("link set lo up")
                _ip(f"address add {BEYOND}/{PREFIX} dev phone1")
                _ip("link set phone1 up")
            yield entered


def move(old: str, new: str) -> None:
    """Our address of that network becomes another one, as with a new lease."""
    _ip(f"address del {old}/{PREFIX} dev phone0")
    _ip(f"address add {new}/{PREFIX} dev phone0")
    _ip("route replace default dev phone0")


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True, timeout=10)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
