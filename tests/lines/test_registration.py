"""appliance/lines/registration.py: a line that never gives up.

RFC 3261 §10.2; RFC 5626 §4.5; RFC 3263 §4.3; RFC 3608. Time is turned by hand.
"""

from __future__ import annotations

import pytest

from appliance.errors import LocalError
from appliance.sip.located import Way
from appliance.sip.transport.flow import Flow
from appliance.sip.transport.locate import Srv
from tests.lines.carrier import Zone, account, carrier, challenge, proven


async def test_a_whole_life() -> None:
    async with carrier() as it:
        register = await it.start()
        assert (it.status, register.method, register.uri) == (
            "registering",
            "REGISTER",
            "sip:carrier.example",
        )
        assert str(register.to) == "<sip:101@carrier.example>"
        assert (register.expires, register.headers.get("Supported")) == (3600, "path")
        await it.accept(
            register,
            600,
            ("Service-Route", "<sip:a;lr>, <sip:b;lr>"),
            ("P-Associated-URI", "<sip:+1101@carrier.example>, <tel:+1101>"),
            ("Path", "<sip:edge;lr>"),
        )
        line = it.line
        assert it.status == "registered"
        assert line.flow == Flow("udp", ("192.0.2.1", 5060), ("198.51.100.1", 5060))
        assert line.service_route == ("<sip:a;lr>", "<sip:b;lr>")
        assert line.associated == ("sip:+1101@carrier.example", "tel:+1101")
        assert (line.path, line.contact) == (("<sip:edge;lr>",), "<sip:101@192.0.2.1:5060>")
        since = line.state.since
        assert line.state.expires_at == it.timers.time + 600
        assert 300 <= await it.next_try() <= 540
        refresh = await it.request()
        assert (refresh.call_id, refresh.cseq.number) == (register.call_id, 2)
        assert refresh.from_.tag == register.from_.tag
        await it.accept(refresh)
        # RFC 3608 §6.1: without a Service-Route there is none any more.
        assert not line.service_route
        assert line.state.since == since
        gone: list[float] = []
        line.stop(lambda: gone.append(it.timers.time))
        last = await it.request()
        assert (last.expires, last.headers.get("Contact"), last.cseq.number) == (
            0,
            refresh.headers.get("Contact"),
            3,
        )
        assert gone == []
        await it.say(last, 200)
        assert gone == [it.timers.time]
        assert it.status == "unregistered"
        assert line.flow is None
        with pytest.raises(LocalError):
            line.start()
        line.network_changed()
        assert await it.nothing()


async def test_a_carrier_that_is_silent_at_the_end_is_not_waited_for() -> None:
    async with carrier() as it:
        await it.accept(await it.start())
        gone: list[float] = []
        it.line.stop(lambda: gone.append(1))
        it.line.stop(lambda: gone.append(2))
        await it.wait(3.9)
        assert gone == []
        await it.wait(0.1)
        assert gone == [1, 2]


async def test_the_end_is_proven_when_the_carrier_asks() -> None:
    async with carrier() as it:
        await it.accept(await it.start())
        it.line.stop()
        last = await it.request()
        await it.say(last, 401, challenge())
        again = await it.request()
        proven(again)
        assert (again.expires, again.headers.get("Contact")) == (0, last.headers.get("Contact"))


async def test_what_may_be_registered_already_is_taken_back() -> None:
    async with carrier() as it:
        register = await it.start()
        it.line.stop()
        last = await it.request()
        assert (last.expires, last.headers.get("Contact")) == (0, register.headers.get("Contact"))
        await it.accept(register)  # too late: nobody waits for it
        assert it.status == "registering"


async def test_the_contacts_own_expiry_goes_before_the_header() -> None:
    async with carrier() as it:
        register = await it.start()
        other = "<sip:101@203.0.113.9>;expires=7200"
        ours = f"{register.headers.get('Contact')};expires=60"
        await it.say(register, 200, ("Contact", other), ("Contact", ours), ("Expires", "3600"))
        assert it.line.state.expires_at == it.timers.time + 60
        assert await it.next_try() == 30, "a silent server must not cost us a short registration"


