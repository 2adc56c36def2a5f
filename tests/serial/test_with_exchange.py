"""The commands as they are shipped, against a running exchange: wizard, menu on a terminal, provision."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.exchange import CHECKOUT, Exchange, running_exchange
from tests.serial.line import PATIENCE, Plug, Typist, cable

PROGRAM = (sys.executable, "-m", "appliance")
PASSWORD = "correct horse"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    with running_exchange(tmp_path) as exchange:
        yield exchange


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    plug = Plug(tmp_path / "tty")
    yield plug
    plug.pull()


@contextmanager
def serial(
    port: Path | str, data: Path, terminal: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    command = [*PROGRAM, "serial", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
        assert errors == b""


def ctl(exchange: Exchange, *words: str) -> Any:
    command = [*PROGRAM, "ctl", "--data", str(exchange.folder), "--json", *words]
    return json.loads(subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True).stdout)


def set_up(typist: Typist, count: int) -> None:
    typist.answer("Press Enter to set it up", "")
    typist.answer(r"1/2 \[1\]: ", "1")
    typist.answer("Password: ", PASSWORD)
    typist.answer("again: ", PASSWORD)
    typist.answer("Host name", "pbx")
    typist.answer(r"1/2 \[1\]: ", "1")
    typist.answer("Time zone", "Shanghai")
    typist.answer("How many", str(count))
    typist.answer("First number", "201")
    typist.answer("to change it: ", "y")
    typist.answer("shown once[^$]*go on ", "")


def test_the_wizard_makes_extensions_that_ctl_lists(exchange: Exchange, plug: Plug) -> None:
    typist = Typist(plug)
    with serial(plug.path, exchange.folder):
        set_up(typist, 3)
        typist.answer("Menu[^$]*> ", "3")
        typist.answer("code.*: ", "yes")
        code = typist.expect("[A-Z2-9]{4}-[A-Z2-9]{4}")
        typist.answer("Menu[^$]*> ", "4")
        typist.answer("1/2: ", "2")
        typist.answer("press Enter: ", "yes")
        typist.expect("only possible on the appliance")
    assert [each["number"] for each in ctl(exchange, "extensions", "list")] == ["201", "202", "203"]
    assert ctl(exchange, "status", "show")["set_up"]
    system = ctl(exchange, "system", "show")
    assert (system["host_name"], system["time_zone"]) == ("pbx", "Asia/Shanghai")
    exchange.perform("admin", "log-in", None, {"password": PASSWORD})
    exchange.perform("admin", "set-up", None, {"code": code, "password": "a newer horse"})


def test_it_waits_for_the_exchange(tmp_path: Path, plug: Plug) -> None:
    typist = Typist(plug)
    with serial(plug.path, tmp_path / "data"):
        typist.expect("Please wait")
        with running_exchange(tmp_path):
            typist.expect("Press Enter")


def test_a_terminal_gets_its_settings_back(exchange: Exchange, tmp_path: Path) -> None:
    plug = Plug(tmp_path / "terminal")
    terminal = os.open(plug.path, os.O_RDWR | os.O_NOCTTY)
    typist = Typist(plug)
    before = subprocess.run(["stty", "-g"], stdin=terminal, capture_output=True, check=True).stdout
    try:
        with serial("-", exchange.folder, terminal) as process:
            set_up(typist, 1)
            typist.answer("Menu[^$]*> ", "\x03")
            typist.answer("Menu[^$]*> ", "0")
            assert process.wait(PATIENCE) == 0
        assert (
            subprocess.run(["stty", "-g"], stdin=terminal, capture_output=True, check=True).stdout == before
        )
    finally:
        os.close(terminal)
        plug.pull()


def test_provision_over_a_cable(exchange: Exchange, plug: Plug, tmp_path: Path) -> None:
    laptop = Plug(tmp_path / "laptop")
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[administrator]\npassword = "{PASSWORD}"\n[system]\nhost_name = "pbx"\nlanguage = "zh"\n'
        '[[extensions]]\nnumber = "101"\npassword = "sesame-101"\n'
        '[lines.carrier]\nserver = "127.0.0.1"\naccount = "100"\nenabled = false\n'
        '[[groups]]\nname = "600"\nmembers = ["101"]\n',
        encoding="utf-8",
    )
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(settings.read_text(encoding="utf-8").replace('account = "100"', ""), encoding="utf-8")
    command = [*PROGRAM, "provision", "--port", str(laptop.path)]
    try:
        with cable(plug, laptop, lambda data: data), serial(plug.path, exchange.folder):
            bad, first, second = (
                subprocess.run(
                    [*command, str(file)], check=False, cwd=CHECKOUT, capture_output=True, text=True
                )
                for file in (wrong, settings, settings)
            )
    finally:
        laptop.pull()
    assert bad.returncode == 1
    assert bad.stdout == (
        "lines.carrier.account: refused: A value for “account” is missing.\nnothing was changed\n"
    )
    for done in (first, second):
        assert done.returncode == 0, done.stderr
        for item in ("extensions.101", "system.host_name", "lines.carrier", "groups.600"):
            assert f"{item}: accepted\n" in done.stdout
    assert "administrator.password: accepted\n" in first.stdout
    assert [each["name"] for each in ctl(exchange, "groups", "list")] == ["600"]
    assert [each["number"] for each in ctl(exchange, "extensions", "list")] == ["101"]


def test_sigterm_ends_it_on_a_controlling_terminal(exchange: Exchange) -> None:
    process, master = pty.fork()
    if process == 0:  # pragma: no cover - the child becomes the command
        os.chdir(CHECKOUT)
        os.execv(sys.executable, [*PROGRAM, "serial", "--port", "-", "--data", str(exchange.folder)])
    try:
        assert os.read(master, 100)
        os.kill(process, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    finally:
        os.close(master)
