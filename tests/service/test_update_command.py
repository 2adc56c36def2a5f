"""`branchbox update` as a person types it, on a box in a folder."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.main import main
from appliance.system.update import fetch
from appliance.system.update.state import concluded
from tests.system.update.box import MACHINE, FakeBox
from tests.system.update.workshop import Workshop

Update = Callable[..., int]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBox:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    folder = tmp_path / "workshop"
    folder.mkdir()
    return FakeBox(tmp_path / "box", Workshop(folder))


@pytest.fixture
def update(box: FakeBox) -> Update:
    root = str(box.root)
    where = [
        "--root",
        root,
        "--base",
        f"{root}/base",
        "--releases",
        f"{root}/releases",
        "--data",
        f"{root}/data",
    ]
    return lambda *words: main(["update", *where, *map(str, words)])


@pytest.fixture
def server(box: FakeBox) -> Iterator[str]:
    """What the workshop made, over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = box.workshop.folder / self.path.lstrip("/")
            self.send_response(200 if path.is_file() else 404)
            self.end_headers()
            if path.is_file():
                self.wfile.write(path.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file(box: FakeBox, update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(box.workshop.application(target=MACHINE)) == 0
    assert "0.2.0 is on trial" in capsys.readouterr().out
    assert box.site.programs().links().next is not None


def test_an_address(box: FakeBox, update: Update, server: str) -> None:
    path = box.workshop.image()
    assert update(f"{server}/{path.name}") == 0
    assert box.state.trial is not None
    assert box.state.trial.kind == "image"
    assert not (box.site.releases / "fetched").exists()


@pytest.mark.parametrize("name", ["nothing.bundle", "image.bundle"])
def test_an_address_with_nothing_good_behind_it(
    box: FakeBox, update: Update, server: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = box.workshop.image()
    path.write_bytes(path.read_bytes()[:-100])
    assert update(f"{server}/{name}") == 1
    said = capsys.readouterr().err
    assert ("Not Found" if name.startswith("nothing") else "octets or more are missing") in said
    assert box.state.trial is None
    assert not (box.site.releases / "fetched").exists()


def test_nobody_at_the_address(update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    assert update("http://127.0.0.1:1/update") == 1
    assert "could not be fetched" in capsys.readouterr().err


def test_a_card_that_is_full(
    box: FakeBox,
    update: Update,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(fetch, "SPARE_OCTETS", 2**60)
    assert update(f"{server}/{box.workshop.image().name}") == 1
    assert "no room" in capsys.readouterr().err


def test_only_checked(box: FakeBox, update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    assert update("--check", box.workshop.application(target=MACHINE)) == 0
    assert "good update to 0.2.0" in capsys.readouterr().out
    assert box.state.trial is None


def test_refused_in_words(
    box: FakeBox, update: Update, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.workshop.application(target="riscv64")
    assert update(path) == 1
    assert f"for riscv64; this is {MACHINE}" in capsys.readouterr().err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert update(path) == 1
    assert f"本机为 {MACHINE}" in capsys.readouterr().err


def test_a_file_that_is_not_there(update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    assert update("/nowhere/at/all") == 1
    assert "/nowhere/at/all" in capsys.readouterr().err


def test_what_was_asked_for_on_the_console(box: FakeBox, update: Update, server: str) -> None:
    data = box.root / "data"
    data.mkdir()
    address = f"{server}/{box.workshop.application(target='riscv64').name}"
    (data / "wanted-update.json").write_text(json.dumps({"source": address}))
    assert update("--requested") == 1
    refused = box.state.refused
    assert refused is not None
    assert (refused.key, refused.params) == ("update.wrong_target", {"target": "riscv64", "here": MACHINE})
    box.workshop.application(target=MACHINE)
    (data / "wanted-update.json").write_text(json.dumps({"source": address}))
    assert update("--requested") == 0
    assert box.state.refused is None
    assert box.state.trial is not None


def test_what_was_uploaded_on_the_console(box: FakeBox, update: Update) -> None:
    """It is gone afterwards, whether it was good or not."""
    data = box.root / "data"
    data.mkdir()
    for target, status in (("riscv64", 1), (MACHINE, 0)):
        shutil.copy(box.workshop.application(target=target), data / "update.bundle")
        (data / "wanted-update.json").write_text(json.dumps({"uploaded": True}))
        assert update("--requested") == status
        assert not (data / "update.bundle").exists()
    assert box.state.trial is not None


@pytest.mark.parametrize("trick", ["link", "pipe", "folder"])
def test_root_opens_nothing_else_for_it(box: FakeBox, update: Update, trick: str) -> None:
    data, secret = box.root / "data", box.root / "secret"
    data.mkdir()
    shutil.copy(box.workshop.application(target=MACHINE), secret)
    match trick:
        case "link":
            (data / "update.bundle").symlink_to(secret)
        case "pipe":
            os.mkfifo(data / "update.bundle")
        case _:
            (data / "update.bundle").mkdir()
    (data / "wanted-update.json").write_text(json.dumps({"uploaded": True}))
    assert update("--requested") == 1
    assert box.state.trial is None
    assert secret.exists()


def test_how_the_last_one_went(box: FakeBox, update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    assert update() == 0
    assert "No update was taken yet" in capsys.readouterr().out
    update(box.workshop.application(target=MACHINE))
    update()
    assert "0.2.0 is on trial" in capsys.readouterr().out
    box.remember(concluded(box.state, "came_back", ["lines"]))
    update()
    assert "What was missing at last: lines" in capsys.readouterr().out
    update(box.workshop.application(target=MACHINE))
    box.remember(concluded(box.state, "kept"))
    update()
    assert "0.2.0 has proved itself" in capsys.readouterr().out