@pytest.mark.parametrize(("headers", "expiry"), [((("Expires", "120"),), 120), ((), 3600)])
async def test_without_an_own_expiry(headers: tuple[tuple[str, str], ...], expiry: int) -> None:
    async with carrier() as it:
        register = await it.start()
        await it.say(register, 200, ("Contact", register.headers.get("Contact") or ""), *headers)
        assert it.line.state.expires_at == it.timers.time + expiry


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ((), "not_listed"),
        ((("Contact", "<sip:102@192.0.2.1:5060>"),), "not_listed"),
        ((("Contact", "<sip:101@192.0.2.1:5060>;expires=0"),), "no_time"),
        ((("Contact", "<sip:"),), "malformed"),
    ],
)
async def test_a_200_that_registers_nothing(headers: tuple[tuple[str, str], ...], cause: str) -> None:
    async with carrier() as it:
        await it.say(await it.start(), 200, *headers)
        assert (it.status, it.cause, it.line.state.code, it.line.flow) == ("unreachable", cause, 200, None)
        await it.next_try()
        await it.accept(await it.request())
        assert (it.status, it.cause) == ("registered", "")


@pytest.mark.parametrize(
    ("proxy", "service_route", "routes"),
    [
        ("", "", ()),
        ("", "<sip:a;lr>, <sip:b;lr>", ("<sip:a;lr>", "<sip:b;lr>")),
        ("198.51.100.9", "", ("<sip:198.51.100.9;lr>",)),
        ("198.51.100.9", "<sip:a;lr>", ("<sip:198.51.100.9;lr>", "<sip:a;lr>")),
        ("198.51.100.9", "<sip:orig@198.51.100.9:5060;lr>", ("<sip:orig@198.51.100.9:5060;lr>",)),
    ],
)
async def test_the_way_of_calls(proxy: str, service_route: str, routes: tuple[str, ...]) -> None:
    async with carrier(account(proxy=proxy, transport="udp")) as it:
        headers = [("Service-Route", service_route)] if service_route else []
        await it.accept(await it.start(), 600, *headers)
        assert it.line.routes() == routes
        assert it.line.way() == Way("udp", it.line.account.next_hop(), it.line.flow)


# Where the carrier is.


async def test_every_server_is_tried_and_then_again_for_ever() -> None:
    async with carrier() as it:
        await it.start()
        assert it.flow.remote[0] == "198.51.100.1"
        tried = []
        for _ in range(2):
            await it.wait(32)
            it.take()
            tried.append(it.flow.remote[0])
        assert tried == ["198.51.100.2", "198.51.100.3"]
        await it.wait(32)
        assert (it.status, it.cause) == ("unreachable", "silence")
        since = it.line.state.since
        pauses = []
        for _ in range(9):
            pauses.append(await it.next_try())
            await it.wait(96)
        assert 30 <= pauses[0] <= 60 <= pauses[1] <= 120 <= pauses[2] <= 240 <= pauses[3] <= 480
        assert all(300 <= pause <= 600 for pause in pauses[4:])
        assert len(set(pauses)) == len(pauses)
        assert it.line.state.since == since
        it.take()
        await it.next_try()
        await it.accept(await it.request())
        assert it.status == "registered"


async def test_a_refused_connection_leads_to_the_next_server() -> None:
    zone = Zone()
    zone.srvs["_sip._tcp.carrier.example"] = [
        Srv(0, 0, 9, "s1.carrier.example"),
        *zone.srvs["_sip._udp.carrier.example"][1:],
    ]
    async with carrier(account(transport="tcp"), zone) as it:
        register = await it.start()
        assert (it.flow.transport, it.flow.remote) == ("tcp", ("198.51.100.2", 5060))
        await it.accept(register)
        assert it.line.contact == "<sip:101@192.0.2.1:5060;transport=tcp>"


async def test_dns_that_is_gone_and_comes_back() -> None:
    async with carrier() as it:
        it.zone.gone = True
        it.line.start()
        await it.settle()
        assert (it.status, it.cause, it.take()) == ("unreachable", "location", [])
        it.zone.gone = False
        await it.next_try()
        await it.accept(await it.request())
        # Once registered we need nobody to tell us where the carrier is.
        it.zone.gone = True
        await it.next_try()
        await it.accept(await it.request())
        assert it.status == "registered"


