"""Requests that must not get through: forged, without a session, framed, with a fixed session.

Requirements not tested here: that browsers obey the headers; tests/browser has one that does.
"""

from __future__ import annotations

import pytest

from appliance.features import settings_areas
from tests.webui.browserless import HOST, Client
from tests.webui.conftest import Clock
from tests.webui.fake_control import FakeControl
from webui.pages import ROUTES
from webui.routes import Access
from webui.session import COOKIE, Sessions

INNER = sorted({(each.method, each.path) for each in ROUTES if each.access is Access.ADMINISTRATOR})
LIVE = sorted({each.path for each in ROUTES if each.access is Access.LIVE})
POSTS = sorted({each.path for each in ROUTES if each.method == "POST" and each.access is not Access.BEARER})


SEVERAL = next((each.name for each in settings_areas() if each.per == "item"), "none-so-far")
"The area of a service to which people add something."


def filled(path: str) -> str:
    """An address with something in each of its places."""
    for name, value in (
        ("lines/<name>", "lines/carrier"),
        ("trunks/<name>", "trunks/workshop"),
        ("servers/<name>", "servers/annex"),
        ("features/<name>/live", "features/do-not-disturb/live"),
        ("<area>/add", f"{SEVERAL}/add"),
        ("<area>/<name>", "do-not-disturb/101"),
        ("<area>", "do-not-disturb"),
    ):
        path = path.replace(name, value)
    for name, value in (
        ("name", "world"),
        ("number", "101"),
        ("call_id", "c-7f3a"),
        ("record_id", "8"),
        ("token_id", "1"),
    ):
        path = path.replace(f"<{name}>", value)
    assert "<" not in path
    return path


@pytest.mark.parametrize(("method", "path"), INNER)
def test_without_a_session_there_is_only_the_log_in_page(
    visitor: Client, control: FakeControl, method: str, path: str
) -> None:
    visitor.get("/log-in")
    control.asked.clear()
    response = visitor.get(filled(path)) if method == "GET" else visitor.post(filled(path))
    assert (response.status, response.header("Location")) == (303, "/log-in")
    assert control.asked == []


@pytest.mark.parametrize("path", LIVE)
def test_a_live_part_without_a_session_makes_htmx_open_the_log_in_page(visitor: Client, path: str) -> None:
    response = visitor.get(path, hx_request="true")
    assert (response.status, response.header("HX-Redirect"), response.body) == (401, "/log-in", b"")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", ["", "0" * 64, "é", "\ud800"])
def test_a_form_without_the_right_token_changes_nothing(
    admin: Client, control: FakeControl, path: str, token: str
) -> None:
    control.asked.clear()
    response = admin.post(filled(path), {"csrf": token.encode(errors="replace").decode()})
    assert response.status == 403
    assert control.asked == []


def test_the_token_of_another_session_is_worth_nothing(
    admin: Client, visitor: Client, control: FakeControl
) -> None:
    visitor.log_in()
    visitor.get("/")
    admin.token = visitor.token
    assert admin.post("/extensions/101/remove").status == 403
    assert "101" in control.extensions


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"http://{HOST}", "null", f"https://{HOST}:8443", "https://[", "x"]
)
def test_a_form_from_another_origin_is_refused(admin: Client, control: FakeControl, origin: str) -> None:
    assert admin.post("/extensions/101/remove", origin=origin).status == 403
    assert "101" in control.extensions


def test_a_form_without_origin_is_refused_when_the_browser_says_it_is_foreign(admin: Client) -> None:
    assert admin.post("/extensions/101/remove", origin="", sec_fetch_site="cross-site").status == 403
    assert admin.post("/extensions/101/remove", origin="", sec_fetch_site="same-origin").status == 303


def test_htmx_may_send_the_token_as_a_header(admin: Client, control: FakeControl) -> None:
    token, admin.token = admin.token, ""
    assert admin.post("/calls/c-7f3a/hang-up", x_csrf_token=token).status == 303
    assert "c-7f3a" not in control.calls


