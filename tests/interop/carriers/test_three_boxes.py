"""Two offices whose exchanges know each other only through a central one, by trunks.

RFC 3261 §16.3 (Max-Forwards), RFC 7332 (loops through back-to-back user agents), RFC 3264 §8.4 (hold).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.interop.carriers.test_two_boxes import address
from tests.interop.exchange import running_exchange, wait_until
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop


@dataclass(frozen=True)
class Company:
    """Whoever is in `north` dials 71 before a number of `south`, and 70 the other way round."""

    north: Stage
    centre: Stage
    south: Stage

    def stages(self) -> tuple[Stage, Stage, Stage]:
        return self.north, self.centre, self.south

    def set(self, stage: Stage, area: str, name: str, **values: str) -> None:
        stage.exchange.perform(area, "add", None, {"name": name, **values})

    def link(self, stage: Stage, name: str, other: Stage, **settings: str) -> None:
        """A trunk from one exchange to another."""
        self.set(stage, "trunks", name, peers=address(other.exchange), **settings)

    def limit(self, stage: Stage, name: str, calls: int) -> None:
        stage.exchange.perform("trunks", "set", name, {"max_calls": calls})
        wait_until(lambda: self.trunk(stage, name)["state"] == "up", f"the trunk {name}")

    def trunk(self, stage: Stage, name: str) -> dict[str, object]:
        shown: dict[str, object] = stage.exchange.perform("trunks", "show", name)
        return shown

    def causes(self, count: int) -> list[list[str]]:
        """What the records say of the newest calls in the north, the centre and the south, oldest first."""
        found = []
        for stage in self.stages():
            stage.exchange.wait_idle()
            records = stage.exchange.wait_records(count) if count else []
            found.append([record["cause"] for record in records[:count][::-1]])
        return found

    def nothing_is_left(self) -> None:
        for stage in self.stages():
            stage.exchange.wait_idle()
            assert {each["calls"] for each in stage.exchange.perform("trunks", "list")} == {0}

    def loops(self) -> None:
        """66… goes from the north to the centre to the south, and all the way back."""
        self.set(self.north, "routes", "away", pattern="66X.", to="trunk:centre")
        for stage, name in ((self.north, "north"), (self.south, "south")):
            self.set(
                stage, "routes", f"back-{name}", pattern="66X.", to="trunk:centre", callers="trunk:centre"
            )
        for came, goes in (("north", "south"), ("south", "north")):
            self.set(
                self.centre,
                "routes",
                f"on-{goes}",
                pattern="66X.",
                to=f"trunk:{goes}",
                callers=f"trunk:{came}",
            )


@pytest.fixture
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with ExitStack() as stack:
        stages = []
        for number, name in enumerate(("north", "centre", "south"), 1):
            folder, host = tmp_path_factory.mktemp(name), f"127.26.0.{number}"
            exchange = stack.enter_context(running_exchange(folder, host))
            stages.append(stack.enter_context(Stage(exchange)))
        company = Company(*stages)
        offices = (("north", company.north), ("south", company.south))
        for name, office in offices:
            company.link(office, "centre", company.centre)
            company.set(office, "routes", "other", pattern="7X.", strip="1", to="trunk:centre")
            company.link(company.centre, name, office)
        for digit, name, other in ((0, "north", "south"), (1, "south", "north")):
            route = {
                "pattern": f"{digit}X.",
                "strip": "1",
                "to": f"trunk:{name}",
                "callers": f"trunk:{other}",
            }
            company.set(company.centre, "routes", f"to-{name}", **route)
        for stage in company.stages():
            for each in stage.exchange.perform("trunks", "list"):
                company.limit(stage, each["name"], 0)
        yield company
        for stage in company.stages():
            assert "Traceback" not in stage.exchange.log


def meet(company: Company, alice: ScriptedPhone, bob: ScriptedPhone) -> tuple[bytes, bytes]:
    """North calls south; what each phone was told of the other's sound."""
    company.north.call(alice, f"71{bob.number}", alice.offer())
    company.south << bob.gets("INVITE", f"<sip:{alice.number}@") >> bob.says(180)
    to_bob = bob.body
    company.north << alice.gets(180)
    company.south >> bob.says(200, bob.offer()) << bob.gets("ACK")
    company.north << alice.gets(200)
    to_alice = alice.response().body
    company.north >> alice.ack()
    return to_alice, to_bob


def hear(alice: ScriptedPhone, to_alice: bytes, bob: ScriptedPhone, to_bob: bytes) -> None:
    """Sound passes through three exchanges, both ways."""
    alice.sound.say(to_alice, b"from the north")
    bob.sound.hears_at_last(b"from the north")
    bob.sound.say(to_bob, b"from the south")
    alice.sound.hears_at_last(b"from the south")