async def test_a_carrier_that_moves_is_followed_at_the_next_refresh() -> None:
    async with carrier() as it:
        await it.accept(await it.start())
        asked = it.zone.asked
        it.zone.hosts = {name: ["198.51.100.77"] for name in it.zone.hosts}
        await it.next_try()
        await it.accept(await it.request())
        assert it.zone.asked > asked
        assert it.line.flow is not None
        assert it.line.flow.remote == ("198.51.100.77", 5060)


async def test_a_server_that_knows_us_is_kept_to() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 503, ("Retry-After", "10"))
        assert it.flow.remote[0] != "198.51.100.2"
        await it.accept(await it.request())
        await it.next_try()
        await it.request()
        assert it.flow.remote[0] == "198.51.100.2", "the first is well again, but need not know us"


async def test_a_refresh_that_fails_goes_elsewhere_at_once() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), 3600)
        await it.next_try()
        it.take()
        it.wire.endpoint.flow_failed(Flow("udp", ("192.0.2.1", 5060), ("198.51.100.1", 5060)))
        await it.accept(await it.request(), 3600)
        assert it.line.flow is not None
        assert (it.status, it.line.flow.remote[0]) == ("registered", "198.51.100.2")


async def test_it_expires_while_all_servers_are_silent() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), 60)
        await it.next_try()
        await it.wait(29)
        assert it.status == "registered"
        await it.wait(1)
        assert (it.status, it.cause, it.line.flow, it.line.contact) == ("unreachable", "silence", None, "")


async def test_it_expires_between_two_tries() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), 60)
        await it.next_try()
        await it.say(await it.request(), 500, ("Retry-After", "300"))
        assert it.known
        await it.wait(30)
        assert it.status == "unreachable"
        assert not it.known


@pytest.mark.parametrize("status", [408, 480, 500, 503, 504])
async def test_a_server_that_says_when_to_come_back(status: int) -> None:
    zone = Zone()
    zone.srvs = {}
    zone.hosts = {"carrier.example": ["198.51.100.1"]}
    async with carrier(zone=zone) as it:
        await it.say(await it.start(), status, ("Retry-After", "700 (upgrade);duration=30"))
        state = it.line.state
        assert (state.status, state.cause, state.code) == ("unreachable", "server", status)
        assert 700 <= await it.next_try() <= 770


async def test_a_server_cannot_make_us_ask_without_end() -> None:
    async with carrier() as it:
        register = await it.start()
        for seconds, low, high in (("0", 30, 60), ("1", 5, 5.5), ("99999999", 3600, 3960)):
            await it.say(register, 500, ("Retry-After", seconds))
            assert low <= await it.next_try() <= high
            register = await it.request()


# What the carrier says.


async def test_a_refusal_is_told_and_waited_out() -> None:
    async with carrier() as it:
        register = await it.start()
        pauses = []
        for _ in range(5):
            await it.say(register, 403, ("Warning", '399 carrier "Account\tsuspended"'))
            state = it.line.state
            assert (state.status, state.cause, state.code) == ("refused", "forbidden", 403)
            assert state.reason == 'Forbidden; 399 carrier "Accountsuspended"'
            pauses.append(await it.next_try())
            register = await it.request()
        assert 540 <= pauses[0] <= 600
        assert 1080 <= pauses[1] <= 1200
        assert all(3240 <= pause <= 3600 for pause in pauses[3:])
        await it.accept(register)
        assert it.status == "registered"


async def test_a_refused_refresh_takes_the_line_away() -> None:
    async with carrier() as it:
        await it.accept(await it.start())
        await it.next_try()
        await it.say(await it.request(), 404)
        assert (it.status, it.cause, it.line.flow, it.line.state.expires_at) == (
            "refused",
            "refused",
            None,
            None,
        )


async def test_credentials_go_to_nobody_else() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 302, ("Contact", "<sip:evil.example>"))
        assert (it.status, it.cause) == ("refused", "redirected")
        assert await it.nothing()


