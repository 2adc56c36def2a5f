"""Further servers: which ports each may have, and which one gets that names none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.config.server import AREA, MOST, Server, free_ports, servers_of, verify_all
from appliance.config.snapshot import Snapshot
from appliance.config.system import System
from appliance.errors import ConfigError

EMPTY = Snapshot(1, System(realm="office"), {}, areas={AREA.name: AREA})


def server(name: str = "second", **changed: Any) -> Server:
    fine = {"sip": 5070, "tls": 5071, "web": 8443, "rtp": "35000-36999"}
    return Server(name=name, **{**fine, **changed})


def refused(*servers: Server) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        verify_all(servers)
    return caught.value


@pytest.mark.parametrize("name", ["a", "second", "shop-2", "a" * 20])
def test_names_that_systemd_takes(name: str) -> None:
    verify_all([server(name)])


@pytest.mark.parametrize("name", ["", "2nd", "a" * 21, "a-", "A", "a/b", "..", "a.b", "a b", "a\n"])
def test_other_names_are_refused(name: str) -> None:
    error = refused(server(name))
    assert error.key == "error.bad_server_name"


@pytest.mark.parametrize(
    ("field", "value"),
    [("sip", 5060), ("tls", 5061), ("web", 443), ("web", 5353), ("rtp", "34000-35999"), ("sip", 34999)],
)
def test_what_the_first_server_or_the_box_has_is_taken(field: str, value: Any) -> None:
    error = refused(msgspec.structs.replace(server(), **{field: value}))
    assert error.path == f"servers.second.{field}"
    assert error.key == "error.port_taken"


def test_two_servers_share_no_port() -> None:
    other = server("third", tls=5081, web=8444, rtp="37000-38999")
    error = refused(server(), other)
    assert (error.path, error.params) == ("servers.third.sip", {"port": "5070", "name": "second"})
    verify_all([server(), msgspec.structs.replace(other, sip=5080)])


def test_one_server_has_each_port_once() -> None:
    assert refused(server(tls=5070)).path == "servers.second.tls"
    assert refused(server(web=35001)).path == "servers.second.rtp"


@pytest.mark.parametrize("rtp", ["", "35000", "35003-35000", "35000-35002", "900-2000", "60000-70000", "x-y"])
def test_sound_needs_a_range_with_room_for_a_call(rtp: str) -> None:
    assert refused(server(rtp=rtp)).key == "error.bad_port_range"


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_is_one(port: int) -> None:
    assert refused(server(sip=port)).key == "error.out_of_range"


def test_as_many_as_there_may_be_get_ports_of_their_own() -> None:
    now = EMPTY
    for number in range(MOST):
        now = now.with_item(AREA.name, Server(name=f"s{number}", **free_ports(now)))
    verify_all(servers_of(now))
    assert servers_of(now)[0] == server("s0")
