"""Where a URI leads. RFC 3263 §4, RFC 2782, RFC 3403."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from appliance.sip.message import Uri
from appliance.sip.transport.locate import (
    MAX_TARGETS,
    Abilities,
    DnsFailure,
    LocationError,
    Naptr,
    Srv,
    Target,
    locate,
    order_naptr,
    order_srv,
)

ALL = Abilities(("udp", "tcp", "tls", "ws", "wss"), (4, 6))
SILENT = "silent"


class Zone:
    """Records in a dictionary; `SILENT` for what no server answers."""

    def __init__(self, records: dict[str, object]) -> None:
        self.records = records
        self.asked: list[str] = []

    def _ask(self, question: str) -> list[object]:
        self.asked.append(question)
        found = self.records.get(question, [])
        if found == SILENT:
            raise DnsFailure(question)
        assert isinstance(found, list)
        return found

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return [each for each in self._ask(f"NAPTR {name}") if isinstance(each, Naptr)]

    async def srv(self, name: str) -> Sequence[Srv]:
        return [each for each in self._ask(f"SRV {name}") if isinstance(each, Srv)]

    async def addresses(self, name: str, family: int) -> Sequence[str]:
        return [
            each for each in self._ask(f"{'A' if family == 4 else 'AAAA'} {name}") if isinstance(each, str)
        ]


# RFC 3263 §4.1's own example.
EXAMPLE: dict[str, object] = {
    "NAPTR example.com": [
        Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
    ],
    "SRV _sips._tcp.example.com": [Srv(0, 1, 5061, "server1.example.com")],
    "SRV _sip._tcp.example.com": [
        Srv(0, 1, 5060, "server1.example.com"),
        Srv(1, 2, 5070, "server2.example.com"),
    ],
    "SRV _sip._udp.example.com": [Srv(0, 1, 5060, "server1.example.com")],
    "A server1.example.com": ["192.0.2.1"],
    "A server2.example.com": ["192.0.2.2", "192.0.2.3"],
    "AAAA server1.example.com": ["2001:db8::1"],
    "A example.com": ["192.0.2.9"],
    "AAAA example.com": ["2001:db8::9"],
}
V4 = Abilities(("udp", "tcp", "tls"), (4,))


async def found(
    uri: str, zone: Zone | None = None, abilities: Abilities = V4, transport: str | None = None
) -> list[str]:
    targets = await locate(Uri.parse(uri), zone or Zone(EXAMPLE), abilities, random.Random(1), transport)
    assert all(target.domain for target in targets)
    return [f"{target.transport} {target.address[0]} {target.address[1]}" for target in targets]


async def test_a_domain_says_what_it_likes_best() -> None:
    assert await found("sip:101@example.com") == [
        "tls 192.0.2.1 5061", "tcp 192.0.2.1 5060", "tcp 192.0.2.2 5070", "tcp 192.0.2.3 5070", "udp 192.0.2.1 5060",
    ]  # fmt: skip


async def test_what_we_do_not_speak_is_left_out() -> None:
    assert await found("sip:example.com", abilities=Abilities(("udp",), (4,))) == ["udp 192.0.2.1 5060"]


async def test_sips_is_tls_alone() -> None:
    assert await found("sips:example.com") == ["tls 192.0.2.1 5061"]
    assert await found("sips:example.com;transport=tcp") == ["tls 192.0.2.1 5061"]
    assert await found("sips:example.com;transport=TLS") == ["tls 192.0.2.1 5061"]


async def test_both_families_as_we_like_them() -> None:
    both = Abilities(("udp",), (6, 4))
    assert await found("sip:example.com", abilities=both) == ["udp 2001:db8::1 5060", "udp 192.0.2.1 5060"]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.7", "udp 192.0.2.7 5060"),
        ("sip:192.0.2.7:5080", "udp 192.0.2.7 5080"),
        ("sip:192.0.2.7;transport=tcp", "tcp 192.0.2.7 5060"),
        ("sip:192.0.2.7;transport=tls", "tls 192.0.2.7 5061"),
        ("sips:192.0.2.7", "tls 192.0.2.7 5061"),
        ("sips:192.0.2.7:5443;transport=tcp", "tls 192.0.2.7 5443"),
        ("sip:[2001:db8::7]", "udp 2001:db8::7 5060"),
        ("sip:nowhere.example;maddr=192.0.2.8", "udp 192.0.2.8 5060"),
        ("sip:nowhere.example;maddr=[2001:db8::8]", "udp 2001:db8::8 5060"),
        ("sip:192.0.2.7;transport=ws", "ws 192.0.2.7 80"),
        ("sips:192.0.2.7;transport=ws", "wss 192.0.2.7 443"),
    ],
)
async def test_an_address_needs_no_questions(uri: str, expected: str) -> None:
    zone = Zone({})
    assert await found(uri, zone, ALL) == [expected]
    assert zone.asked == []


@pytest.mark.parametrize(
    ("uri", "expected", "asked"),
    [
        ("sip:example.com:5099", ["udp 192.0.2.9 5099"], ["A example.com"]),
        ("sips:example.com:5099", ["tls 192.0.2.9 5099"], ["A example.com"]),
        ("sip:example.com:5099;transport=tcp", ["tcp 192.0.2.9 5099"], ["A example.com"]),
        (
            "sip:EXAMPLE.com.;transport=udp".lower(),
            ["udp 192.0.2.1 5060"],
            ["SRV _sip._udp.example.com", "A server1.example.com"],
        ),
        ("sip:example.com;transport=ws", ["ws 192.0.2.9 80"], ["A example.com"]),
        ("sip:other.example;maddr=example.com;transport=ws", ["ws 192.0.2.9 80"], ["A example.com"]),
    ],
)
async def test_what_the_uri_says_is_not_asked_for(uri: str, expected: list[str], asked: list[str]) -> None:
    zone = Zone(EXAMPLE)
    assert await found(uri, zone, Abilities(ALL.transports, (4,))) == expected
    assert zone.asked == asked


async def test_what_we_are_told_goes_before_what_the_uri_says() -> None:
    assert await found("sip:example.com;transport=udp", transport="TCP") == [
        "tcp 192.0.2.1 5060", "tcp 192.0.2.2 5070", "tcp 192.0.2.3 5070",
    ]  # fmt: skip


async def test_without_naptr_each_transport_has_its_srv() -> None:
    records = {key: value for key, value in EXAMPLE.items() if not key.startswith("NAPTR")}
    expected = [
        "udp 192.0.2.1 5060", "tcp 192.0.2.1 5060", "tcp 192.0.2.2 5070", "tcp 192.0.2.3 5070", "tls 192.0.2.1 5061",
    ]  # fmt: skip
    assert await found("sip:example.com", Zone(records)) == expected
    assert await found("sip:example.com", Zone({**records, "NAPTR example.com": SILENT})) == expected
    assert await found("sips:example.com", Zone(records)) == expected[-1:]
    useless = [Naptr(1, 1, "u", "E2U+sip", ""), Naptr(1, 1, "s", "SIP+D2S", "_sip._sctp.example.com")]
    assert await found("sip:example.com", Zone({**records, "NAPTR example.com": useless})) == expected


async def test_without_srv_the_host_itself() -> None:
    zone = Zone({"A pbx": ["192.0.2.4"]})
    assert await found("sip:pbx", zone) == ["udp 192.0.2.4 5060"]
    assert await found("sips:pbx", zone) == ["tls 192.0.2.4 5061"]
    assert await found("sip:pbx;transport=tcp", zone) == ["tcp 192.0.2.4 5060"]
    silent = Zone({**zone.records, "SRV _sip._tcp.pbx": SILENT})
    assert await found("sip:pbx;transport=tcp", silent) == ["tcp 192.0.2.4 5060"]


async def test_a_service_that_is_decidedly_not_there() -> None:
    zone = Zone({"SRV _sip._tcp.pbx": [Srv(0, 0, 0, "")], "A pbx": ["192.0.2.4"]})
    with pytest.raises(LocationError):
        await found("sip:pbx;transport=tcp", zone)


@pytest.mark.parametrize("uri", ["sip:nowhere.example", "sip:nowhere.example:5060", "sips:nowhere.example"])
async def test_nothing_there(uri: str) -> None:
    with pytest.raises(LocationError) as error:
        await found(uri, Zone({}))
    assert not isinstance(error.value, DnsFailure)


async def test_a_number_alone_is_nowhere() -> None:
    zone = Zone({})
    with pytest.raises(LocationError):
        await found("tel:+49301234", zone)
    assert zone.asked == []


async def test_nobody_answers() -> None:
    with pytest.raises(DnsFailure):
        await found("sip:pbx:5060", Zone({"A pbx": SILENT}))


@pytest.mark.parametrize(
    ("uri", "transports"),
    [
        ("sip:192.0.2.1;transport=sctp", ("udp",)), ("sip:a;transport=tcp", ("udp",)), ("sips:a;transport=udp", ("udp", "tls")),
        ("sips:192.0.2.1", ("udp", "tcp")), ("sips:a", ("udp", "tcp")), ("sip:a", ()),
    ],
)  # fmt: skip
async def test_what_nothing_here_serves(uri: str, transports: tuple[str, ...]) -> None:
    with pytest.raises(LocationError):
        await found(uri, Zone({"A a": ["192.0.2.1"]}), Abilities(transports, (4,)))


async def test_so_many_and_no_more_each_once() -> None:
    hosts = [f"192.0.2.{number}" for number in range(20)]
    records = {
        "SRV _sip._udp.a": [Srv(0, 0, 5060, "h"), Srv(1, 0, 5060, "h2")],
        "A h": hosts[:3],
        "A h2": hosts,
    }
    zone = Zone(records)
    expected = [f"udp {host} 5060" for host in hosts[:MAX_TARGETS]]
    assert await found("sip:a;transport=udp", zone) == expected
    assert await found("sip:a;transport=udp", zone, Abilities(("udp",), (4, 6))) == expected


async def test_an_srv_record_that_names_an_address() -> None:
    zone = Zone({"SRV _sip._udp.a": [Srv(0, 0, 5062, "192.0.2.5"), Srv(1, 0, 5062, "2001:db8::5")]})
    assert await found("sip:a;transport=udp", zone) == ["udp 192.0.2.5 5062"]
    assert zone.asked == ["SRV _sip._udp.a"]


async def test_the_certificate_is_the_domains() -> None:
    (target,) = await locate(Uri.parse("sips:example.com"), Zone(EXAMPLE), V4, random.Random(1))
    assert target == Target("tls", ("192.0.2.1", 5061), "example.com")


def test_naptr_by_order_then_preference() -> None:
    records = [
        Naptr(2, 1, "S", "sip+d2u", "c"), Naptr(1, 2, "s", "SIP+D2T", "b"), Naptr(1, 1, "s", "SIPS+D2T", "a"),
        Naptr(0, 0, "a", "SIP+D2U", "x"), Naptr(0, 0, "s", "SIP+D2U", ""), Naptr(0, 0, "s", "E2U+sip", "y"),
    ]  # fmt: skip
    assert order_naptr(records) == [("tls", "a"), ("tcp", "b"), ("udp", "c")]


async def test_the_rank_says_what_the_domain_would_have_tried_first() -> None:
    """Transports by NAPTR, priorities within one; hosts of one priority, and the addresses of a host, are equals."""
    records = [Srv(1, 0, 5060, "server2.example.com"), Srv(0, 9, 5060, "a"), Srv(0, 1, 5060, "b")]
    more = {"A a": ["192.0.2.5"], "A b": ["192.0.2.6"], "SRV _sip._udp.example.com": records}
    targets = await locate(Uri.parse("sip:example.com"), Zone({**EXAMPLE, **more}), V4, random.Random(1))
    assert [target.rank for target in targets] == [0, 1, 2, 2, 3, 3, 4, 4]
    assert Target("udp", ("192.0.2.1", 5060), "a", 0) == Target("udp", ("192.0.2.1", 5060), "a", 7)


def test_srv_by_priority_then_by_lot() -> None:
    records = [Srv(2, 0, 1, "last"), Srv(1, 0, 1, "zero"), Srv(1, 10, 1, "ten"), Srv(1, 30, 1, "thirty")]
    chance = random.Random(1)
    orders = [[each.target for each in order_srv(records, chance)] for _ in range(4000)]
    assert all(sorted(order[:3]) == ["ten", "thirty", "zero"] and order[3] == "last" for order in orders)
    first = Counter(order[0] for order in orders)
    # Tickets of 41: one, ten, thirty.
    assert 50 < first["zero"] < 150
    assert 880 < first["ten"] < 1070
    assert first["thirty"] > 2800
    assert order_srv([], chance) == []