async def test_too_brief() -> None:
    async with carrier(account(expiry=60)) as it:
        register = await it.start()
        await it.say(register, 423, ("Min-Expires", "1800"))
        longer = await it.request()
        assert (longer.expires, longer.call_id, longer.cseq.number) == (1800, register.call_id, 2)
        assert longer.headers.get("Contact") == register.headers.get("Contact")
        await it.accept(longer, 1800)
        await it.next_try()
        assert (await it.request()).expires == 1800, "what it wants is known"


@pytest.mark.parametrize("least", ["60", "30", "x", "99999999", ""])
async def test_too_brief_without_a_sensible_wish(least: str) -> None:
    async with carrier(account(expiry=60)) as it:
        await it.say(await it.start(), 423, ("Min-Expires", least))
        assert (it.status, it.cause) == ("refused", "too_brief")


async def test_too_brief_for_ever() -> None:
    async with carrier(account(expiry=60)) as it:
        register = await it.start()
        for least in (61, 62, 63):
            await it.say(register, 423, ("Min-Expires", str(least)))
            register = await it.request()
        await it.say(register, 423, ("Min-Expires", "64"))
        assert (it.status, it.cause) == ("refused", "too_brief")


# Who we are.


async def test_a_challenge_is_answered_where_it_came_from() -> None:
    async with carrier() as it:
        register = await it.start()
        way = it.flow
        asked = it.zone.asked
        await it.say(register, 401, challenge())
        again = await it.request()
        proof = proven(again)
        assert (proof.nonce, proof.nc, proof.uri) == ("n1", "00000001", "sip:carrier.example")
        assert (again.call_id, again.cseq.number, len(again.vias)) == (register.call_id, 2, 1)
        assert (it.flow, it.zone.asked) == (way, asked)
        await it.accept(again)
        # RFC 7616 §3.4: the nonce serves again, with the next count.
        await it.next_try()
        refresh = await it.request()
        assert (proven(refresh).nonce, proven(refresh).nc) == ("n1", "00000002")
        # It has become too old meanwhile.
        await it.say(refresh, 401, challenge("n2", stale="true"))
        again = await it.request()
        assert (proven(again).nonce, proven(again).nc) == ("n2", "00000001")
        await it.accept(again)


async def test_a_nonce_that_is_used_up_without_a_word_is_no_wrong_password() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 401, challenge())
        await it.accept(await it.request())
        await it.next_try()
        await it.say(await it.request(), 401, challenge("n2"))
        await it.accept(await it.request())
        assert it.status == "registered"


async def test_a_wrong_password_is_said_once() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 401, challenge())
        await it.say(await it.request(), 401, challenge("n2"))
        state = it.line.state
        assert (state.status, state.cause, state.code, state.reason) == (
            "refused", "wrong_password", 401, "carrier.example",
        )  # fmt: skip
        assert await it.next_try() >= 540
        # Nothing of it is kept: the next try begins without a proof.
        assert (await it.request()).headers.get("Authorization") is None


async def test_a_carrier_that_challenges_for_ever() -> None:
    async with carrier() as it:
        request = await it.start()
        for number in range(3):
            await it.say(request, 401, challenge(f"n{number}", stale="true"))
            request = await it.request()
        await it.say(request, 401, challenge("n9", stale="true"))
        assert (it.status, it.cause) == ("refused", "too_many_tries")
        assert await it.nothing()


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        (challenge(realm='"other"'), "wrong_realm"),
        (challenge(algorithm="AKAv1-MD5"), "no_algorithm"),
        (("WWW-Authenticate", "Basic realm=x"), "no_challenge"),
        (("X", "y"), "no_challenge"),
    ],
)
async def test_challenges_that_are_not_answered(header: tuple[str, str], cause: str) -> None:
    async with carrier(account(realm="carrier.example")) as it:
        await it.say(await it.start(), 401, header)
        assert (it.status, it.cause) == ("refused", cause)
        assert await it.nothing()


async def test_a_server_that_dies_after_its_challenge_is_avoided() -> None:
    async with carrier() as it:
        await it.say(await it.start(), 401, challenge())
        await it.request()
        await it.wait(32)
        assert (it.status, it.cause) == ("unreachable", "silence")
        it.take()
        await it.next_try()
        await it.request()
        assert it.flow.remote[0] == "198.51.100.2"


# The network.


