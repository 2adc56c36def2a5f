"""The JSON API, the figures for Prometheus and the health check."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl


@pytest.fixture
def token(control: FakeControl) -> str:
    return str(control.admin_add_token(None, {"name": "test"})["token"])


@pytest.fixture
def program(app: Any, token: str) -> Program:
    return Program(Client(app), token)


class Program:
    """Somebody with a token."""

    def __init__(self, client: Client, token: str) -> None:
        self._client, self._token = client, token

    def ask(self, method: str, path: str, value: object = None) -> tuple[int, Any]:
        body = b"" if value is None else json.dumps(value).encode()
        response = self._client.ask(
            method, path, body, "application/json", authorization=f"Bearer {self._token}"
        )
        return response.status, json.loads(response.body)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", f"Bearer {'x' * 5000}"]
)
@pytest.mark.parametrize("path", ["/api/v1/extensions", "/api/v1/openapi.json", "/metrics", "/api/v1/none"])
def test_nothing_is_told_without_a_token(visitor: Client, authorization: str, path: str) -> None:
    response = visitor.get(path, authorization=authorization)
    assert response.status == 401
    assert "Bearer" in (response.header("WWW-Authenticate") or "")


def test_a_log_in_is_no_token(admin: Client) -> None:
    assert admin.get("/api/v1/extensions").status == 401


def test_the_methods_are_controls_verbs(program: Program, control: FakeControl) -> None:
    status, made = program.ask("POST", "/api/v1/extensions", {"number": "130", "password": "words enough"})
    assert (status, made["number"]) == (201, "130")
    assert control.asked[-1][4] == "api:1"
    assert program.ask("GET", "/api/v1/lines")[1][0]["name"] == "carrier"
    assert program.ask("PATCH", "/api/v1/routes/world", {"level": 6})[1]["level"] == 6
    assert program.ask("POST", "/api/v1/routes/95/test", {})[1]["decision"]["outcome"]["type"] == "passed"
    assert program.ask("GET", "/api/v1/dial-plan")[1]["out_prefix"] == "9"
    assert program.ask("GET", "/api/v1/extensions/130")[1]["number"] == "130"
    assert program.ask("PATCH", "/api/v1/extensions/130", {"name": "Lab"})[1]["name"] == "Lab"
    assert len(program.ask("GET", "/api/v1/extensions")[1]) == 9
    assert program.ask("DELETE", "/api/v1/extensions/130") == (200, {"done": True})
    status, many = program.ask("POST", "/api/v1/extensions/add-many", {"first": "140", "count": 2})
    assert (status, len(many)) == (201, 2)
    assert program.ask("POST", "/api/v1/calls/c-7f3a/hang-up")[0] == 200
    assert program.ask("GET", "/api/v1/status")[1]["version"] == "0.1.0"
    assert program.ask("PATCH", "/api/v1/system", {"time_zone": "Asia/Shanghai"})[0] == 200
    assert len(program.ask("GET", "/api/v1/records?number=101&limit=2")[1]) == 2


def test_refusals_have_a_status_a_key_and_words(program: Program) -> None:
    status, told = program.ask("GET", "/api/v1/extensions/999")
    assert (status, told["error"]["key"]) == (404, "error.not_found")
    status, told = program.ask("POST", "/api/v1/extensions", {"number": "101", "password": "x"})
    assert (status, told["error"]["key"]) == (409, "error.number_taken")
    assert told["error"]["params"] == {"number": "101"}
    status, told = program.ask("POST", "/api/v1/extensions", {"number": "x", "password": "x"})
    assert (status, told["error"]["path"]) == (400, "extensions.x.number")
    assert program.ask("POST", "/api/v1/extensions", ["no", "object"])[0] == 400


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}x'])
def test_what_is_not_json_is_refused(program: Program, visitor: Client, token: str, body: bytes) -> None:
    response = visitor.ask(
        "POST", "/api/v1/extensions", body, "application/json", authorization=f"Bearer {token}"
    )
    assert response.status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/admin/set-password"),
        ("POST", "/api/v1/admin/new-code"),
        ("POST", "/api/v1/admin/add-token"),
        ("GET", "/api/v1/admin"),
        ("POST", "/api/v1/backup/save"),
        ("POST", "/api/v1/extensions/remove"),
        ("POST", "/api/v1/calls/hang-up"),
        ("GET", "/api/v1/nothing"),
    ],
)
def test_what_a_token_must_not_do_does_not_exist(
    program: Program, control: FakeControl, method: str, path: str
) -> None:
    assert program.ask(method, path, {})[0] == 404
    assert control.asked[-1][:2] == ("admin", "check-token")


def test_a_method_that_an_address_does_not_have_is_refused_in_json(program: Program) -> None:
    status, told = program.ask("PUT", "/api/v1/extensions/101", {})
    assert (status, told["error"]["key"]) == (405, "error.not_found")


def test_the_description_names_every_address(program: Program) -> None:
    status, told = program.ask("GET", "/api/v1/openapi.json")
    assert status == 200
    assert told["openapi"] == "3.1.0"
    assert told["paths"].keys() >= {"/status", "/export", "/import", "/records/{key}", "/dns-check/{key}"}
    assert told["paths"]["/extensions"].keys() == {"get", "post"}
    assert told["paths"]["/extensions/{key}"].keys() == {"get", "patch", "delete"}
    assert told["paths"]["/extensions/add-many"].keys() == {"post"}
    assert told["paths"]["/calls/{key}/hang-up"].keys() == {"post"}
    assert told["paths"]["/system"].keys() == {"get", "patch"}
    assert not any(each.startswith(("/admin", "/backup", "/box")) for each in told["paths"])
    operation = told["paths"]["/extensions"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body.keys() <= {"title", "description", "type", "properties", "required", "additionalProperties"}
    assert {"number", "password"} <= body["properties"].keys()
    assert operation["summary"]


def test_services_are_described_and_answer(program: Program, control: FakeControl) -> None:
    paths = program.ask("GET", "/api/v1/openapi.json")[1]["paths"]
    assert paths["/features"].keys() == {"get"}
    assert paths["/do-not-disturb"].keys() == {"get"}
    assert paths["/do-not-disturb/{key}"].keys() == {"get", "patch", "delete"}
    assert paths["/codes/{key}"].keys() == {"get", "patch", "delete"}
    quiet = {"name": "101", "enabled": True}
    assert program.ask("PATCH", "/api/v1/do-not-disturb/101", {"enabled": True}) == (200, quiet)
    assert program.ask("GET", "/api/v1/do-not-disturb") == (200, [quiet])
    assert program.ask("GET", "/api/v1/do-not-disturb/999")[0] == 404
    assert program.ask("POST", "/api/v1/do-not-disturb", quiet)[0] == 404
    assert control.asked[-1][:2] == ("admin", "check-token")


def test_figures_for_prometheus(visitor: Client, token: str) -> None:
    text = visitor.get("/metrics", authorization=f"Bearer {token}").text
    assert "\nbranchbox_extensions 8.0\n" in text
    assert "\nbranchbox_calls 2.0\n" in text
    assert "\nbranchbox_subscriptions 3.0\n" in text
    assert "\nbranchbox_texts_total 12.0\n" in text
    assert "\nbranchbox_texts_refused_total 1.0\n" in text
    assert '\nbranchbox_refused_calls_total{by="stranger",cause="no_credentials"} 41.0\n' in text
    assert 'branchbox_info{openssl="OpenSSL' in text


def test_the_health_check_says_whether_control_answers(visitor: Client, control: FakeControl) -> None:
    assert visitor.get("/healthz").text == "ok\n"

    def broken(*_: object) -> None:
        raise RuntimeError("the exchange has stopped")

    control.status_show = broken  # type: ignore[method-assign, assignment]
    response = visitor.get("/healthz")
    assert (response.status, response.text) == (503, "not ok\n")
