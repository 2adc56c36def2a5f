"""The units: how far the exchange is locked in, and that what is left open says why."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
EXCHANGES = ("branchbox.service", "branchbox@.service")
MOST = 20
"Tenths: `systemd-analyze security` says 2.0 at most."
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)
ANALYZE = ("systemd-analyze", "security", "--offline=true")


@needs_systemd
@pytest.mark.parametrize("unit", EXCHANGES)
def test_the_exchange_is_locked_in(unit: str) -> None:
    done = subprocess.run(
        [*ANALYZE, f"--threshold={MOST}", UNITS / unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


BOUNDS = {
    "branchbox.service": 16,
    "branchbox@.service": 16,
    "branchbox-screen.service": 9,
    "branchbox-clock-save.service": 15,
    "branchbox-user@.service": 17,
    "branchbox-reset-file.service": 21,
    "branchbox-first-boot.service": 23,
    "branchbox-clock.service": 23,
    "branchbox-health.service": 30,
    "branchbox-update.service": 30,
    "branchbox-update-check.service": 30,
    "branchbox-grow-data.service": 35,
    "branchbox-system.service": 40,
    "branchbox-usb@.service": 41,
    "branchbox-wifi@.service": 57,
    "branchbox-trial.service": 73,
    "branchbox-report@.service": 96,
}
"""Tenths, of each unit; may only shrink. What root's must have (mount, block devices, the network) costs 2 to 3 alone; those that work
on the system itself cannot be given a look of their own at it."""


def test_every_unit_has_its_bound() -> None:
    assert {each.name for each in UNITS.glob("*.service")} == set(BOUNDS)


@needs_systemd
@pytest.mark.parametrize("unit", BOUNDS)
def test_no_unit_is_more_open_than_it_must_be(unit: str) -> None:
    done = subprocess.run(
        [*ANALYZE, f"--threshold={BOUNDS[unit]}", UNITS / unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", BOUNDS)
def test_every_unit_says_what_is_left_open(unit: str) -> None:
    comments = " ".join(re.findall(r"^# (.*)$", (UNITS / unit).read_text(), re.MULTILINE))
    assert re.search(r"Open: .*?because ", comments)


@pytest.mark.parametrize("unit", ["branchbox-usb@.service", "branchbox-grow-data.service"])
def test_what_mounts_for_others_has_no_look_of_its_own(unit: str) -> None:
    """systemd.exec(5): what a unit with a mount namespace mounts, nobody else sees."""
    settings = re.findall(r"^([A-Z][A-Za-z]+)=", (UNITS / unit).read_text(), re.MULTILINE)
    private = {
        each for each in settings if each.startswith(("Private", "Protect", "ReadWrite", "TemporaryFile"))
    }
    assert private == set()


@needs_systemd
@pytest.mark.parametrize("unit", EXCHANGES)
def test_what_is_left_open_has_its_reason_beside_it(unit: str) -> None:
    said = subprocess.run(
        [*ANALYZE, "--json=short", UNITS / unit], capture_output=True, text=True, check=True
    )
    is_open = [each["name"] for each in json.loads(said.stdout) if float(each["exposure"] or 0) > 0]
    comments = " ".join(re.findall(r"^# (.*)$", (UNITS / unit).read_text(), re.MULTILINE))
    reasons = " ".join(re.findall(r"Open: .*?(?=Open: |$)", comments))
    assert is_open
    unexplained = [name for name in is_open if _plain(name) not in reasons]
    assert unexplained == []


def _plain(name: str) -> str:
    """`RootDirectory=/RootImage=` and `RestrictAddressFamilies=~AF_UNIX` as a person writes them."""
    return name.rpartition("~")[2] if "~" in name else name.partition("/")[0]


def test_further_exchanges_are_locked_in_alike() -> None:
    """What differs is what they see of the data."""
    first, further = (_sandbox(UNITS / unit) for unit in EXCHANGES)
    assert first - further == {"ReadWritePaths=/data"}
    assert further - first == {
        "ReadWritePaths=-/run/branchbox-%i",
        "TemporaryFileSystem=/data",
        "BindPaths=/data/servers/%i",
        "BindReadOnlyPaths=-/data/releases",
    }


def _sandbox(unit: Path) -> set[str]:
    text = unit.read_text().partition("# What it may do beyond")[2].partition("[Install]")[0]
    return {line for line in text.splitlines() if re.match(r"[A-Z][A-Za-z]+=", line)}


def test_the_only_capability_is_a_low_port() -> None:
    for unit in EXCHANGES:
        capabilities = re.findall(r"CAP_[A-Z_]+", " ".join(_sandbox(UNITS / unit)))
        assert set(capabilities) == {"CAP_NET_BIND_SERVICE"}


def test_a_service_that_hangs_or_crashes_is_started_anew_within_limits() -> None:
    for unit in EXCHANGES:
        text = (UNITS / unit).read_text()
        for setting in (
            "Type=notify",
            "WatchdogSec=",
            "Restart=always",
            "StartLimitBurst=",
            "StartLimitIntervalSec=",
        ):
            assert f"\n{setting}" in text
