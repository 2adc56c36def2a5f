"""The session timer, walked without a clock: RFC 4028 §4, §7, §9, §10."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import PeerError
from appliance.sip.dialog import Expire, Refresh, SessionTimer, TimerPolicy
from appliance.sip.message import Headers, Request, Response
from tests.sip.dialog.explore import explore

KNOWS = ("Supported", "100rel, Timer")


def invite(*headers: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:a@b", Headers(headers))


def answer(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, "", Headers(headers))


def expires(value: str) -> tuple[str, str]:
    return "Session-Expires", value


# --- the server, §9

OURS = TimerPolicy(interval=1800, least=90)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        # Table 2: a client without session timers; then nothing is said, and we refresh.
        ((), ()),
        ((expires("600;refresher=uas"),), ()),
        # A client that knows them: its choice, or ours.
        ((KNOWS,), (expires("1800;refresher=uas"),)),
        ((KNOWS, expires("600")), (expires("600;refresher=uas"),)),
        ((KNOWS, expires("600;refresher=uas")), (expires("600;refresher=uas"),)),
        ((KNOWS, expires("600; Refresher = UAC")), (expires("600;refresher=uac"), ("Require", "timer"))),
        # A server may lower it, but not below Min-SE.
        ((KNOWS, expires("7200;x=1;refresher=uas")), (expires("1800;refresher=uas"),)),
        ((KNOWS, expires("7200"), ("Min-SE", "3600")), (expires("3600;refresher=uas"),)),
        ((KNOWS, ("Min-SE", "3600;x")), (expires("3600;refresher=uas"),)),
        ((KNOWS, expires("600"), ("Min-SE", "rubbish")), (expires("600;refresher=uas"),)),
        # What cannot be read was not said.
        ((KNOWS, expires("soon")), (expires("1800;refresher=uas"),)),
    ],
)
def test_what_a_server_grants(
    asked: tuple[tuple[str, str], ...], granted: tuple[tuple[str, str], ...]
) -> None:
    timer = SessionTimer(OURS)
    OURS.check(invite(*asked))
    assert timer.receive_request(invite(*asked)) == granted
    assert timer.refreshing == (("Require", "timer") not in granted)


@pytest.mark.parametrize("headers", [(KNOWS, expires("89")), (expires("0;refresher=uac"), KNOWS)])
def test_too_short_a_session_is_422(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(PeerError) as refusal:
        OURS.check(invite(*headers))
    assert (refusal.value.status, refusal.value.headers) == (422, (("Min-SE", "90"),))


@pytest.mark.parametrize(
    "headers", [(), (expires("60"),), (KNOWS, expires("90")), (KNOWS, expires("")), (KNOWS, expires("x"))]
)
def test_what_is_no_reason_for_422(headers: tuple[tuple[str, str], ...]) -> None:
    request = invite(*headers)
    OURS.check(request)
    assert SessionTimer(OURS).receive_request(request) is not None


# --- the client, §7


def test_we_offer_to_refresh() -> None:
    assert SessionTimer(OURS).initial_fields() == (expires("1800;refresher=uac"),)
    strict = SessionTimer(TimerPolicy(interval=300, least=120))
    assert strict.initial_fields() == (expires("300;refresher=uac"), ("Min-SE", "120"))


@pytest.mark.parametrize(
    ("said", "interval", "refreshing", "field"),
    [
        ((), 1800, True, "1800;refresher=uac"),
        ((expires("what"),), 1800, True, "1800;refresher=uac"),
        ((expires("600;refresher=uac"),), 600, True, "600;refresher=uac"),
        ((expires("600;refresher=uas"),), 600, False, "600;refresher=uas"),
        ((expires("600"),), 600, True, "600;refresher=uac"),
        # No server may say less than Min-SE.
        ((expires("20;refresher=uas"),), 90, False, "90;refresher=uas"),
    ],
)
def test_what_a_server_said(
    said: tuple[tuple[str, str], ...], interval: int, refreshing: bool, field: str
) -> None:
    timer = SessionTimer(OURS)
    timer.receive_success(answer(200, *said))
    assert (timer.interval, timer.refreshing) == (interval, refreshing)
    # §7.4: who refreshes stays as it is.
    assert timer.request_fields() == (expires(field),)


def test_422_is_followed_by_a_longer_interval() -> None:
    timer = SessionTimer(OURS)
    assert timer.receive_too_small(answer(422, ("Min-SE", "3600")))
    assert timer.initial_fields() == (expires("3600;refresher=uac"), ("Min-SE", "3600"))
    assert timer.receive_too_small(answer(422, ("Min-SE", "7200")))
    # Somebody plays with us.
    assert not timer.receive_too_small(answer(422, ("Min-SE", "7300")))


@pytest.mark.parametrize("headers", [(), (("Min-SE", "1800"),), (("Min-SE", "much"),)])
def test_422_that_asks_for_nothing_new(headers: tuple[tuple[str, str], ...]) -> None:
    assert not SessionTimer(OURS).receive_too_small(answer(422, *headers))


# --- time, §10


def test_refreshes_begin_at_half_time_and_the_end_comes_a_little_early() -> None:
    timer = SessionTimer(OURS)
    waited = timer.start()
    assert waited == 900
    tries = 0
    while isinstance(step := timer.fired(), Refresh):
        waited += step.wait
        tries += 1
    assert (step, waited, tries) == (Expire(), 1800 - 32, 4)


def test_a_session_that_the_peer_refreshes() -> None:
    timer = SessionTimer(OURS)
    timer.receive_success(answer(200, expires("90;refresher=uas")))
    assert timer.start() == 60  # §10: a third of the interval early, when that is less than 32 s
    assert timer.fired() == Expire()


def test_a_refresh_starts_it_anew() -> None:
    timer = SessionTimer(OURS)
    timer.start()
    for _ in range(3):
        assert timer.fired() == Refresh(217.0)
    assert timer.start() == 900
    assert timer.fired() == Refresh(217.0)


# --- all together

ASKED = [(), (KNOWS,), (KNOWS, expires("90;refresher=uac")), (KNOWS, expires("4000"), ("Min-SE", "3000"))]
SAID = [(), (expires("600;refresher=uas"),), (expires("1;refresher=uac"),), (expires("?"),)]
INPUTS: dict[str, Callable[[SessionTimer], object]] = {
    **{f"asked {at}": lambda timer, at=at: timer.receive_request(invite(*ASKED[at])) for at in range(len(ASKED))},  # type: ignore[misc]  # mypy cannot infer the default
    **{f"said {at}": lambda timer, at=at: timer.receive_success(answer(200, *SAID[at])) for at in range(len(SAID))},  # type: ignore[misc]
    "too small": lambda timer: timer.receive_too_small(answer(422, ("Min-SE", str(timer.interval + 60)))),
    "fields": lambda timer: timer.request_fields(),
    "start": lambda timer: timer.start(),
    "fired": lambda timer: timer.fired(),
}  # fmt: skip


def name(timer: SessionTimer) -> str:
    return "refreshing" if timer.refreshing else "refreshed"


def test_every_input_in_every_state() -> None:
    # Nothing that a peer says of a timer is a reason to refuse it: only `TimerPolicy.check` is one.
    outcomes = explore([SessionTimer(OURS), SessionTimer(TimerPolicy(300, 120))], INPUTS, name, steps=4)
    assert len(outcomes) == 2 * len(INPUTS)
    assert set().union(*outcomes.values()) == {"ok"}


@given(st.lists(st.sampled_from(sorted(INPUTS)), max_size=20))
def test_whatever_was_agreed_a_dead_session_ends_within_its_interval(labels: list[str]) -> None:
    timer = SessionTimer(OURS)
    for label in labels:
        INPUTS[label](timer)
    # §4: no interval is below 90 s; §7.4: what we ask for says who refreshes.
    assert timer.interval >= 90
    (_, value), *_more = timer.request_fields()
    assert value == f"{timer.interval};refresher={'uac' if timer.refreshing else 'uas'}"
    # §10: refreshed in time by whoever is to do it, or ended a little before the interval is over.
    waited = timer.start()
    while isinstance(step := timer.fired(), Refresh):
        waited += step.wait
    assert waited == pytest.approx(timer.patience)
    assert timer.interval / 2 < timer.patience < timer.interval
