"""What a screen at the box shows: the code while the box is new, no secret afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from appliance.control.feed import Feed
from appliance.service.screen import LOOK_S, Screen, ScreenText, screen_file

FINGERPRINT = ":".join(["AB"] * 32)


class FakeControl:
    def __init__(self) -> None:
        self.feed = Feed()
        self.code: str | None = "ABCD-EFGH"

    async def first_code(self) -> str | None:
        return self.code


class Box:
    def __init__(self) -> None:
        self.control = FakeControl()
        self.url = "https://192.0.2.5/"
        self.text = ScreenText(
            self.control,  # type: ignore[arg-type] # of control it needs the code alone
            lambda: "Branchbox",
            lambda: self.url,
            FINGERPRINT,
        )

    def screen(self, file: Path | None) -> Screen:
        return Screen(file, self.text, self.control)  # type: ignore[arg-type] # and where news comes from


async def test_a_new_box_shows_address_name_code_and_certificate() -> None:
    text = await Box().text.compose()
    for shown in ("https://192.0.2.5/", "https://branchbox.local/", "ABCD-EFGH"):
        assert shown in text
    assert FINGERPRINT in text.replace("\n  ", "")
    assert max(map(len, text.splitlines())) < 80


async def test_after_the_set_up_no_code_is_shown_ever_again() -> None:
    box = Box()
    box.control.code = None
    assert "One-time" not in await box.text.compose()
    # Somebody who lost the password makes a new code: it is told to them alone.
    box.control.code = "WXYZ-WXYZ"
    text = await box.text.compose()
    assert "WXYZ" not in text
    assert "192.0.2.5" in text


async def test_a_port_of_ones_own_is_shown_with_the_name() -> None:
    box = Box()
    box.url = "https://192.0.2.5:8443/"
    assert "https://branchbox.local:8443/" in await box.text.compose()


async def until(condition: Callable[[], bool]) -> None:
    """Time is virtual, and a thread that writes takes none of it."""
    while not condition():  # noqa: ASYNC110  # a file tells nobody
        await anyio.sleep(LOOK_S)


async def test_without_a_network_nobody_is_sent_to_themselves() -> None:
    box = Box()
    box.url = "https://127.0.0.1/"
    text = await box.text.compose()
    assert "no network address yet" in text
    assert "https://" not in text


async def test_the_file_follows_what_happens(tmp_path: Path) -> None:
    box, file = Box(), tmp_path / "screen"

    def shows(text: str) -> bool:
        return file.exists() and text in file.read_text()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(box.screen(file).run)
        await until(lambda: shows("ABCD-EFGH"))
        assert file.stat().st_mode & 0o777 == 0o640
        box.control.code = None
        box.control.feed.changed()
        await until(lambda: not shows("ABCD-EFGH"))
        # An address that came by DHCP is no news; it is found by looking.
        box.url = "https://192.0.2.77/"
        await until(lambda: shows("192.0.2.77"))
        tasks.cancel_scope.cancel()


async def test_nothing_is_written_without_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    async def at_once(_function: object, file: Path, content: bytes, _mode: int) -> None:
        written.append(content.decode())

    monkeypatch.setattr("appliance.service.screen.anyio.to_thread.run_sync", at_once)
    box = Box()
    with anyio.move_on_after(100 * LOOK_S):
        await box.screen(tmp_path / "screen").run()
    assert len(written) == 1


async def test_a_folder_that_is_gone_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Box().screen(folder / "screen").run)
        await until(lambda: "not up to date" in caplog.text)
        folder.mkdir()
        await until((folder / "screen").exists)
        tasks.cancel_scope.cancel()


async def test_where_nobody_shows_it_nothing_is_written() -> None:
    assert screen_file({}) is None
    assert screen_file({"RUNTIME_DIRECTORY": "/run/branchbox"}) == Path("/run/branchbox/screen")
    assert screen_file({"RUNTIME_DIRECTORY": "/run/a:/run/b"}) is None
    await Box().screen(None).run()
