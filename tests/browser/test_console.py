"""The console in a real browser: from the set-up code to the log-out, without one complaint in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance.system.certificates import ensure_certificate
from tests.browser.driver import Browser, available
from tests.webui.fake_control import FakeControl, busy_office
from tests.webui.fake_outside import described
from webui.server import ConsoleServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not available(), reason="chromium and chromium-driver are not installed"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def new_box() -> FakeControl:
    return FakeControl()


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(opened: Browser) -> Browser:
    """The one window, as if it were new: a start takes seconds."""
    opened.go("about:blank")
    opened.devtools("Network.clearBrowserCookies", {})
    opened.devtools("Emulation.setScriptExecutionDisabled", {"value": False})
    opened.look(width=1280, height=900)
    opened.complaints()
    return opened


def serve(control: FakeControl, folder: Path) -> ConsoleServer:
    made = ensure_certificate(folder / "certs", "localhost", ("127.0.0.1",))
    server = ConsoleServer(("127.0.0.1", 0), made.certificate, made.key, control, describe=described)
    server.start()
    return server


@pytest.fixture
def new_url(new_box: FakeControl, tmp_path: Path) -> Iterator[str]:
    server = serve(new_box, tmp_path)
    yield "https://127.0.0.1:{1}".format(*server.address)
    server.stop()


@pytest.fixture
def office() -> FakeControl:
    return busy_office()


@pytest.fixture
def office_url(office: FakeControl, tmp_path: Path) -> Iterator[str]:
    server = serve(office, tmp_path)
    yield "https://127.0.0.1:{1}".format(*server.address)
    server.stop()


def log_in(browser: Browser, url: str) -> None:
    browser.go(url + "/log-in")
    browser.fill(password="correct horse battery")
    browser.press("main form button")


def test_from_the_set_up_code_to_the_log_out(browser: Browser, new_box: FakeControl, new_url: str) -> None:
    browser.go(new_url)
    assert browser.url == new_url + "/set-up"
    browser.fill(code="1234-5678", password="correct horse battery", again="correct horse battery")
    browser.press("main form button")
    assert browser.url == new_url + "/"
    assert "No extensions yet" in browser.text()

    browser.press("a[href='/extensions/add']")
    browser.fill(number="101", name="Reception")
    browser.find("[data-generate]").click()
    password = browser.find("[name=password]").value()
    assert len(password) == 12
    browser.press("main form .actions button")
    assert "Extension 101 was added." in browser.text()
    assert "Reception" in browser.text("table")
    assert new_box.extensions["101"]["password"] == password

    browser.go(new_url + "/extensions/many")
    browser.fill(first="201", count="5", name="Room")
    browser.press("main form .actions button")
    assert str(new_box.extensions["205"]["password"]) in browser.text("table")
    browser.press("form[action$=put-away] button")
    assert "Room 205" in browser.text("table")

    browser.press(".side form.language button")
    assert "分机" in browser.text("h1")
    assert browser.run("return document.documentElement.lang") == "zh-CN"

    browser.press("form[action='/log-out'] button")
    assert browser.url == new_url + "/log-in"
    browser.go(new_url + "/extensions")
    assert browser.url == new_url + "/log-in"
    assert browser.complaints() == []


def test_every_page_is_free_of_complaints(browser: Browser, office_url: str) -> None:
    log_in(browser, office_url)
    for path in (
        "/",
        "/extensions",
        "/extensions/add",
        "/extensions/101/edit",
        "/extensions/101/remove",
        "/extensions/many",
        "/registrations",
        "/outside",
        "/outside/lines/add",
        "/outside/trunks/workshop/edit",
        "/outside/routes/world/edit",
        "/outside/routes/world/remove",
        "/outside/dial-plan",
        "/outside/test?number=95",
        "/features",
        "/features/do-not-disturb",
        "/features/do-not-disturb/101/edit",
        "/features/do-not-disturb/101/remove",
        "/features/codes",
        "/features/codes/do_not_disturb_on/edit",
        "/calls",
        "/records",
        "/records/8",
        "/system",
        "/system/backup-schedule",
        "/system/restore",
        "/system/servers",
        "/system/servers/add",
        "/system/servers/annex/edit",
        "/system/servers/annex/remove",
        "/about",
    ):
        browser.go(office_url + path)
        assert browser.run("return getComputedStyle(document.body).margin") == "0px"
        assert browser.complaints() == [], path


def test_an_open_page_shows_what_changes(browser: Browser, office: FakeControl, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/calls")
    assert "105" in browser.text("table")
    office.calls.clear()
    browser.until(lambda: "Nobody is on the phone" in browser.text("main"))
    browser.go(office_url + "/extensions")
    office.extensions["106"]["name"] = "Lounge <b>&"
    browser.until(lambda: "Lounge <b>&" in browser.text("table"))
    assert browser.complaints() == []


def test_a_line_and_a_route_to_it_are_added(browser: Browser, new_box: FakeControl, new_url: str) -> None:
    new_box.password = "correct horse battery"
    log_in(browser, new_url)
    browser.press(".side a[href='/outside']")
    assert "No lines yet" in browser.text("main")
    browser.press("#add-line")
    browser.fill(name="carrier", server="sip.carrier.example", account="100200", password="s3cret words")
    browser.press("main form .actions button")
    assert "carrier was added." in browser.text()
    browser.press(".card a[href='/outside/routes/add']")
    assert "There is: line:carrier." in browser.text("main")
    browser.fill(name="out", pattern="X.", to="line:carrier", level="3")
    browser.press("main form .actions button")
    assert "out was added." in browser.text()
    assert "line:carrier" in browser.text("#routes")
    assert new_box.lines["carrier"]["password"] == "s3cret words"
    assert (new_box.routes["out"]["to"], new_box.routes["out"]["level"]) == (["line:carrier"], 3)

    new_box.lines["carrier"] |= {"state": "refused", "cause": "wrong_password", "reason": "403 Forbidden"}
    browser.until(lambda: "The carrier does not take the password." in browser.text("#live"))
    assert browser.complaints() == []


def test_a_further_server_is_added_and_removed_after_asking(
    browser: Browser, office: FakeControl, office_url: str
) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/system")
    browser.press("#servers a[href='/system/servers']")
    assert "code ABCD-EFGH" in browser.text("#servers")
    browser.press("#add")
    browser.fill(name="second")
    browser.press("main form .actions button")
    assert "second was added." in browser.text()
    assert "8444" in browser.text("#servers")
    browser.press("#remove-servers-second")
    assert "Its data stay on the box" in browser.text("main")
    browser.press("main form button.danger")
    assert "second" not in browser.text("#servers")
    assert [each["name"] for each in office("servers", "list", None, {}, "test")] == ["annex"]
    assert browser.complaints() == []


def test_a_service_is_set_for_an_extension_and_its_code_changed(
    browser: Browser, office: FakeControl, office_url: str
) -> None:
    log_in(browser, office_url)
    browser.press(".side a[href='/features']")
    browser.press("#feature-do-not-disturb .card-head a")
    browser.find("#name option[value='103']").click()
    browser.press("main form .actions button")
    assert "Do not disturb: 103" in browser.text("h1")
    browser.find("[name=enabled]").click()
    browser.press("main form .actions button")
    assert "103 was saved." in browser.text()
    assert "Workshop" in browser.text("#settings")
    assert office.service("do-not-disturb", "show", "103", {})["enabled"]

    browser.go(office_url + "/extensions/103/edit")
    browser.press("#services a[href='/features/do-not-disturb/103/edit']")
    assert browser.run("return document.querySelector('[name=enabled]').checked")

    browser.go(office_url + "/features")
    browser.press("#edit-do_not_disturb_on")
    assert browser.complaints() == []
    browser.fill(code="*79")
    browser.press("main form .actions button")
    assert "The code *79 of do_not_disturb_off" in browser.text("#code-error")
    browser.fill(code="*70")
    browser.press("main form .actions button")
    assert browser.url == office_url + "/features"
    assert "*70" in browser.text("#feature-do-not-disturb")


def test_what_was_learned_of_a_carrier_is_kept_and_forgotten(
    browser: Browser, office: FakeControl, office_url: str
) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/outside")
    assert "without 100rel (PRACK)" in browser.text("main")
    browser.press("#line-carrier")
    assert "405 Method Not Allowed to PRACK" in browser.text("#lessons")
    browser.press("#pin-100rel")
    assert "stays until it is forgotten" in browser.text("#lessons")
    browser.run("document.querySelector('#feature').value = 'user-phone'")
    browser.run("document.querySelector('#use').value = 'with'")
    browser.find("#by-hand").click()
    browser.press("#pin-by-hand")
    assert "with user=phone" in browser.text("#lessons")
    browser.press("#forget-100rel")
    assert "Forgotten" in browser.text()
    assert [each["feature"] for each in office.lines["carrier"]["learned"]] == ["user-phone"]
    assert browser.complaints() == []


def test_a_folded_field_opens_to_its_refusal(browser: Browser, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/outside/lines/carrier/edit")
    assert not browser.run("return document.querySelector('#expiry').checkVisibility()")
    browser.run("document.querySelector('#expiry').value = '5'")
    browser.press("main form .actions button")
    assert "from 60 to 86400" in browser.text("#expiry-error")
    assert browser.run("return document.querySelector('#expiry').checkVisibility()")


def test_where_a_call_would_go_is_asked(browser: Browser, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/outside")
    browser.press(".head a[href='/outside/test']")
    browser.fill(number="95")
    browser.press("main form .actions button")
    assert "The call goes through." in browser.text("#answer")
    assert "Out by line “carrier”" in browser.text("#answer")
    assert browser.complaints() == []


def test_the_search_finds_while_one_types(browser: Browser, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/extensions")
    browser.find("#q").type("work")
    browser.until(lambda: "Reception" not in browser.text("main"))
    assert "Workshop" in browser.text("table")


def test_a_call_is_hung_up_after_asking(browser: Browser, office: FakeControl, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/calls")
    browser.run("window.confirm = () => false")
    browser.find("#hang-up-1").click()
    assert "c-7f3a" in office.calls
    browser.run("window.confirm = () => true")
    browser.press("#hang-up-1")
    assert "The call was ended." in browser.text()
    assert "c-7f3a" not in office.calls


def test_music_is_chosen_and_can_be_listened_to(
    browser: Browser, office: FakeControl, office_url: str, tmp_path: Path
) -> None:
    (tmp_path / "holiday.wav").write_bytes(b"RIFF" + bytes(2_000_000))
    log_in(browser, office_url)
    browser.go(office_url + "/system")
    browser.find("#music-file").type(str(tmp_path / "holiday.wav"))
    browser.press("#music form[enctype] button")
    assert "The music on hold is yours now." in browser.text()
    assert "holiday.wav" in browser.text("#music")
    assert office.music["title"] == "holiday.wav"
    browser.run("document.querySelector('#music audio').load()")
    browser.run("document.querySelector('#music audio').preload = 'auto'")
    browser.until(lambda: browser.run("return document.querySelector('#music audio').duration") == 1)
    assert browser.complaints() == []


def test_a_network_is_tried_out_and_kept(browser: Browser, office: FakeControl, office_url: str) -> None:
    office.on_board = True
    browser.look(width=360, height=740)
    log_in(browser, office_url)
    browser.go(office_url + "/system")
    assert not browser.run("return document.querySelector('#address6').checkVisibility()")
    browser.find("[name=ipv6][value=static]").click()
    assert browser.run("return document.querySelector('#address6').checkVisibility()")
    browser.find("[name=link][value=wifi]").click()
    assert not browser.run("return document.querySelector('#vlan').checkVisibility()")
    browser.find("[name=link][value=cable]").click()
    browser.find("[name=ipv6][value=off]").click()
    browser.fill(vlan="7")
    browser.press("#network form button")
    assert "117 s left" in browser.text("#network-trial")
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    assert office.trial is not None
    office.trial["seconds_left"] = 42
    browser.until(lambda: "42 s left" in browser.text("#network-trial"))
    browser.press("#network-trial form button")
    assert "is kept" in browser.text()
    assert office.vlan == 7
    assert browser.complaints() == []


def test_an_ended_session_leads_an_open_page_to_the_log_in(browser: Browser, office_url: str) -> None:
    log_in(browser, office_url)
    browser.go(office_url + "/calls")
    browser.run(
        "const form = new URLSearchParams([['csrf', document.querySelector('[name=csrf]').value]]);"
        "return fetch('/log-out', {method: 'POST', body: form})"
    )
    browser.until(lambda: browser.url == office_url + "/log-in")


def test_a_hostile_name_runs_nothing(browser: Browser, office: FakeControl, office_url: str) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    office.extensions["102"]["name"] = hostile
    office.registrations[0]["user_agent"] = hostile
    office.records[0]["from_name"] = hostile
    log_in(browser, office_url)
    for path in ("/", "/extensions", "/registrations", "/records", "/records/8"):
        browser.go(office_url + path)
        assert browser.run("return document.title") != "owned"
        assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert browser.complaints() == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/extensions",
        "/registrations",
        "/outside",
        "/outside/lines/carrier/edit",
        "/outside/routes/world/edit",
        "/features",
        "/features/do-not-disturb",
        "/features/codes",
        "/calls",
        "/records",
        "/system",
        "/system/backup-schedule",
        "/system/restore",
        "/system/servers",
        "/about",
    ],
)
def test_nothing_hangs_over_the_side_of_a_telephone(browser: Browser, office_url: str, path: str) -> None:
    browser.look(width=360, height=740)
    log_in(browser, office_url)
    browser.go(office_url + path)
    assert browser.run("return document.documentElement.scrollWidth") <= 360


def test_the_basics_work_without_scripts(browser: Browser, office: FakeControl, office_url: str) -> None:
    browser.devtools("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.go(office_url + "/log-in")
    browser.fill(password="correct horse battery")
    browser.find("main form button").click()
    browser.until(lambda: browser.url == office_url + "/")
    browser.go(office_url + "/extensions/101/remove")
    browser.find("main form button").click()
    browser.until(lambda: browser.url == office_url + "/extensions")
    assert "101" not in office.extensions
    assert "Extension 101 was removed." in browser.text()