def again(
    stage: Stage, phone: ScriptedPhone, direction: str, there: Stage, other: ScriptedPhone, version: int
) -> None:
    """A phone changes the direction of its sound, and the other one agrees."""
    answer = {"sendonly": "recvonly", "sendrecv": "sendrecv"}[direction]
    stage >> phone.again(phone.offer(f"a={direction}", version=version)) << phone.gets(100)
    there << other.gets("INVITE", f"a={direction}")
    there >> other.says(200, other.offer(f"a={answer}", version=version)) << other.gets("ACK")
    stage << phone.gets(200, f"a={answer}") >> phone.ack()


def test_a_call_through_the_centre(company: Company) -> None:
    """Sound, hold by either side, and the end by whoever was called."""
    north, south = company.north, company.south
    alice, bob = north.phone(), south.phone()
    to_alice, to_bob = meet(company, alice, bob)
    hear(alice, to_alice, bob, to_bob)
    assert [company.trunk(company.centre, name)["calls"] for name in ("north", "south")] == [1, 1]
    again(north, alice, "sendonly", south, bob, 2)
    again(north, alice, "sendrecv", south, bob, 3)
    again(south, bob, "sendonly", north, alice, 4)
    again(south, bob, "sendrecv", north, alice, 5)
    hear(alice, to_alice, bob, to_bob)
    south >> bob.bye() << bob.gets(200)
    north << alice.gets("BYE") >> alice.ok()
    assert company.causes(1) == [["normal"]] * 3
    (record,) = company.centre.exchange.wait_records(1)
    assert (record["way_in"], record["way_out"]) == ("trunk:north", "trunk:south")
    assert (record["from_number"], record["to_number"]) == (alice.number, f"1{bob.number}")
    company.nothing_is_left()


def test_what_the_other_office_says_arrives(company: Company) -> None:
    """Busy, and a caller who gives up."""
    north, south = company.north, company.south
    alice, bob = north.phone(), south.phone()
    north.call(alice, f"71{bob.number}", alice.offer())
    south << bob.gets("INVITE") >> bob.says(486) << bob.gets("ACK")
    north << alice.gets(486) >> alice.ack_refusal()
    assert company.causes(1) == [["busy"]] * 3
    north.call(alice, f"71{bob.number}", alice.offer())
    south << bob.gets("INVITE") >> bob.says(180)
    north << alice.gets(180) >> alice.cancel() << alice.gets(200) << alice.gets(487) >> alice.ack_refusal()
    south << bob.gets("CANCEL") >> bob.ok() >> bob.says(487) << bob.gets("ACK")
    assert company.causes(2) == [["busy", "cancelled"]] * 3
    company.nothing_is_left()


def test_the_centre_has_no_room(company: Company) -> None:
    """Each exchange says in its own words why; when the call that took the room is over, the next one gets through."""
    north, south = company.north, company.south
    company.limit(company.centre, "south", 1)
    alice, bob, carol = north.phone(), south.phone(), north.phone()
    to_alice, to_bob = meet(company, alice, bob)
    north.call(carol, f"71{bob.number}", carol.offer(), until=100) << carol.gets(480) >> carol.ack_refusal()
    assert carol.number in {record["from_number"] for record in company.centre.exchange.wait_records(1)}
    assert company.centre.exchange.wait_records(1)[0]["cause"] == "line_full"
    assert north.records(carol.number)[0]["cause"] == "overload"
    assert company.trunk(company.centre, "north")["refused"] == ["line_full 1"]
    hear(alice, to_alice, bob, to_bob)
    north >> alice.bye() << alice.gets(200)
    south << bob.gets("BYE") >> bob.ok()
    company.nothing_is_left()
    meet(company, carol, bob)
    north >> carol.bye() << carol.gets(200)
    south << bob.gets("BYE") >> bob.ok()
    company.nothing_is_left()


def test_a_loop_through_three_exchanges(company: Company) -> None:
    """Whoever gets it a second time the same way ends it, and every exchange's records say that it was a loop."""
    company.loops()
    alice = company.north.phone()
    company.north.call(alice, "6650", alice.offer()) << alice.gets(482) >> alice.ack_refusal()
    company.nothing_is_left()
    for stage, times in zip(company.stages(), (2, 3, 1), strict=True):
        records = stage.exchange.wait_records(times)
        assert [record["cause"] for record in records] == ["loop"] * times
    bob = company.south.phone()
    to_alice, to_bob = meet(company, alice, bob)
    hear(alice, to_alice, bob, to_bob)
    company.north >> alice.bye() << alice.gets(200)
    company.south << bob.gets("BYE") >> bob.ok()


def test_a_limit_ends_a_loop_sooner(company: Company) -> None:
    """Calls in count as calls out do: when it comes back, the centre's trunk to the south is full."""
    company.loops()
    company.limit(company.centre, "south", 1)
    alice = company.north.phone()
    company.north.call(alice, "6650", alice.offer()) << alice.gets(480) >> alice.ack_refusal()
    company.nothing_is_left()
    causes = [record["cause"] for record in company.centre.exchange.wait_records(2)]
    assert (causes.count("line_full"), len(causes)) == (1, 2)
