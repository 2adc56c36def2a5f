"""`branchbox provision` against a wizard and a menu, over a line that is clean, spoiled or dead."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.serial import provision
from tests.serial.exchange import FakeExchange
from tests.serial.line import PATIENCE, Plug, Typist, cable, session_on
from tests.serial.test_machine_mode import WHOLE, Noise

MANY = WHOLE + "".join(f'[[extensions]]\nnumber = "{n}"\npassword = "pass-{n}"\n' for n in range(200, 220))


class Laptop:
    """Runs the command on one end of a cable."""

    def __init__(self, folder: Path) -> None:
        self.box, self.laptop = Plug(folder / "box"), Plug(folder / "laptop")
        self.file, self.transcript = folder / "settings.toml", folder / "transcript"

    def provision(self, text: str, *, as_json: bool = False) -> int:
        self.file.write_text(text, encoding="utf-8")
        return provision.run(
            argparse.Namespace(
                file=str(self.file),
                port=str(self.laptop.path),
                baud=115200,
                json=as_json,
                transcript=str(self.transcript),
            )
        )


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path)
    yield laptop
    laptop.box.pull()
    laptop.laptop.pull()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_new_box_over_a_bad_cable(laptop: Laptop, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    exchange = FakeExchange()
    noise = Noise(every=6000 if seed else 0, seed=seed)
    with cable(laptop.box, laptop.laptop, noise), session_on(laptop.box.path, exchange):
        assert laptop.provision(MANY) == 0
    assert len(exchange.extensions) == 22
    assert exchange.password == "correct horse"
    printed = capsys.readouterr().out
    assert "extensions.219: accepted\n" in printed
    transcript = laptop.transcript.read_text(encoding="utf-8")
    assert "> START" in transcript
    assert "< OK DATA" in transcript
    assert "correct horse" not in transcript + printed
    assert "pass-2" not in transcript + printed


def test_a_refusal_is_told_with_path_and_key(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    exchange = FakeExchange(set_up=True, password="correct horse")
    with cable(laptop.box, laptop.laptop, Noise(0)), session_on(laptop.box.path, exchange):
        assert laptop.provision(WHOLE.replace('"two"', '""'), as_json=True) == 1
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["item"], result["key"]) == ("extensions.password", "error.value_missing")
    assert not result["accepted"]
    assert exchange.system["host_name"] == "branchbox"


def test_the_wrong_password_changes_nothing(laptop: Laptop) -> None:
    exchange = FakeExchange(set_up=True, password="another horse")
    with cable(laptop.box, laptop.laptop, Noise(0)), session_on(laptop.box.path, exchange):
        assert laptop.provision(WHOLE) == 1
    assert exchange.extensions == {}
    assert exchange.system["host_name"] == "branchbox"


def test_it_works_at_any_prompt_and_gives_the_line_back(laptop: Laptop) -> None:
    exchange, typist = FakeExchange(), Typist(laptop.box)
    laptop.laptop.pull()
    with session_on(laptop.box.path, exchange):
        typist.answer("Press Enter", "")
        typist.answer("1/2", "1")
        typist.expect("Password: ")
        typist.type("half a passw")
        typist.expect(r"\*{12}")
        laptop.laptop.put_in()
        with cable(laptop.box, laptop.laptop, Noise(0)):
            assert laptop.provision(WHOLE) == 0
        # The box is set up now, so the wizard's half answer is no more: a menu waits.
        typist.type("\r\r")
        typist.expect("Menu")
    assert exchange.password == "correct horse"


def test_without_an_exchange(laptop: Laptop) -> None:
    exchange = FakeExchange()
    with cable(laptop.box, laptop.laptop, Noise(0)), session_on(laptop.box.path, exchange):
        exchange.down_for = 10**9
        assert laptop.provision(WHOLE) == 3


def test_nobody_at_the_other_end(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.serial.sender.ATTEMPTS", 2)
    assert laptop.provision(WHOLE) == 3
    laptop.laptop.pull()
    assert laptop.provision(WHOLE) == 3


def test_the_plug_is_pulled_in_the_middle(laptop: Laptop) -> None:
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(laptop.provision(MANY)))
    typist = Typist(laptop.laptop)
    thread.start()
    typist.expect("START")
    laptop.laptop.pull()
    thread.join(PATIENCE)
    assert statuses == [3]


@pytest.mark.parametrize("text", ["", "not toml", "x = '" + "y" * 300_000 + "'"])
def test_a_bad_file_is_not_sent(laptop: Laptop, text: str) -> None:
    assert laptop.provision(text) == 2


def test_a_missing_file(tmp_path: Path) -> None:
    missing = argparse.Namespace(
        file=str(tmp_path / "x"), port="/dev/null", baud=9600, json=False, transcript=None
    )
    assert provision.run(missing) == 2
