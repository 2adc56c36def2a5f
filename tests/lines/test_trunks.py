"""appliance/lines/trunks.py and peer.py: who is trusted, who is called, and how peers are watched."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import msgspec
import pytest

from appliance.clock import Clock
from appliance.config.trunk import Trunk
from appliance.lines.peer import ANSWER_WITHIN, LOOK_AGAIN, NO_WAY_AGAIN, Surroundings
from appliance.lines.trunks import AGAIN_AFTER, MAX_HOSTS, LiveTrunk, Trunks
from appliance.sip.endpoint import Endpoint
from appliance.sip.message import Uri
from appliance.sip.transport.failed_targets import FailedTargets
from appliance.sip.transport.flow import Address, Flow, TransportError
from appliance.sip.transport.locate import LocationError, Target
from tests.simulation.network import Network

HERE, FIRST, SECOND = ("10.0.0.1", 5060), ("10.0.0.2", 5060), ("10.0.0.3", 5060)
TRUNK = Trunk(name="hq", peers=("first", "second"), networks=("192.0.2.0/28", "2001:db8::/32"), keep_alive=30)


class Zone:
    """A locator that knows two names."""

    def __init__(self) -> None:
        self.known = {"first": [FIRST], "second": [SECOND], "both": [FIRST, SECOND]}
        self.failed = FailedTargets()
        self.fault = False

    async def locate(self, uri: Uri, transport: str | None = None) -> list[Target]:
        if self.fault and uri.host == "first":
            raise RuntimeError("a fault of ours")
        if uri.host not in self.known:
            raise LocationError("nobody knows")
        targets = [Target(transport or "udp", address, uri.host) for address in self.known[uri.host]]
        return self.failed.order(targets, anyio.current_time())


class World:
    """This exchange and two servers, on one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        chance = random.Random(5)
        self.network = Network(self.clock, chance)
        self.endpoint = Endpoint(self.clock, chance, self.network.host(HERE))
        self.hosts = {address: self.network.host(address) for address in (FIRST, SECOND)}
        self.servers = {address: Endpoint(self.clock, chance, host) for address, host in self.hosts.items()}
        self.zone = Zone()
        around = Surroundings(self.endpoint, self.zone, self.clock, chance)  # type: ignore[arg-type]  # as much as peers use
        self.around = around
        self.trunks = Trunks(around)

    def live(self, name: str = "hq") -> LiveTrunk:
        live = self.trunks.get(name)
        assert live is not None
        return live

    def states(self, name: str = "hq") -> list[str]:
        return [peer.state.status for peer in self.live(name).peers]


@contextmanager
def no_more(scope: anyio.CancelScope) -> Iterator[None]:
    try:
        yield
    finally:
        scope.cancel()


async def lived(world: World, story: Callable[[], object]) -> None:
    async with anyio.create_task_group() as tasks:
        with no_more(tasks.cancel_scope):
            tasks.start_soon(world.clock.run)
            tasks.start_soon(world.trunks.run)
            await story()  # type: ignore[misc]  # a coroutine function


async def test_peers_are_asked_and_called_while_they_answer() -> None:
    world = World()
    world.trunks.follow({"hq": TRUNK})
    assert world.states() == ["unknown", "unknown"]

    async def story() -> None:
        await anyio.sleep(5)
        assert world.states() == ["up", "up"]
        assert [flow.remote for _, flow in world.live().ways()] == [FIRST, SECOND]
        world.network.part(world.network.hosts[HERE], world.hosts[FIRST])
        await anyio.sleep(TRUNK.keep_alive * 1.1 + ANSWER_WITHIN + 1)
        assert world.states() == ["down", "up"]
        assert [flow.remote for _, flow in world.live().ways()] == [SECOND]
        assert world.live().peers[0].state.reason == "no answer"
        world.network.heal(world.network.hosts[HERE], world.hosts[FIRST])
        await anyio.sleep(TRUNK.keep_alive * 1.1 + 5)
        assert world.states() == ["up", "up"]

    await lived(world, story)


async def test_a_peer_that_names_no_port_has_the_trunks() -> None:
    world = World()
    world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, peers=("first", "second:5070"), port=5062)})
    assert [peer.domain for peer in world.live().peers] == ["first:5062", "second:5070"]


async def test_the_next_address_of_a_silent_peer_is_tried() -> None:
    world = World()
    world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, peers=("both",))})
    world.network.part(world.network.hosts[HERE], world.hosts[FIRST])

    async def story() -> None:
        await anyio.sleep(ANSWER_WITHIN + 1)
        assert world.states() == ["down"]
        await anyio.sleep(TRUNK.keep_alive * 1.1 + 2)
        assert world.states() == ["up"]
        assert [flow.remote for _, flow in world.live().ways()] == [SECOND]

    await lived(world, story)


async def test_a_name_that_nobody_knows_is_said() -> None:
    world = World()
    world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, peers=("nowhere",))})

    async def story() -> None:
        await anyio.sleep(1)
        assert world.live().peers[0].state.reason == "nobody knows"
        assert world.live().ways() == []
        world.zone.known["nowhere"] = [FIRST]
        await anyio.sleep(TRUNK.keep_alive * 1.1 + 2)
        assert world.states() == ["up"]

    await lived(world, story)


