"""All SIP trunks: whom to call by them, and who may call by them.

RFC 3261 §22 has no part in it: the peers are trusted by their addresses. An extension's phone at such an address may
call all the same, see `Exchange`.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

import anyio

from appliance.config.outside import with_port
from appliance.lines.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.config.trunk import Trunk
    from appliance.lines.peer import Surroundings
    from appliance.sip.transport.flow import Address, Flow

__all__ = ["LiveTrunk", "Trunks"]

logger = logging.getLogger(__name__)

MAX_HOSTS = 1_024
"Addresses remembered with the trunk whose network has them, or none: an office's phones and servers, but not all the world."
AGAIN_AFTER = 60.0
"Seconds until a peer is watched again whose watching failed by a fault of ours."


class LiveTrunk:
    """One trunk and its peers."""

    def __init__(self, around: Surroundings, trunk: Trunk, moved: Callable[[], None]) -> None:
        """`moved` is told whenever a peer has other addresses."""
        self.trunk = trunk
        self.peers = tuple(Peer(around, trunk, with_port(text, trunk.port), moved) for text in trunk.peers)
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, trunk.networks))
        self._turn = 0

    def ways(self) -> list[tuple[Peer, Flow]]:
        """The peers that can be called, in the order in which to try them."""
        peers = list(self.peers)
        if self.trunk.share == "in-turn":
            at = self._turn % len(peers)
            peers = peers[at:] + peers[:at]
            self._turn += 1
        return [(peer, flow) for peer in peers if (flow := peer.flow()) is not None]

    def has_in_networks(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether calls may come from that address, though no peer is known to have it."""
        return any(address in network for network in self._networks if network.version == address.version)

    def has_peer_at(self, address: Address) -> bool:
        """Whether a peer is called at that very address and port."""
        return any(address in peer.addresses for peer in self.peers)


class Trunks:
    """The trunks as they are set. `run` is a task of its own."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._live: dict[str, LiveTrunk] = {}
        self._by_peer: dict[str, LiveTrunk] | None = None  # by address; None: to be made anew
        self._by_network: dict[str, LiveTrunk | None] = {}
        self._news = anyio.Event()

    def follow(self, trunks: Mapping[str, Trunk]) -> None:
        """Take over the settings: what has not changed goes on undisturbed."""
        live: dict[str, LiveTrunk] = {}
        for name, trunk in trunks.items():
            known = self._live.get(name)
            if trunk.enabled:
                live[name] = (
                    known
                    if known is not None and known.trunk == trunk
                    else LiveTrunk(self._around, trunk, self._moved)
                )
        self._live = live
        self._moved()
        self._news.set()

    def get(self, name: str) -> LiveTrunk | None:
        """The trunk of that name; None when there is none, or it is off."""
        return self._live.get(name)

    def all(self) -> list[LiveTrunk]:
        """Those that are on."""
        return list(self._live.values())

    def of_host(self, host: str) -> LiveTrunk | None:
        """The trunk that calls from this address come by: that of a peer, or else one that trusts its network.

        The first one, when there are several.
        """
        if self._by_peer is None:
            self._by_peer = {}
            for live in self._live.values():
                for each in (host for peer in live.peers for host in peer.hosts):
                    self._by_peer.setdefault(each, live)
        return self._by_peer.get(host) or self._of_network(host)

    def _of_network(self, host: str) -> LiveTrunk | None:
        if host not in self._by_network:
            if len(self._by_network) >= MAX_HOSTS:
                self._by_network.clear()
            address = ip_address(host.partition("%")[0])
            self._by_network[host] = next(
                (live for live in self._live.values() if live.has_in_networks(address)), None
            )
        return self._by_network[host]

    def _moved(self) -> None:
        """Peers are elsewhere: who comes from which address is worked out anew."""
        self._by_peer = None
        self._by_network.clear()

    async def run(self) -> None:
        """Watch all peers for ever."""
        watched: dict[Peer, anyio.CancelScope] = {}
        async with anyio.create_task_group() as tasks:
            while True:
                self._news = anyio.Event()
                wanted = {peer for live in self._live.values() for peer in live.peers}
                for peer in watched.keys() - wanted:
                    watched.pop(peer).cancel()
                for peer in wanted - watched.keys():
                    watched[peer] = anyio.CancelScope()
                    tasks.start_soon(_watch, peer, watched[peer], name=f"trunk peer {peer.text}")
                await self._news.wait()


async def _watch(peer: Peer, scope: anyio.CancelScope) -> None:
    with scope:
        while True:
            try:
                await peer.watch()
            except Exception:
                # One peer must not take the exchange with it.
                logger.exception("watching %s failed", peer.text)
                await anyio.sleep(AGAIN_AFTER)
