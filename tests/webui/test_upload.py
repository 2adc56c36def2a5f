"""webui/upload.py and pages/system_music.py: a form with a file, bounded, of an administrator, and gone afterwards."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.webui.browserless import HOST, Client, Response
from tests.webui.fake_control import FakeControl
from webui import upload
from webui.request import BodyRefusedError
from webui.upload import LINE, MORE_TIME, MOST_UPLOAD, received

BOUNDARY = "----WebKitFormBoundary7MA4YWxk"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    called = "" if file_name is None else f'; filename="{file_name}"\r\nContent-Type: audio/wav'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{called}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def environ(body: bytes, **others: Any) -> dict[str, Any]:
    known = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    return {**known, **others}


def refusal(sent: dict[str, Any]) -> int:
    with pytest.raises(BodyRefusedError) as caught, received(sent):
        pytest.fail("it was taken")
    return caught.value.status


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"--", b"x", BOUNDARY.encode()])).map(b"".join)
)
def test_any_file_arrives_as_it_is(content: bytes) -> None:
    assume(f"\n--{BOUNDARY}".encode() not in content)  # RFC 2046 §5.1: then a browser chooses another one
    if f"\r\n--{BOUNDARY}".encode() in b"\r\n" + content:
        return
    with received(
        environ(form(part("csrf", b"abc"), part("file", content, "a.wav")) + b"the next request")
    ) as taken:
        assert taken.file is not None
        assert (taken.file.read_bytes(), taken.fields) == (content, {"csrf": "abc"})


@pytest.mark.parametrize("octets", [LINE - 2, LINE - 1, LINE, LINE + 1, 3 * LINE])
def test_long_lines_arrive_whole_wherever_they_are_cut(octets: int) -> None:
    for content in (b"x" * octets, b"x" * octets + b"\r", b"x" * octets + b"\r\n"):
        with received(environ(form(part("file", content, "a.wav")))) as upload:
            assert upload.file is not None
            assert upload.file.read_bytes() == content


@pytest.mark.parametrize(
    ("called", "name"),
    [("a.wav", "a.wav"), ("C:\\Music\\a.wav", "a.wav"), ("../../a.wav", "a.wav"), ("音乐.wav", "音乐.wav")],
)
def test_a_file_has_its_name_without_folders(called: str, name: str) -> None:
    with received(environ(form(part("../file", b"sound", called)))) as upload:
        assert upload.file is not None
        assert (upload.file_name, upload.file.name) == (name, "file")
        folder = upload.file.parent
    assert not folder.exists()


def test_no_file_was_chosen() -> None:
    with received(environ(form(part("file", b"", "")))) as upload:
        assert upload.file is None


def test_what_is_no_whole_form_is_refused() -> None:
    good = form(part("file", b"sound", "a.wav"))
    assert refusal(environ(good, CONTENT_TYPE="text/plain")) == 400
    assert refusal(environ(good, CONTENT_LENGTH="")) == 411
    assert refusal(environ(good, CONTENT_LENGTH="-5")) == 411
    assert refusal(environ(good, HTTP_TRANSFER_ENCODING="chunked")) == 411
    assert refusal(environ(good, CONTENT_LENGTH=str(MOST_UPLOAD + 1))) == 413
    assert refusal(environ(b"no form\r\n")) == 400
    assert refusal(environ(form(part("text", b"x" * 5000)))) == 413
    assert refusal(environ(form(*[part("text", b"x")] * 21))) == 400
    assert refusal(environ(b"--" + BOUNDARY.encode() + b"\r\n" + b"X: y\r\n" * 20)) == 400
    for cut in range(0, len(good) - 4, 7):
        assert refusal(environ(good[:cut])) == 400


def test_more_time_is_asked_for() -> None:
    asked: list[None] = []
    with received(environ(form(part("file", b"x", "a")), **{MORE_TIME: lambda: asked.append(None)})):
        assert asked == [None]


def send(
    client: Client, content: bytes, file_name: str = "holiday.wav", token: str | None = None, name: str = ""
) -> Response:
    """As music; under a name as a prompt."""
    body = form(
        part("csrf", (client.token if token is None else token).encode()),
        *((part("name", name.encode()),) if name else ()),
        part("file", content, file_name),
    )
    path = "/system/prompts" if name else "/system/music"
    return client.ask("POST", path, body, FORM, origin=f"https://{HOST}")


def test_the_owner_s_music_is_taken_named_and_its_copy_gone(admin: Client, control: FakeControl) -> None:
    assert "The built-in music" in admin.get("/system").text
    assert send(admin, b"RIFF sound").header("Location") == "/system#music"
    _, verb, _, values, actor = next(each for each in reversed(control.asked) if each[:2] == ("music", "set"))
    assert (verb, values["title"], actor) == ("set", "holiday.wav", "local:web:admin")
    assert not Path(values["file"]).exists()
    page = admin.get("/system").text
    assert "holiday.wav" in page
    assert "The music on hold is yours now." in page
    assert admin.post("/system/music/remove").status == 303
    assert control.music["title"] == ""


def test_what_is_no_music_is_said_beside_the_file(admin: Client) -> None:
    admin.get("/system")
    for content, name in ((b"ID3", "song.mp3"), (b"", "")):
        refused = send(admin, content, name)
        assert refused.status == 400
        assert 'id="music-file-error"' in refused.text


def test_strangers_and_forged_forms_get_nowhere(admin: Client, visitor: Client, control: FakeControl) -> None:
    visitor.get("/log-in")
    assert send(visitor, b"RIFF").header("Location") == "/log-in"
    admin.get("/system")
    assert send(admin, b"RIFF", token="0" * 64).status == 403
    assert not any(each[:2] == ("music", "set") for each in control.asked)
    assert admin.ask("POST", "/system/music", b"x", FORM, origin=f"https://{HOST}").status == 400


def test_the_music_can_be_listened_to(admin: Client) -> None:
    heard = admin.get("/system/music/listen")
    assert heard.header("Content-Type") == "audio/wav"
    assert (heard.body[:4], len(heard.body)) == (b"RIFF", 44 + 16_000)
    assert "media-src 'self'" in (heard.header("Content-Security-Policy") or "")


def test_an_update_is_taken(admin: Client, control: FakeControl) -> None:
    admin.get("/system")
    body = form(part("csrf", admin.token.encode()), part("file", b"BUNDLE", "branchbox.bundle"))
    assert admin.ask("POST", "/system/update/file", body, FORM, origin=f"https://{HOST}").status == 303
    assert control.updated == b"BUNDLE"
    body = form(part("csrf", admin.token.encode()), part("file", b"", ""))
    refused = admin.ask("POST", "/system/update/file", body, FORM, origin=f"https://{HOST}")
    assert (refused.status, 'id="update-file-error"' in refused.text) == (400, True)


def test_where_there_is_no_room_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "SPARE_OCTETS", 2**60)
    sent = environ(form(part("file", b"sound", "a.wav")))
    with pytest.raises(BodyRefusedError) as caught, received(sent, spool=tmp_path):
        pytest.fail("it was taken")
    assert caught.value.status == 507
    assert list(tmp_path.iterdir()) == []


def test_it_lies_in_the_spool_meanwhile(tmp_path: Path) -> None:
    with received(environ(form(part("file", b"sound", "a.wav"))), spool=tmp_path) as taken:
        assert taken.file is not None
        assert taken.file.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_prompt_is_taken_heard_and_removed(admin: Client, control: FakeControl) -> None:
    admin.get("/system")
    assert send(admin, b"RIFF sound", name="weekend").header("Location") == "/system#prompts"
    assert [each["name"] for each in control.prompts] == ["closed", "welcome", "weekend"]
    page = admin.get("/system").text
    assert "The prompt is there." in page
    assert "/system/prompts/weekend/listen" in page
    assert admin.get("/system/prompts/weekend/listen").body[:4] == b"RIFF"
    assert admin.post("/system/prompts/weekend/remove").status == 303
    assert "weekend" not in admin.get("/system").text


def test_a_prompt_that_cannot_be_is_said_beside_it(admin: Client, control: FakeControl) -> None:
    admin.get("/system")
    for content, name, error in ((b"ID3", "week", "prompt-file-error"), (b"RIFF", "Wk", "name-error")):
        refused = send(admin, content, "song.mp3", name=name)
        assert (refused.status, error in refused.text) == (400, True)
    in_use = admin.post("/system/prompts/welcome/remove")
    assert (in_use.status, "Attendant 500 plays this prompt." in in_use.text) == (400, True)
    assert len(control.prompts) == 2


def test_the_tones_are_chosen(admin: Client, control: FakeControl) -> None:
    admin.get("/system")
    assert admin.post("/system/music/tones", {"tones": "china"}).status == 303
    assert control.music["tones"] == "china"
    assert admin.post("/system/music/tones", {"tones": "mars"}).status == 400
    assert admin.post("/system/music/tones", {}).status == 400
