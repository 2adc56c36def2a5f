"""Conversations on a real line: pseudo-terminals opened by pyserial, as they come, with noise, pulled and put back.

Not tested here: a line's speed and its electrical troubles; a pseudo-terminal has neither.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.serial.port import LineGoneError, SerialPort
from appliance.serial.session import Session
from tests.serial.exchange import FakeExchange
from tests.serial.line import Plug, Typist, session_on


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    plug = Plug(tmp_path / "tty")
    yield plug
    plug.pull()


def set_up(typist: Typist) -> None:
    """Answer the wizard from its first question to the last page."""
    for pattern, answer in (
        (r"1/2 \[1\]: ", "1"),
        ("Password: ", "correct horse"),
        ("again: ", "correct horse"),
        (r"Host name \[branchbox\]: ", "pbx"),
        (r"1/2 \[1\]: ", "1"),
        (r"Time zone \[UTC\]: ", "Shanghai"),
        (r"How many .*\[0\]: ", "2"),
        (r"First number \[101\]: ", ""),
        ("to change it: ", "y"),
        ("secret-1[^$]*go on ", ""),
        ("▄[^$]*go on ", ""),
        ("readable ", ""),
    ):
        typist.answer(pattern, answer)


def test_a_box_is_set_up_and_then_shows_its_menu(plug: Plug) -> None:
    exchange, typist = FakeExchange(), Typist(plug)
    with session_on(plug.path, exchange):
        typist.answer("Press Enter to set it up", "")
        set_up(typist)
        typist.answer("Menu[^$]*> ", "1")
        typist.expect("Asia|1 d 02:03")
    assert exchange.password == "correct horse"
    assert list(exchange.extensions) == ["101", "102"]
    assert exchange.system["time_zone"] == "Asia/Shanghai"
    assert "correct horse" not in typist.screen
    assert "*************" in typist.screen


def test_junk_before_the_first_enter_and_in_answers(plug: Plug) -> None:
    exchange, typist = FakeExchange(), Typist(plug)
    with session_on(plug.path, exchange):
        typist.expect("Press Enter")
        typist.type(b"\x00\xff\xfe~~\x1b[A\x80\r\n")
        typist.expect("Press Enter")
        typist.type(random.Random(1).randbytes(2000).replace(b"\r", b"").replace(b"\n", b"") + b"\x15\r")
        typist.expect("Language")
        typist.type(b"\x1b[A\x1b[B\x00\xffx\x7f1\r")
        typist.answer("Password: ", "\x1bOPcorrect horsf\x7fe")
        typist.answer("again: ", "wrong\x15correct horse")
        typist.answer("Host name", "x" * 10_000)
        typist.expect("at most 63")
        typist.answer("Host name", "pbx")
        typist.expect("network address")


def test_ctrl_c_and_ctrl_d_never_end_the_wizard(plug: Plug) -> None:
    exchange, typist = FakeExchange(), Typist(plug)
    with session_on(plug.path, exchange):
        typist.expect("Press Enter")
        typist.type("\x03\x04")
        typist.expect("Press Enter")
        typist.type("\r")
        for _ in range(3):
            typist.expect(r"1/2 \[1\]: ")
            typist.type("2\x03")
            typist.expect(r"\^C")
        typist.expect("1/2")
        typist.type("\x04")
        typist.expect(r"\^D")
        set_up(typist)
        typist.expect("Menu")
    assert exchange.set_up


def test_a_pulled_plug_is_waited_for_and_the_answers_are_kept(plug: Plug) -> None:
    exchange, typist = FakeExchange(), Typist(plug)
    with session_on(plug.path, exchange):
        typist.answer("Press Enter", "")
        typist.answer("1/2", "1")
        typist.answer("Password: ", "correct horse")
        typist.answer("again: ", "correct horse")
        typist.expect("Host name")
        typist.type("half-typ")
        typist.expect("half-typ")
        plug.pull()
        plug.put_in()
        typist.expect("The line is back")
        typist.answer("Host name", "pbx")
        typist.answer("1/2", "1")
        typist.answer("Time zone", "UTC")
        typist.answer("How many", "0")
        typist.expect("Host name: pbx")
        typist.answer("change it: ", "y")
        typist.expect("is set up")
    assert exchange.password == "correct horse"
    assert exchange.system["host_name"] == "pbx"


def test_pasted_answers_are_each_for_their_own_question(plug: Plug) -> None:
    exchange, typist = FakeExchange(), Typist(plug)
    with session_on(plug.path, exchange):
        typist.expect("Press Enter")
        typist.type("\r1\rcorrect horse\rcorrect horse\rpbx\r1\rUTC\r0\ry\r")
        typist.expect("is set up")
    assert exchange.password == "correct horse"
    assert "correct horse" not in typist.screen


def test_two_sessions_do_not_share_a_line(plug: Plug) -> None:
    first = SerialPort(str(plug.path))
    try:
        with pytest.raises(LineGoneError):
            SerialPort(str(plug.path))
    finally:
        first.close()
    with pytest.raises(LineGoneError, match="nowhere"):
        SerialPort(str(plug.path.with_name("nowhere")))


class ScriptedPort:
    """A line that brings given octets and is then dead."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.written = b""

    def read(self, seconds: float) -> bytes:
        if not self._pieces:
            raise LineGoneError("no more")
        return self._pieces.pop(0)

    def write(self, data: bytes) -> None:
        self.written += data

    def reopen(self) -> None:
        raise LineGoneError("never")

    def close(self) -> None:
        pass


OCTETS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"\r", b"1\r", b"2\r", b"y\r", b"\x03", b"\x04", b"correct horse\r", b"101\r", b"\x1b[A"]
    ),
)


@given(st.lists(OCTETS, max_size=40), st.booleans(), st.booleans())
def test_no_octets_break_a_session_or_steer_the_terminal(
    pieces: list[bytes], set_up: bool, unicode: bool
) -> None:
    port = ScriptedPort([b"\r", *pieces])
    exchange = FakeExchange(set_up=set_up)
    with pytest.raises(LineGoneError):
        while True:
            Session(port, exchange, unicode=unicode, machine_idle=0.0).run()
    shown = port.written.decode("utf-8" if unicode else "ascii")
    assert all(each.isprintable() or each in "\r\n\b\a" for each in shown)
    assert "factory-reset" not in exchange.box
