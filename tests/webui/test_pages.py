"""Every page is drawn, in both languages, with every word there; what people typed stays text."""

from __future__ import annotations

import re
from importlib.resources import files
from operator import attrgetter
from typing import Any

import pytest

from appliance import locale
from appliance.config.settings_area import SettingsArea
from appliance.features import settings_areas
from appliance.locale import LANGUAGES, Language
from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl, busy_office
from tests.webui.fake_outside import described, services
from tests.webui.test_guard import SEVERAL, filled
from webui.app import create_app
from webui.pages import ROUTES
from webui.routes import Access

SOUNDS = {"/system/music/listen", "/system/prompts/<name>/listen"}
PAGES = sorted(
    {each.path for each in ROUTES if each.method == "GET" and each.access is not Access.BEARER} - SOUNDS
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
HOSTILE_TEXTS = {"server", "account", "reason", "address", "incoming", "pattern", "prepend"}
HOSTILE_LISTS = {"peers", "peer_states", "to", "times", "callers"}
SPOKEN_KEY = re.compile(r"\b(?:console|error|cause|route)\.(?!js\b)[a-z_]+(?:\.[a-z_]+)?\b")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_drawn_with_all_its_words(app: Any, path: str, language: Language) -> None:
    client = Client(app, language)
    client.log_in()
    response = client.get(filled(path))
    if path == "/features/<area>/add" and SEVERAL == "none-so-far":
        assert response.status == 404
        return
    # /log-in and the sheet of passwords lead on when there is nothing for them to show; a choice always does.
    leads_on = path in {"/log-in", "/extensions/sheet", "/features/<area>/choose"}
    assert response.status == (303 if leads_on else 200)
    assert SPOKEN_KEY.findall(response.text) == []
    if "<html" in response.text:
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in response.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("area", settings_areas(), ids=attrgetter("name"))
def test_every_services_pages_are_drawn_with_all_their_words(
    app: Any, control: FakeControl, area: SettingsArea, language: Language
) -> None:
    client = Client(app, language)
    client.log_in()
    pages = [f"/features/{area.name}"]
    if area.per == "item":
        pages.append(f"/features/{area.name}/add")
    for key in ("101",) if area.per == "extension" else area.fixed:
        pages += [f"/features/{area.name}/{key}/{action}" for action in ("edit", "remove")]
    for path in pages:
        response = client.get(path)
        assert response.status == 200
        assert SPOKEN_KEY.findall(response.text) == [], path


@pytest.mark.parametrize("path", PAGES)
def test_a_new_box_has_a_page_too_where_there_is_nothing_yet(path: str) -> None:
    client = Client(create_app(FakeControl(password="correct horse battery"), describe=described))
    client.log_in()
    response = client.get(filled(path))
    assert response.status in {200, 303, 404}
    assert SPOKEN_KEY.findall(response.text) == []


@pytest.mark.parametrize("path", PAGES)
def test_what_others_send_stays_text(path: str) -> None:
    control = busy_office()
    control.extensions["101"]["name"] = HOSTILE
    control.host_name = HOSTILE
    control.dns_findings = [HOSTILE]
    control.music |= {"title": HOSTILE, "problem": HOSTILE}
    for each in control.prompts:
        each |= {"name": HOSTILE, "used_by": [HOSTILE]}
    for each in control.registrations:
        each["user_agent"] = each["contact"] = HOSTILE
    for each in control.records:
        each |= {"from_name": HOSTILE, "from_number": HOSTILE, "to_number": HOSTILE, "cause": HOSTILE}
        each["ended_by"] = HOSTILE
        each["steps"] = [{"by": HOSTILE, "to": HOSTILE, "why": HOSTILE}]
    for each in control.calls.values():
        each |= {"from_number": HOSTILE, "from_name": HOSTILE, "to_number": HOSTILE}
    for each in (*control.lines.values(), *control.trunks.values(), *control.routes.values()):
        each.update(dict.fromkeys(each.keys() & HOSTILE_TEXTS, HOSTILE))
        each.update({name: [HOSTILE] for name in each.keys() & HOSTILE_LISTS})
        for lesson in each.get("learned", ()):
            lesson["said"] = HOSTILE
    control.dial_plan = {"out_prefix": HOSTILE, "emergency": [HOSTILE]}
    client = Client(create_app(control, describe=described))
    client.log_in()
    client.post("/system/tokens", {"name": HOSTILE})
    text = client.get(filled(path)).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "{{7*7}}" not in text or "&lt;script&gt;" in text


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_script_or_style_within(admin: Client, path: str) -> None:
    text = admin.get(filled(path)).text
    assert re.findall(r"<script(?![^>]* src=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r'(?:src|href)="https?:', text) == []


def test_an_unknown_address_has_a_page_of_ours(admin: Client, visitor: Client) -> None:
    for client in (admin, visitor):
        response = client.get("/nowhere")
        assert response.status == 404
        assert "Page not found" in response.text


def test_an_unknown_extension_has_a_page_of_ours(admin: Client) -> None:
    assert admin.get("/extensions/999/edit").status == 404


def test_a_defect_of_ours_is_told_without_its_inside(admin: Client, control: FakeControl) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret of the inside")

    control.calls_list = broken  # type: ignore[method-assign, assignment]
    response = admin.get("/calls")
    assert response.status == 500
    assert "secret of the inside" not in response.text


def used_keys() -> set[str]:
    """Every key that a template or a page names whole."""
    found: set[str] = set()
    for folder in ("templates", "pages", "."):
        for each in files("webui").joinpath(folder).iterdir():
            if each.name.endswith((".html", ".py")):
                found |= set(
                    re.findall(
                        r'"(console\.(?!js")[a-z_]+(?:\.[a-z0-9_]+)?)"', each.read_text(encoding="utf-8")
                    )
                )
    return found


def test_every_key_has_its_words() -> None:
    assert used_keys() - locale.keys() == set()


def test_every_word_is_used() -> None:
    built = (
        "console.nav.",
        "console.state.",
        "console.call.",
        "console.ended_by.",
        "console.missing.",
        "console.no_room.",
        "console.refused.",
        "console.record.",
        "console.sent_on.",
        "console.dns.asked.",
        "console.system.ipv6.",
        "console.system.link.",
        "console.backups.files.",
        *(f"console.ways.{each}." for each in ("about", "add", "edit", "from", "group", "remove")),
        "console.lessons.",  # test_outside.py has one for each feature
        # Those of settings are all looked at in test_settings.
        *(f"console.{each}." for each in ("choice", "dial_plan", "lines", "outside", "routes", "trunks")),
        "console.backup_schedule.",
        "console.update_check.",
        "console.servers.",
        "console.findings.",
        *(f"console.{each.replace('-', '_')}." for each in services()),
    )
    unused = {key for key in locale.keys() if key.startswith("console.")} - used_keys()  # noqa: SIM118  # a function
    assert {key for key in unused if not key.startswith(built)} == set()


def test_the_reader_chooses_the_language_and_the_browser_remembers(visitor: Client) -> None:
    assert "Log in" in visitor.get("/log-in").text
    visitor.post("/language", {"language": "zh", "back": "/log-in"})
    assert "登录" in visitor.get("/log-in").text
    visitor.log_in()
    assert "概览" in visitor.get("/").text
    visitor.post("/language", {"language": "en"})
    assert "Overview" in visitor.get("/").text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nX: y"]
)
def test_the_language_switch_leads_nowhere_else(visitor: Client, back: str) -> None:
    visitor.get("/log-in")
    response = visitor.post("/language", {"language": "zh", "back": back})
    assert response.header("Location") == "/"
