"""The program's slots: what runs is always whole, and what was not kept goes, at whatever step the power is cut."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system.update.bundle import open_bundle
from appliance.system.update.releases import Links, Releases, read_base
from tests.system.update.power import power
from tests.system.update.workshop import Workshop

LAUNCHER = Path(__file__).parents[3] / "image/overlay/usr/libexec/branchbox/choose-release"
BASE, OLD, NEW = b"#!/bin/sh\necho base\n", b"#!/bin/sh\necho old\n", b"#!/bin/sh\necho new\n"
STEPS_AT_MOST = 60


class Host:
    """A box whose program is started by the very script that systemd runs."""

    def __init__(self, folder: Path, workshop: Workshop) -> None:
        self.folder, self.workshop = folder, workshop
        self.program = folder / "base"
        self.program.mkdir(parents=True)
        (self.program / "branchbox").write_bytes(BASE)
        (self.program / "branchbox").chmod(0o755)
        (self.program / "base").write_text("0.1.0\n")
        self.releases = Releases(folder / "releases", read_base(self.program) or "")

    def start(self) -> str:
        """systemd starts the service: what runs then?"""
        chosen = self.folder / "run/release"
        subprocess.run(
            [LAUNCHER, self.folder / "releases", self.program, chosen], check=True, capture_output=True
        )
        started = subprocess.run([chosen / "branchbox"], check=True, capture_output=True, text=True)
        return started.stdout.strip()

    def add(self, program: bytes, version: str) -> str:
        path = self.workshop.application(f"{version}.bundle", program, version=version)
        with path.open("rb") as file:
            return self.releases.add(open_bundle(file, self.workshop.ring()))

    def update(self, program: bytes, version: str) -> None:
        self.releases.stage(self.add(program, version))


@pytest.fixture
def host(tmp_path: Path, workshop: Workshop) -> Host:
    return Host(tmp_path / "host", workshop)


def test_the_base_runs_when_there_is_nothing_else(host: Host) -> None:
    assert host.start() == "base"


def test_an_update_runs_once_and_is_kept(host: Host) -> None:
    host.update(NEW, "0.2.0")
    assert host.start() == "new"
    host.releases.keep()
    assert host.start() == "new"
    assert host.start() == "new"
    links = host.releases.links()
    assert links.current is not None
    assert links.current.startswith("0.2.0-")
    assert (links.next, links.trying, links.failed) == (None, None, None)


def test_an_update_that_ends_before_it_is_kept_does_not_come_again(host: Host) -> None:
    host.update(OLD, "0.2.0")
    host.start()
    host.releases.keep()
    host.update(NEW, "0.3.0")
    assert [host.start(), host.start(), host.start()] == ["new", "old", "old"]
    failed = host.releases.links().failed
    assert failed is not None
    assert failed.startswith("0.3.0-")


def test_an_update_is_given_up(host: Host) -> None:
    host.update(NEW, "0.2.0")
    host.releases.give_up()
    assert host.start() == "base"
    host.update(NEW, "0.2.0")
    assert host.start() == "new"
    host.releases.give_up()
    assert host.start() == "base"


def test_what_came_back_may_be_tried_again(host: Host) -> None:
    host.update(NEW, "0.2.0")
    assert [host.start(), host.start()] == ["new", "base"]
    host.update(NEW, "0.2.0")
    assert host.start() == "new"
    host.releases.keep()
    assert host.start() == "new"


def test_the_release_that_runs_is_not_written_over(host: Host) -> None:
    host.update(NEW, "0.2.0")
    host.start()
    host.releases.keep()
    links = host.releases.links()
    written = (host.releases.folder / str(links.current) / "branchbox").stat().st_ino
    host.update(NEW, "0.2.0")
    assert (host.releases.folder / str(links.current) / "branchbox").stat().st_ino == written
    assert [host.start(), host.start()] == ["new", "new"]


def test_another_base_does_not_see_releases_over_the_old_one(host: Host) -> None:
    host.update(NEW, "0.2.0")
    host.start()
    host.releases.keep()
    (host.program / "base").write_text("0.3.0\n")
    assert host.start() == "base"
    (host.program / "base").write_text("0.1.0\n")
    assert host.start() == "new"


def test_a_release_that_vanished_does_not_keep_the_base_from_running(host: Host) -> None:
    host.update(NEW, "0.2.0")
    host.start()
    host.releases.keep()
    shutil.rmtree(host.releases.folder / str(host.releases.links().current))
    assert host.start() == "base"


def test_a_disk_that_takes_no_writes_does_not_keep_the_exchange_from_starting(host: Host) -> None:
    host.update(NEW, "0.2.0")
    # A folder in the way of the rename: it fails as it would on a file system that became read-only.
    (host.releases.folder / "trying").mkdir()
    (host.releases.folder / "trying" / "x").touch()
    assert host.start() == "base"


def test_old_releases_are_cleaned_away(host: Host) -> None:
    for number in range(2, 6):
        host.update(NEW + f"# {number}\n".encode(), f"0.{number}.0")
        host.start()
        host.releases.keep()
    (host.releases.folder / ".0.9.0-half").mkdir()
    host.releases.clean()
    left = {each.name for each in host.releases.folder.iterdir()}
    assert left == {"current", host.releases.links().current}


def test_a_bundle_that_changed_after_it_was_checked_leaves_nothing(host: Host, workshop: Workshop) -> None:
    # Larger than what a file object reads ahead.
    path = workshop.application(program=NEW + b"#" * 100_000)
    with path.open("rb") as file:
        bundle = open_bundle(file, workshop.ring())
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(ConfigError, match="altered"):
            host.releases.add(bundle)
    assert list(host.releases.folder.iterdir()) == []
    assert host.releases.links() == Links(None, None, None, None)


def _stage(host: Host) -> None:
    host.update(NEW, "0.3.0")


def _keep(host: Host) -> None:
    host.releases.keep()


def _give_up(host: Host) -> None:
    host.releases.give_up()


@pytest.mark.parametrize(
    ("started", "action", "possible"),
    [
        # What the next three starts may run, wherever the power went.
        (False, _stage, [["old", "old", "old"], ["new", "old", "old"]]),
        (True, _keep, [["old", "old", "old"], ["new", "new", "new"]]),
        (True, _give_up, [["old", "old", "old"]]),
        (False, _give_up, [["old", "old", "old"], ["new", "old", "old"]]),
    ],
)
def test_power_is_cut_at_every_step(
    tmp_path: Path,
    workshop: Workshop,
    started: bool,
    action: Callable[[Host], None],
    possible: list[list[str]],
) -> None:
    seen = []
    for last in range(STEPS_AT_MOST):
        host = Host(tmp_path / f"cut-{last}", workshop)
        host.update(OLD, "0.2.0")
        host.start()
        host.releases.keep()
        if action is not _stage:
            host.update(NEW, "0.3.0")
        if started:
            assert host.start() == "new"
        with power(host.folder, last) as source:
            action(host)
        starts = [host.start() for _ in range(3)]
        assert starts in possible, f"power cut after step {last}"
        seen.append(starts)
        # However it stood, the next update goes its way.
        host.update(NEW, "0.3.0")
        assert host.start() == "new"
        host.releases.keep()
        assert host.start() == "new"
        if source.steps < last:
            break
    else:
        pytest.fail("more steps than this test looks at")
    assert all(each in seen for each in possible), "the test has not reached both sides"
