"""Files by the API: the body is the file, bounded, read for a token only, and gone afterwards."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.webui.browserless import Client
from tests.webui.fake_control import FakeControl
from tests.webui.fake_outside import described
from webui import upload
from webui.app import create_app
from webui.openapi import document
from webui.pages import ROUTES
from webui.request import BodyRefusedError
from webui.upload import received_alone

BINARY = "application/octet-stream"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def program(control: FakeControl, spool: Path) -> Client:
    return Client(create_app(control, describe=described, spool=spool))


@pytest.fixture
def authorization(control: FakeControl) -> str:
    return f"Bearer {control.admin_add_token(None, {'name': 'test'})['token']}"


def put(client: Client, path: str, body: bytes, authorization: str = "") -> tuple[int, Any]:
    answer = client.ask("PUT", f"/api/v1{path}", body, BINARY, authorization=authorization)
    return answer.status, json.loads(answer.body)


def test_an_update_is_taken(program: Client, control: FakeControl, authorization: str, spool: Path) -> None:
    bundle = bytes(range(256)) * 1000
    assert put(program, "/update/file", bundle, authorization)[0] == 202
    assert control.updated == bundle
    area, verb, _, values, actor = control.asked[-1]
    assert (area, verb, [*values], actor) == ("update", "install", ["file"], "local:api:1")
    assert list(spool.iterdir()) == []


def test_music_and_prompts_are_taken(program: Client, control: FakeControl, authorization: str) -> None:
    status, music = put(program, "/music/file?title=Summer.wav", b"RIFFsound", authorization)
    assert (status, music["title"]) == (200, "Summer.wav")
    assert put(program, "/prompts/greeting/file", b"RIFFsound", authorization) == (200, {"done": True})
    assert "greeting" in [each["name"] for each in control.prompts]


def test_what_control_refuses_is_told(program: Client, authorization: str, spool: Path) -> None:
    status, told = put(program, "/prompts/greeting/file", b"ID3", authorization)
    assert (status, told["error"]["key"]) == (400, "error.not_a_wav")
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("path", ["/update/file", "/music/file", "/prompts/greeting/file"])
def test_without_a_token_nothing_is_read(
    program: Client, control: FakeControl, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.app.received_alone", lambda *_: pytest.fail("it was read"))
    for authorization in ("", "Bearer wrong"):
        status, told = put(program, path, b"RIFFsound", authorization)
        assert (status, told["error"]["key"]) == (401, "console.api.no_token")
    assert not any(each[1] in ("install", "set") for each in control.asked)


def test_too_much_is_refused_before_it_is_read(
    program: Client, authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "SPARE_OCTETS", 2**60)
    status, told = put(program, "/music/file", b"RIFF", authorization)
    assert (status, told["error"]["key"]) == (507, "console.api.no_room")
    status, told = put(program, "/music/file", b"x" * (upload.MOST_UPLOAD + 1), authorization)
    assert (status, told["error"]["key"]) == (413, "console.api.too_large")


def refusal(body: bytes, **sent: str) -> int:
    environ: dict[str, Any] = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **sent}
    with pytest.raises(BodyRefusedError) as caught, received_alone(environ, most=10):
        pytest.fail("it was taken")
    return caught.value.status


def test_no_length_a_false_one_and_one_that_is_too_long() -> None:
    assert refusal(b"four", CONTENT_LENGTH="") == 411
    assert refusal(b"four", HTTP_TRANSFER_ENCODING="chunked") == 411
    assert refusal(b"four", CONTENT_LENGTH="5") == 400
    assert refusal(b"more than ten") == 413


def test_the_description_names_each() -> None:
    paths = document("0.1.0", described())["paths"]
    taken = {each.path.replace("<key>", "{key}") for each in ROUTES if each.method == "PUT"}
    assert {f"/api/v1{path}" for path, methods in paths.items() if "put" in methods} == taken
    assert len(taken) == 3
    for path, methods in paths.items():
        if "put" in methods:
            assert BINARY in methods["put"]["requestBody"]["content"]
            assert ("{key}" in path) == any(
                each["in"] == "path" for each in methods["put"].get("parameters", ())
            )
