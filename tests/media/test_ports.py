"""media/ports.py: pairs are even and odd, never given out twice, rested, and bound for real."""

from __future__ import annotations

import errno
import socket
from random import Random

import pytest

from appliance.errors import LocalError, PeerError
from appliance.media.ports import MAX_BINDS, REST_S, Ports, Reserved, open_datagram_socket
from tests.media.fakes import FakeSockets

HOST = "192.0.2.1"


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make(low: int = 30000, high: int = 30007) -> tuple[Ports, FakeSockets, Time]:
    sockets, time = FakeSockets(), Time()
    return Ports(low, high, Random(5), time, sockets), sockets, time


def exhaust(ports: Ports) -> list[Reserved]:
    reserved: list[Reserved] = []
    while True:
        try:
            reserved.append(ports.reserve(HOST))
        except PeerError as error:
            assert error.status == 503
            return reserved


def test_each_pair_of_the_range_is_given_out_once() -> None:
    ports, sockets, _ = make()
    given = [each.ports for each in exhaust(ports)]
    assert sorted(pair.rtp for pair in given) == [30000, 30002, 30004, 30006]
    assert all(pair.rtcp == pair.rtp + 1 for pair in given)
    assert len(sockets.open) == ports.in_use == 8


def test_an_odd_border_leaves_half_pairs_out() -> None:
    ports, _, _ = make(30001, 30006)
    assert sorted(each.ports.rtp for each in exhaust(ports)) == [30002, 30004]


def test_ports_that_others_hold_are_passed_over() -> None:
    ports, sockets, _ = make()
    sockets.held = {30000, 30003}
    assert sorted(each.ports.rtp for each in exhaust(ports)) == [30004, 30006]
    assert len(sockets.open) == 4


def test_a_released_pair_stays_empty_for_a_while() -> None:
    ports, sockets, time = make()
    first, *others = exhaust(ports)
    for each in others:
        ports.release(each)
    assert (ports.in_use, len(sockets.open)) == (2, 2)
    time.now = REST_S - 0.001
    ports.release(first)
    time.now = REST_S
    rested = {ports.reserve(HOST).ports.rtp for _ in others}
    assert rested == {each.ports.rtp for each in others}


def test_when_none_has_rested_the_one_that_rested_longest_is_given_out() -> None:
    ports, _, time = make()
    reserved = exhaust(ports)
    for each in reserved:
        time.now += 0.1
        ports.release(each)
    assert [each.ports.rtp for each in exhaust(ports)] == [each.ports.rtp for each in reserved]


def test_the_first_pair_is_no_fixed_one() -> None:
    firsts = {
        Ports(30000, 34999, Random(seed), Time(), FakeSockets()).reserve(HOST).ports.rtp for seed in range(20)
    }
    assert len(firsts) > 10


@pytest.mark.parametrize("error", [errno.EMFILE, errno.EADDRNOTAVAIL])
def test_a_fault_that_no_other_port_would_mend_is_answered_503(error: int) -> None:
    ports, sockets, _ = make()
    sockets.error = error
    with pytest.raises(PeerError) as caught:
        ports.reserve(HOST)
    assert caught.value.status == 503
    assert ports.in_use == 0
    sockets.error = None
    assert len(exhaust(ports)) == 4  # it has lost none


def test_a_range_full_of_others_is_not_tried_without_end() -> None:
    ports, _, _ = make(30000, 34999)
    tries: list[int] = []

    def refuse(host: str, port: int) -> object:
        tries.append(port)
        raise OSError(errno.EADDRINUSE, "in use")

    ports._open_socket = refuse  # type: ignore[assignment]  # it never returns
    assert exhaust(ports) == []
    assert len(tries) == MAX_BINDS


@pytest.mark.parametrize(("low", "high"), [(30001, 30001), (30000, 30000), (5, 4), (0, 10), (65000, 65536)])
def test_a_range_without_a_pair_is_refused(low: int, high: int) -> None:
    with pytest.raises(LocalError):
        make(low, high)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_real_socket_is_bound_and_never_blocks(host: str) -> None:
    opened = open_datagram_socket(host, 0)
    assert isinstance(opened, socket.socket)
    with opened:
        assert opened.getsockname()[0] == host
        assert opened.getblocking() is False
        with pytest.raises(OSError, match="in use"):
            open_datagram_socket(host, opened.getsockname()[1])
