"""Two exchanges side by side: the first one's settings, root's part, and the second one as its unit starts it.

Requirements not tested here: systemd's part (users, sandbox) and the firewall, which want a box.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from appliance.control.client import Client, socket_in
from appliance.errors import ConfigError
from appliance.service.health import Health
from appliance.system.apply import Box
from appliance.system.apply_servers import apply_servers
from appliance.system.update.state import Before
from appliance.system.wanted import read_wanted
from tests.interop.exchange import CHECKOUT, Exchange, free_ports, running_exchange, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.interop
STOP_S = 15.0


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """As in the image."""
    (tmp_path / "first").mkdir()
    appliance = ("env", "BRANCHBOX_APPLIANCE=1", sys.executable, "-m", "tests.interop.watched")
    with running_exchange(tmp_path / "first", program=appliance) as exchange:
        yield exchange


def applied(first: Exchange, root: Path) -> dict[str, str]:
    """What root leaves for the unit of the second server."""
    wait_until(lambda: getattr(read_wanted(first.folder), "servers", ()), "the wish")
    wanted = read_wanted(first.folder)
    assert wanted is not None
    apply_servers(Box(root), wanted)
    lines = (root / "data/servers/second.conf").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_second_one_runs_beside_the_first(first: Exchange, tmp_path: Path) -> None:
    # Not where either of the two has its sound, which would rightly be refused.
    sip, tls, web = [port for port in free_ports("127.0.0.1", 40) if port not in range(30_000, 37_000)][:3]
    ports: dict[str, Any] = {"sip": sip, "tls": tls, "web": web, "rtp": "35000-36999"}
    shown = first.perform("servers", "add", None, {"name": "second", **ports})
    assert shown == {"name": "second", "enabled": True, **ports, "says": []}
    environment = applied(first, tmp_path)
    folder = tmp_path / "data/servers/second"
    health = Health(first.folder, first.sip, first.web, tmp_path / "data/servers")
    assert health.missing(Before()) == {"servers"}
    with (tmp_path / "second.log").open("wb") as log:
        second = subprocess.Popen(
            [sys.executable, "-m", "appliance", "run"],
            cwd=CHECKOUT,
            env={**os.environ, **environment, "BRANCHBOX_DATA": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: not health.missing(Before()), "both", 30.0)
        with Client(socket_in(folder)) as client:
            client.perform(
                "extensions", "add", None, {"number": "201", "name": "x", "password": "a-long-secret"}
            )
        assert first.perform("extensions", "list") == []
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(timeout=STOP_S) == 0
    assert health.missing(Before()) == {"servers"}


def test_one_that_names_no_ports_gets_free_ones(first: Exchange) -> None:
    made = first.perform("servers", "add", None, {"name": "second"})
    assert (made["sip"], made["tls"], made["web"], made["rtp"]) == (5070, 5071, 8443, "35000-36999")
    with pytest.raises(ConfigError, match="port_taken"):
        first.perform("servers", "set", "second", {"web": 443})


def test_where_nobody_would_start_it_it_is_refused(exchange: Exchange) -> None:
    with pytest.raises(ConfigError, match="servers_need_image"):
        exchange.perform("servers", "add", None, {"name": "second"})
    assert exchange.perform("servers", "list") == []