def test_log_in_makes_a_new_id_so_that_nobody_can_fix_one_in_advance(visitor: Client) -> None:
    fixed = "A" * 43
    visitor.cookies[COOKIE] = fixed
    visitor.log_in()
    assert visitor.id != fixed
    assert visitor.get("/").status == 200
    visitor.cookies[COOKIE] = fixed
    assert visitor.get("/").status == 303


def test_the_cookie_is_for_this_host_over_tls_and_not_for_scripts(visitor: Client) -> None:
    cookie = visitor.get("/log-in").header("Set-Cookie") or ""
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-branchbox=")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]


def test_log_out_ends_the_session_itself(admin: Client) -> None:
    old = admin.id
    assert admin.post("/log-out").header("Location") == "/log-in"
    assert admin.id != old
    admin.cookies[COOKIE] = old
    assert admin.get("/").status == 303


def test_a_session_ends_when_nobody_asks_for_a_page(admin: Client, clock: Clock) -> None:
    clock.seconds += Sessions.IDLE_S - 1
    assert admin.get("/extensions").status == 200
    clock.seconds += Sessions.IDLE_S - 1
    assert admin.get("/extensions").status == 200
    clock.seconds += Sessions.IDLE_S + 1
    assert admin.get("/extensions").status == 303


def test_an_open_page_that_updates_itself_does_not_keep_a_session_alive(admin: Client, clock: Clock) -> None:
    for _ in range(10):
        clock.seconds += Sessions.IDLE_S / 9
        last = admin.get("/calls/live", hx_request="true")
    assert last.status == 401


def test_a_session_ends_in_any_case_after_a_working_day(admin: Client, clock: Clock) -> None:
    end = clock.seconds + Sessions.LONGEST_S
    while clock.seconds + 600 < end:
        clock.seconds += 600
        assert admin.get("/").status == 200
    clock.seconds = end + 1
    assert admin.get("/").status == 303


def test_sessions_are_bounded_and_the_idlest_goes_first(clock: Clock) -> None:
    sessions = Sessions(clock)
    first = sessions.start("en", "192.0.2.1")
    for _ in range(Sessions.MOST):
        clock.seconds += 1
        sessions.start("en", "192.0.2.1")
    assert len(sessions) == Sessions.MOST
    assert sessions.find(first.id, touch=True) is None


@pytest.mark.parametrize(
    "path",
    ["/", "/log-in", "/nowhere", "/static/x/branchbox.css", "/static/x/no", "/healthz", "/api/v1/status"],
)
def test_every_answer_carries_the_security_headers(admin: Client, path: str) -> None:
    response = admin.get(path)
    policy = response.header("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.header("X-Content-Type-Options") == "nosniff"
    assert response.header("Referrer-Policy") == "same-origin"


def test_pages_are_not_kept_by_the_browser_and_files_are(admin: Client) -> None:
    page = admin.get("/")
    assert page.header("Cache-Control") == "no-store"
    address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in (admin.get(address).header("Cache-Control") or "")
    assert admin.get("/static/0/branchbox.css").header("Cache-Control") == "no-store"
    assert admin.get("/static/x/vendor/VERSIONS").status == 404
    assert admin.get("/static/x/../pages/api.py").status == 404


def test_guessing_passwords_is_answered_nicely(visitor: Client) -> None:
    for _ in range(5):
        assert visitor.log_in("wrong").status == 403
    response = visitor.log_in("wrong")
    assert response.status == 429
    assert "notice bad" in response.text


def test_control_hears_who_asks(visitor: Client, control: FakeControl) -> None:
    visitor.log_in("wrong")
    assert control.asked[-1][4] == "web:192.0.2.77"
    visitor.log_in()
    visitor.get("/")
    assert control.asked[-1][4] == "web:admin"


def test_a_huge_form_is_refused_unread(admin: Client) -> None:
    response = admin.ask("POST", "/extensions/add", b"x" * 1_000_001, "application/x-www-form-urlencoded")
    assert response.status == 413
    chunked = admin.ask(
        "POST", "/extensions/add", b"", "application/x-www-form-urlencoded", transfer_encoding="chunked"
    )
    assert chunked.status == 411