@pytest.mark.parametrize("keep_alive", [30, 0])
async def test_a_peer_without_a_way_to_it_says_why_and_is_tried_again_soon(
    keep_alive: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its certificate is not read yet, say."""
    world = World()
    host, asked = world.network.hosts[HERE], list[str]()

    def refuse(transport: str, remote: Address, name: str | None = None, certificate: str = "") -> Flow:
        asked.append(certificate)
        raise TransportError("not read yet")

    trunk = msgspec.structs.replace(TRUNK, peers=("first",), certificate="ours", keep_alive=keep_alive)
    world.trunks.follow({"hq": trunk})

    async def story() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(host, "flow_to", refuse)
            await anyio.sleep(1)
            assert world.live().ways() == []
            state = world.live().peers[0].state
            assert (state.status, state.reason) == ("down" if keep_alive else "unknown", "not read yet")
            assert set(asked) == {"ours"}
        await anyio.sleep(NO_WAY_AGAIN * 1.1)
        assert world.states() == ["up" if keep_alive else "unknown"]
        assert [flow.remote for _, flow in world.live().ways()] == [FIRST]

    await lived(world, story)


async def test_settings_that_stay_leave_a_trunk_alone() -> None:
    world = World()
    other = msgspec.structs.replace(TRUNK, name="branch")
    world.trunks.follow({"hq": TRUNK, "branch": other})
    before = world.live()

    async def story() -> None:
        await anyio.sleep(5)
        world.trunks.follow({"hq": TRUNK, "branch": msgspec.structs.replace(other, enabled=False)})
        assert world.live() is before
        assert world.trunks.get("branch") is None
        world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, keep_alive=0, peers=("second",))})
        assert world.states() == ["unknown"]
        await anyio.sleep(5)
        assert [flow.remote for _, flow in world.live().ways()] == [SECOND], "not asked, and so believed"

    await lived(world, story)


async def test_who_may_call_by_it() -> None:
    world = World()
    world.trunks.follow({"hq": TRUNK})

    async def story() -> None:
        await anyio.sleep(5)
        for host in ("10.0.0.2", "10.0.0.3", "192.0.2.15", "2001:db8::7", "2001:db8::7%eth0"):
            assert world.trunks.of_host(host) is world.live(), host
        assert world.live().has_peer_at(FIRST)
        assert not world.live().has_peer_at((FIRST[0], 5070))
        for host in ("10.0.0.4", "192.0.2.16", "2001:db9::7"):
            assert world.trunks.of_host(host) is None, host

    await lived(world, story)


async def test_a_peers_own_address_goes_before_another_trunks_network() -> None:
    world = World()
    wide = msgspec.structs.replace(TRUNK, name="wide", peers=("nowhere",), networks=("10.0.0.0/16",))
    world.trunks.follow({"wide": wide, "hq": TRUNK})

    async def story() -> None:
        await anyio.sleep(5)
        assert world.trunks.of_host("10.0.0.2") is world.live("hq")
        assert world.trunks.of_host("10.0.0.9") is world.live("wide")

    await lived(world, story)


async def test_whose_address_it_is_is_worked_out_once_and_anew_when_a_peer_moves() -> None:
    world = World()
    world.trunks.follow({"hq": TRUNK})

    async def story() -> None:
        await anyio.sleep(5)
        assert world.trunks.of_host("10.0.0.3") is world.live()
        assert world.trunks.of_host("10.0.0.9") is None
        world.zone.known["second"] = [("10.0.0.9", 5060)]
        await anyio.sleep(TRUNK.keep_alive * 1.1 + ANSWER_WITHIN + 1)
        assert world.trunks.of_host("10.0.0.9") is world.live()
        assert world.trunks.of_host("10.0.0.3") is None
        world.trunks.follow({})
        assert world.trunks.of_host("10.0.0.9") is None
        for at in range(MAX_HOSTS + 10):
            world.trunks.of_host(f"10.1.{at // 256}.{at % 256}")
        assert len(world.trunks._by_network) <= MAX_HOSTS, "strangers fill no memory"

    await lived(world, story)


async def test_a_peer_that_nobody_asks_is_believed_again_once_its_name_is_known() -> None:
    world = World()
    world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, keep_alive=0, peers=("nowhere",))})

    async def story() -> None:
        await anyio.sleep(1)
        assert world.states() == ["down"]
        world.zone.known["nowhere"] = [FIRST]
        await anyio.sleep(LOOK_AGAIN * 1.1 + 1)
        assert world.states() == ["unknown"]
        assert [flow.remote for _, flow in world.live().ways()] == [FIRST]

    await lived(world, story)


async def test_a_fault_in_watching_one_peer_is_no_fault_of_the_others() -> None:
    world = World()
    world.trunks.follow({"hq": TRUNK})
    world.zone.fault = True

    async def story() -> None:
        await anyio.sleep(5)
        assert world.states() == ["unknown", "up"]
        world.zone.fault = False
        await anyio.sleep(AGAIN_AFTER + 5)
        assert world.states() == ["up", "up"]

    await lived(world, story)


@pytest.mark.parametrize(
    ("share", "firsts"), [("in-order", [FIRST] * 3), ("in-turn", [FIRST, SECOND, FIRST])]
)
async def test_sharing(share: str, firsts: list[tuple[str, int]]) -> None:
    world = World()
    world.trunks.follow({"hq": msgspec.structs.replace(TRUNK, share=share)})

    async def story() -> None:
        await anyio.sleep(5)
        assert [world.live().ways()[0][1].remote for _ in firsts] == firsts

    await lived(world, story)
