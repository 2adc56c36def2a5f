"""tests/interop/network.py: the network is the test's own, and gone afterwards."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from tests.interop.network import ADDRESS, own_network, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

NAMESPACE = Path("/proc/thread-self/ns/net")


def interfaces() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


def test_the_network_is_left_again() -> None:
    before, namespace = interfaces(), NAMESPACE.readlink()
    with own_network() as address:
        assert address == ADDRESS
        assert interfaces() >= {"lo", "phone0", "phone1"}
        with socket.socket() as opened:
            opened.bind((address, 0))
        seen = subprocess.run(["ip", "-brief", "link"], check=True, capture_output=True, text=True).stdout
        assert "phone0" in seen
    assert interfaces() == before
    assert NAMESPACE.readlink() == namespace
