"""RFC 3665 §2: registration, over real sockets."""

from __future__ import annotations

import pytest

from appliance.directory.throttle import MAX_FAILURES
from appliance.sip.message import Challenge, Response
from tests.interop.exchange import wait_until
from tests.peers.stage import ScriptedPhone, Stage

pytestmark = pytest.mark.interop

both_families = pytest.mark.parametrize("shared_exchange", ["ipv4", "ipv6"], indirect=True)
all_transports = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


def bindings(response: Response) -> dict[str, int]:
    """What a registrar's answer lists: contact -> seconds."""
    return {str(each.uri): int(each.params["expires"] or "") for each in response.contacts}


def uri_of(phone: ScriptedPhone) -> str:
    return phone.contact().strip("<>")


def expires_in(stage: Stage, phone: ScriptedPhone) -> dict[str, float]:
    """The same as the exchange itself shows it."""
    rows = stage.exchange.perform("registrations", "list")
    return {row["contact"]: row["expires_in"] for row in rows if row["number"] == phone.number}


@both_families
@all_transports
def test_2_1_new_registration(stage: Stage, transport: str) -> None:
    phone = stage.phone(transport, registered=False)
    stage >> phone.register(phone.contact(), Expires="600") << phone.gets(401)
    first, challenge = phone.sent, phone.response().headers.get("WWW-Authenticate") or ""
    assert first is not None
    assert challenge.startswith('Digest realm="')
    assert ', nonce="' in challenge
    assert ', qop="auth"' in challenge
    assert expires_in(stage, phone) == {}
    stage >> phone.prove() << phone.gets(200)
    answer = phone.response()
    assert (answer.call_id, answer.cseq.number) == (first.call_id, first.cseq.number + 1)
    assert bindings(answer) == {uri_of(phone): 600}
    assert list(expires_in(stage, phone)) == [uri_of(phone)]
    stage.quiet()


def test_2_2_update_of_the_contact_list(stage: Stage) -> None:
    phone = stage.phone()
    second = stage.phone(account=phone.account, registered=False)
    answer = stage.register(second, Expires="900")
    assert set(bindings(answer)) == {uri_of(phone), uri_of(second)}
    assert bindings(answer)[uri_of(second)] == 900
    # A mailbox of e-mail cannot be rung: it is refused, and nothing else changes.
    stage >> second.register("<mailto:second@example.com>") << second.gets(401)
    stage >> second.prove() << second.gets(400)
    assert set(expires_in(stage, phone)) == {uri_of(phone), uri_of(second)}
    stage.quiet()


def test_2_3_request_for_the_current_contact_list(stage: Stage) -> None:
    phone = stage.phone(registered=False)
    second = stage.phone(account=phone.account, registered=False)
    granted = 600
    for each in (phone, second):
        stage.register(each, Expires=str(granted))
    # Once a second has passed by the exchange's own clock, a refresh would show.
    wait_until(lambda: max(expires_in(stage, phone).values()) < granted - 1, "a second to pass")
    before = stage.exchange.perform("registrations", "list")
    stage >> phone.register() << phone.gets(401) >> phone.prove() << phone.gets(200)
    listed = bindings(phone.response())
    assert set(listed) == {uri_of(phone), uri_of(second)}
    assert max(listed.values()) < granted
    after = stage.exchange.perform("registrations", "list")
    for lists in (before, after):
        for row in lists:
            del row["expires_in"]
    assert after == before
    assert max(expires_in(stage, phone).values()) < granted - 1
    stage.quiet()


def test_2_4_cancellation_of_registration(stage: Stage) -> None:
    phone, caller = stage.phone(), stage.phone()
    second = stage.phone(account=phone.account)
    for refused in ("60", None):
        headers = {} if refused is None else {"Expires": refused}
        stage >> phone.register("*", **headers) << phone.gets(401) >> phone.prove() << phone.gets(400)
    assert set(expires_in(stage, phone)) == {uri_of(phone), uri_of(second)}
    answer = stage.register(phone, f"{phone.contact()};expires=0")
    assert set(bindings(answer)) == {uri_of(second)}
    answer = stage.register(phone, "*", Expires="0")
    assert bindings(answer) == {}
    assert expires_in(stage, phone) == {}
    stage.call(caller, phone.number, caller.offer(), until=480) >> caller.ack_refusal()
    stage.ends(caller, "not_registered")


def test_2_5_unsuccessful_registration(stage: Stage) -> None:
    phone, neighbour = stage.phone(registered=False), stage.phone(registered=False)
    stage >> phone.register(phone.contact()) << phone.gets(401)
    nonces = [nonce_of(phone)]
    for _ in range(MAX_FAILURES):
        stage >> phone.prove("not-the-password") << phone.gets(401)
        nonces.append(nonce_of(phone))
    assert len(set(nonces)) == len(nonces), "each challenge is a new one"
    # Too many: even the right password would not do now. Nobody else is the worse for it.
    stage >> phone.prove() << phone.gets(401)
    assert expires_in(stage, phone) == {}
    stage.register(neighbour)
    assert list(expires_in(stage, neighbour)) == [uri_of(neighbour)]
    stage.quiet()


def nonce_of(phone: ScriptedPhone) -> str:
    return Challenge.parse(phone.response().headers.get("WWW-Authenticate") or "").nonce
