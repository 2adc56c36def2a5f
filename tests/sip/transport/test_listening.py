"""appliance/sip/transport/listening.py and sockets.py: what cannot be bound says so, with its address."""

from __future__ import annotations

import random
import socket
import ssl

import anyio
import pytest

from appliance.clock import Clock
from appliance.errors import LocalError
from appliance.sip.endpoint import Endpoint
from appliance.sip.transport.flow import Flow, TransportError
from appliance.sip.transport.listening import (
    CannotListenError,
    PortInUseError,
    bind_sockets,
    local_host_toward,
)
from appliance.sip.transport.sockets import SocketTransports
from appliance.sip.transport.tls_contexts import Contexts


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_second_start_on_the_port_is_refused_with_its_address(transport: str, host: str) -> None:
    (first,) = bind_sockets(transport, (host, 0))
    with first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUseError) as refusal:
            bind_sockets(transport, (host, port))
    assert refusal.value.address == (host, port)
    assert str(refusal.value) == (
        f"cannot listen on {host} port {port} ({transport.upper()}): Address already in use"
    )
    # And when the first is gone, the port is free.
    bind_sockets(transport, (host, port))[0].close()


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(CannotListenError, match=r"192\.0\.2\.1 port 5060 \(TCP\): Cannot assign") as refusal:
        bind_sockets("tcp", ("192.0.2.1", 5060))
    assert not isinstance(refusal.value, PortInUseError)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("hosts", [("0.0.0.0", "::"), ("::", "0.0.0.0")])
def test_all_our_addresses_are_those_of_ipv4_and_ipv6(transport: str, hosts: tuple[str, str]) -> None:
    first, second = bind_sockets(transport, (hosts[0], 0))
    with first, second:
        port = first.getsockname()[1]
        assert [sock.getsockname()[:2] for sock in (first, second)] == [(host, port) for host in hosts]
        for host in hosts:
            with pytest.raises(PortInUseError):
                bind_sockets(transport, (host, port))


def test_a_machine_without_ipv6_does_with_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def without_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, kind)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    (sock,) = bind_sockets("udp", ("0.0.0.0", 0))
    sock.close()
    with pytest.raises(CannotListenError, match="not supported"):
        bind_sockets("udp", ("::1", 0))


def test_a_port_taken_in_the_other_family_alone_is_refused() -> None:
    (taken,) = bind_sockets("udp", ("::1", 0))
    # Another program's, on one IPv6 address only: ours on `::` would never hear what comes there.
    with taken, pytest.raises(PortInUseError):
        bind_sockets("udp", ("0.0.0.0", taken.getsockname()[1]))


def test_our_address_toward_a_peer() -> None:
    assert local_host_toward(("127.0.0.1", 5060)) == "127.0.0.1"
    assert local_host_toward(("::1", 5060)) == "::1"
    with pytest.raises(TransportError, match="no way to"):
        local_host_toward(("0.0.0.256", 5060))


async def test_only_tls_takes_contexts() -> None:
    transports = SocketTransports(Clock())
    with pytest.raises(LocalError):
        transports.listen("tls", ("127.0.0.1", 0))
    with pytest.raises(LocalError):
        transports.listen("wss", ("127.0.0.1", 0))
    with pytest.raises(LocalError):
        transports.listen("udp", ("127.0.0.1", 0), Contexts(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))


async def test_the_right_socket_of_several_is_used() -> None:
    transports = SocketTransports(Clock())
    bound = [transports.listen("udp", (host, 0)) for host in ("127.0.0.1", "127.0.0.2", "::1")]
    assert transports.addresses == [("udp", address) for address in bound]
    for address in bound:
        peer = ("::1" if ":" in address[0] else "127.0.0.9", 5060)
        assert transports._udp_for(peer, address).address == address
    assert transports.flow_to("udp", ("::1", 5060)).local == bound[2]
    assert transports.flow_to("udp", ("127.0.0.9", 5060)).local == bound[0]
    transports.close()


async def test_nothing_serves_what_is_not_listened_on() -> None:
    transports = SocketTransports(Clock())
    for transport in ("udp", "tcp", "tls", "ws"):
        with pytest.raises(TransportError, match=f"nothing here serves {transport.upper()}"):
            transports.flow_to(transport, ("127.0.0.1", 5060))
    with pytest.raises(TransportError, match="gone"):
        transports.send(Flow("tcp", ("127.0.0.1", 1), ("127.0.0.1", 2), 77), b"x")


async def test_nothing_connects_before_it_runs_and_attaching_late_is_well() -> None:
    transports = SocketTransports(Clock())
    transports.listen("udp", ("127.0.0.1", 0))
    address = transports.listen("tcp", ("127.0.0.1", 0))
    endpoint = Endpoint(Clock(), random.Random(1), transports)
    assert transports._udp[0].receiver is endpoint
    with pytest.raises(TransportError, match="too many"):
        endpoint.flow_to("tcp", address)
    with anyio.move_on_after(0):
        await transports.run()
    assert transports.connections == 0
