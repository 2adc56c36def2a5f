"""Backups by themselves, on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from appliance.backup import scheduler
from appliance.backup.scheduler import Scheduler
from appliance.errors import ConfigError
from tests.control.fakes import Bench

DAY = 86_400.0
START = datetime(2026, 5, 14, 8, 30, tzinfo=UTC).timestamp()


def no_stick() -> Path:
    raise ConfigError("backup-schedule.to", "error.no_stick", name="branchbox-backup")


class Process:
    """A process with a schedule, on a clock that goes from look to look."""

    def __init__(self, bench: Bench, start: float = START, stick: Callable[[], Path] = no_stick) -> None:
        self.now = start
        self.schedule = Scheduler(bench.parts.backups, bench.store, bench.config, lambda: self.now, stick)
        bench.parts.schedule = self.schedule

    async def live(self, seconds: float) -> Scheduler:
        """As `run` does, for so long; begun anew each time."""
        end = self.now + seconds
        await self.schedule.begin()
        self.now += scheduler.START_AFTER
        while self.now < end:
            self.now += await self.schedule.look()
        return self.schedule


def files(bench: Bench) -> list[str]:
    return names_in(bench.store.folder / scheduler.FOLDER)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


async def test_nothing_is_made_until_it_is_wanted(bench: Bench) -> None:
    schedule = await Process(bench).live(3 * DAY)
    assert files(bench) == []
    assert schedule.next_at() is None


async def test_one_a_day_and_no_more_than_are_to_be_kept(bench: Bench) -> None:
    await bench("backup-schedule", "set", every="day", at="03:00", keep=3)
    process = Process(bench)
    await process.live(1000)
    assert files(bench) == ["branchbox-branchbox-20260514-083500.tar.gz"], "the first proves that it works"
    await process.live(5 * DAY)
    assert [each[20:28] for each in files(bench)] == ["20260517", "20260518", "20260519"]
    shown = await bench("backup-schedule", "show")
    assert shown["problem"] == ""
    assert shown["next_at"] == "2026-05-20T03:00:00Z"
    assert Path(shown["last_file"]).name == files(bench)[-1]
    assert len(await bench("backup", "list")) == 3
    # They are restored as any other.
    await bench("extensions", "add", number="101", password="pw101")
    await bench("backup", "restore", file=shown["last_file"])
    assert await bench("extensions", "list") == []


async def test_a_missed_one_is_made_up_after_a_restart_and_no_other(bench: Bench) -> None:
    await bench("backup-schedule", "set", every="week", weekday="thu")
    await Process(bench).live(1000)
    assert len(files(bench)) == 1
    await Process(bench, START + 3 * DAY).live(1000)
    assert len(files(bench)) == 1, "the state is known after a restart"
    process = Process(bench, START + 20 * DAY)
    await process.schedule.begin()
    assert process.schedule.next_at() == process.now
    await process.live(1000)
    assert files(bench)[1:] == ["branchbox-branchbox-20260603-083500.tar.gz"]


async def test_a_stick_is_waited_for(bench: Bench, tmp_path: Path) -> None:
    plugged: list[Path] = []

    def stick() -> Path:
        return plugged[0] if plugged else no_stick()

    await bench("backup-schedule", "set", every="day", to="usb", passphrase="a secret of mine")
    process = Process(bench, stick=stick)
    await process.live(1000)
    shown = await bench("backup-schedule", "show")
    assert (shown["problem"], shown["problem_params"]) == ("error.no_stick", {"name": "branchbox-backup"})
    assert "passphrase" not in shown
    assert shown["sealed"] is True
    assert await bench("backup", "list") == []
    plugged.append(tmp_path / "stick")
    plugged[0].mkdir()
    assert await process.schedule.look() == scheduler.LOOK_EVERY
    assert [Path(each["file"]).suffix for each in await bench("backup", "list")] == [".sealed"]
    assert process.schedule.state.problem == ""


async def test_one_that_fails_is_tried_again_and_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    await bench("backup-schedule", "set", every="day")
    process = Process(bench)

    async def fails(*_: object, **__: object) -> None:
        tried.append(process.now)
        raise ConfigError("backup.file", "error.disk_full")

    with monkeypatch.context() as patched:
        patched.setattr(bench.parts.backups, "save", fails)
        schedule = await process.live(scheduler.START_AFTER + 3 * scheduler.RETRY_AFTER + 1)
    assert len(tried) == 4
    assert schedule.state.problem == "error.disk_full"
    assert (await process.live(1000)).state.problem == ""
    assert len(files(bench)) == 1


async def test_a_defect_is_no_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise KeyError("a defect")

    await bench("backup-schedule", "set", every="day")
    process = Process(bench)
    with monkeypatch.context() as patched:
        patched.setattr(bench.parts.backups, "save", fails)
        assert await process.schedule.look() == scheduler.RETRY_AFTER
    await process.schedule.look()
    assert len(files(bench)) == 1


async def test_the_task_looks_again_and_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    schedule = Process(bench).schedule

    async def look() -> float:
        looks.append(anyio.current_time())
        return 60.0

    async def begin() -> None:
        """In no time, by a clock that leaps while threads work."""

    monkeypatch.setattr(schedule, "look", look)
    monkeypatch.setattr(schedule, "begin", begin)
    began = anyio.current_time()
    with anyio.move_on_after(scheduler.START_AFTER + 150):
        await schedule.run()
    assert [each - began for each in looks] == [
        pytest.approx(scheduler.START_AFTER + each) for each in (0, 60, 120)
    ]


async def test_a_clock_that_was_never_set_makes_none(bench: Bench) -> None:
    await bench("backup-schedule", "set", every="day")
    await Process(bench, start=1000.0).live(3 * DAY)
    assert files(bench) == []


async def test_a_clock_that_leaps_back_makes_one_and_not_one_a_minute(bench: Bench) -> None:
    await bench("backup-schedule", "set", every="day", keep=50)
    process = Process(bench, start=START + 3650 * DAY)
    await process.live(1000)
    process.now = START
    await process.live(DAY)
    assert len(files(bench)) <= 2
    await Process(bench).live(1000)
    assert any(each[20:24] == "2026" for each in files(bench))


async def test_others_files_stay(bench: Bench) -> None:
    folder = bench.store.folder / scheduler.FOLDER
    folder.mkdir()
    others = ["branchbox-another-box-20200101-030000.tar.gz", "notes.txt", "branchbox.tar.gz"]
    for name in (*others, "branchbox-branchbox-20200101-030000.tar.gz", ".branchbox-x.part"):
        (folder / name).write_text("x")
    await bench("backup-schedule", "set", every="day", keep=1)
    await Process(bench).live(1000)
    assert files(bench) == sorted([*others, "branchbox-branchbox-20260514-083500.tar.gz"])


async def test_its_files_are_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bench = await Bench.open(Path("var"))
    try:
        saved = await bench("backup", "run")
        assert await bench("backup", "look", file=saved["file"])
        assert [each["file"] for each in await bench("backup", "list")] == [saved["file"]]
    finally:
        await bench.store.close()


async def test_it_is_made_when_it_is_asked_for(bench: Bench) -> None:
    saved = await bench("backup", "run")
    assert saved["file"].startswith(str(bench.store.folder / scheduler.FOLDER))
    assert bench.parts.schedule.state.last_file == saved["file"]
    with pytest.raises(ConfigError) as refused:
        await bench("backup", "run", actor="web:admin")
    assert refused.value.key == "error.only_on_the_box"


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("at", "24:00", "error.bad_time_of_day"),
        ("at", "3", "error.bad_time_of_day"),
        ("keep", 0, "error.out_of_range"),
        ("passphrase", "short", "error.passphrase_length"),
        ("every", "hour", "error.not_a_choice"),
    ],
)
async def test_what_cannot_be_set(bench: Bench, name: str, value: Any, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("backup-schedule", "set", **{name: value})
    assert (refused.value.path, refused.value.key) == (f"backup-schedule.{name}", key)


async def test_the_schedule_is_exported_and_imported_without_its_passphrase(bench: Bench) -> None:
    await bench("backup-schedule", "set", every="day", passphrase="a secret of mine")
    text = (await bench("export", "show"))["text"]
    assert "[backup-schedule]" in text
    assert "a secret of mine" not in text
    await bench("import", "apply", text=text.replace('"day"', '"month"'))
    now = bench.config.current.setting("backup-schedule")
    assert (now.every, now.passphrase) == ("month", "a secret of mine")


async def test_one_by_hand_onto_the_stick(bench: Bench, tmp_path: Path) -> None:
    """Whatever the schedule is; none is removed for it."""
    with pytest.raises(ConfigError) as refused:
        Process(bench)
        await bench("backup", "save", to_stick=True)
    assert refused.value.key == "error.no_stick"
    await bench("backup-schedule", "set", keep=1)
    (tmp_path / "stick").mkdir()
    process = Process(bench, stick=lambda: tmp_path / "stick")
    for step in range(2):
        process.now = START + step
        await bench("backup", "save", to_stick=True, passphrase="a passphrase" if step else "")
    assert names_in(tmp_path / "stick") == [
        "branchbox-branchbox-20260514-083000.tar.gz",
        "branchbox-branchbox-20260514-083001.sealed",
    ]