async def test_anew_at_once_when_the_network_changes() -> None:
    async with carrier() as it:
        register = await it.start()
        it.line.network_changed()
        again = await it.request()
        await it.accept(register)  # of the old network
        assert it.status == "registering"
        await it.accept(again)
        it.line.network_changed()
        assert (it.status, it.line.flow) == ("registering", None)
        await it.accept(await it.request())
        assert it.status == "registered"
        # Also while it waits, refused, for an hour.
        await it.next_try()
        await it.say(await it.request(), 403)
        it.line.network_changed()
        await it.accept(await it.request())


async def test_what_was_given_up_is_sent_nowhere_else() -> None:
    async with carrier() as it:
        await it.start()
        it.line.network_changed()
        await it.accept(await it.request())
        it.take()
        await it.wait(64)
        assert {flow.remote[0] for flow, _ in it.wire.out} == {"198.51.100.1"}


async def test_a_connection_that_is_lost_is_replaced_at_once() -> None:
    async with carrier(account(server="198.51.100.1", transport="tcp")) as it:
        register = await it.start()
        await it.accept(register)
        flow = it.line.flow
        assert flow is not None
        await it.wait(120)
        it.line.connection_lost(Flow("tcp", flow.local, flow.remote, 7))
        assert it.status == "registered", "another's"
        it.line.connection_lost(flow)
        assert (it.status, it.cause, it.line.flow) == ("unreachable", "connection_lost", None)
        assert await it.next_try() <= 3
        await it.accept(await it.request())
        assert it.line.flow not in (None, flow)
        # A server that takes us only to drop us is not asked without end.
        flow = it.line.flow
        assert flow is not None
        it.line.connection_lost(flow)
        assert await it.next_try() >= 30


async def test_a_connection_that_is_lost_during_a_refresh() -> None:
    async with carrier(account(server="198.51.100.1", transport="tcp")) as it:
        await it.accept(await it.start())
        await it.next_try()
        flow = it.line.flow
        assert flow is not None
        await it.request()
        it.line.connection_lost(flow)
        it.wire.endpoint.flow_failed(it.flow)
        assert await it.next_try() <= 3
        await it.accept(await it.request())


async def test_beyond_a_nat_the_carrier_says_where_we_are() -> None:
    async with carrier(account(contact_address="seen")) as it:
        first = await it.start()
        assert first.headers.get("Contact") == "<sip:101@192.0.2.1:5060>"
        await it.accept(first, received="203.0.113.5", rport=41000)
        again = await it.request()
        assert again.headers.get("Contact") == "<sip:101@203.0.113.5:41000>"
        # A NAT that changes its mind each time is followed once for each refresh.
        await it.accept(again, received="203.0.113.5", rport=41001)
        assert (await it.nothing(), it.line.seen_at) == (True, ("203.0.113.5", 41001))
        await it.next_try()
        refresh = await it.request()
        assert refresh.headers.get("Contact") == "<sip:101@203.0.113.5:41000>"
        await it.accept(refresh, received="203.0.113.5", rport=41001)
        assert (await it.request()).headers.get("Contact") == "<sip:101@203.0.113.5:41001>"


async def test_where_the_carrier_sees_us_is_noted_and_no_more_unless_asked_for() -> None:
    async with carrier() as it:
        await it.accept(await it.start(), received="203.0.113.5", rport=41000)
        assert (await it.nothing(), it.line.seen_at) == (True, ("203.0.113.5", 41000))


@pytest.mark.parametrize(
    ("given", "contact"),
    [
        ("pbx.example", "<sip:101@pbx.example:5060>"),
        ("203.0.113.5:5080", "<sip:101@203.0.113.5:5080>"),
        ("2001:db8::1", "<sip:101@[2001:db8::1]:5060>"),
    ],
)
async def test_an_address_may_be_given(given: str, contact: str) -> None:
    async with carrier(account(contact_address=given)) as it:
        register = await it.start()
        assert register.headers.get("Contact") == contact
        await it.accept(register)


async def test_the_sender_does_not_run() -> None:
    async with carrier() as it:
        it.sender._tasks = None
        it.line.start()
        await it.settle()
        assert (it.status, it.cause) == ("unreachable", "transport")
