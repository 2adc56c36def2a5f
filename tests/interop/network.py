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
    from collections.abc import Iterator

__all__ = ["ADDRESS", "own_network", "why_not"]

ADDRESS = "198.18.0.1"  # RFC 2544's range for tests of networks
CLONE_NEWNET = 0x4000_0000
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
    with Path("/proc/thread-self/ns/net").open("rb") as former:
        _check(_libc.unshare(CLONE_NEWNET))
        try:
            _ip("link set lo up")
            # A veth's other end is as good as a cable that is plugged in.
            _ip("link add phone0 type veth peer name phone1")
            _ip(f"address add {ADDRESS}/24 dev phone0")
            _ip("link set phone0 up")
            _ip("link set phone1 up")
            # Nobody is there. But there are phones that do not start without a way to everywhere.
            _ip("route add default dev phone0")
            yield ADDRESS
        finally:
            _check(_libc.setns(former.fileno(), CLONE_NEWNET))


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True, timeout=10)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
