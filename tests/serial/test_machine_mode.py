"""Machine mode without a line: frames, both ends against each other over any noise, and what a file does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.control.client import NotRunningError
from appliance.errors import ConfigError
from appliance.serial.frames import (
    CONTENT_LIMIT,
    FROM_BOX,
    FROM_LAPTOP,
    PIECE,
    RAW_LINE_LIMIT,
    Frame,
    FrameLines,
    looks_like_frame,
    pieces,
    print_frame,
    read_frame,
)
from appliance.serial.receiver import Receiver
from appliance.serial.sender import Exchange, LineError, push
from appliance.serial.settings import NOT_RUNNING, apply_settings
from tests.serial.exchange import FakeExchange
from tests.serial.person import converse

words = st.from_regex(r"[A-Za-z0-9+/=-]{1,20}", fullmatch=True)
RESULTS = [{"item": f"extensions.{number}", "accepted": True} for number in range(100, 110)]


class Box:
    """The box's end, as the session runs it: a receiver from the first START on."""

    def __init__(self) -> None:
        self.receiver: Receiver | None = None
        self.applied: list[bytes] = []

    def answer(self, line: str) -> str:
        if self.receiver is None:
            frame = read_frame(FROM_LAPTOP, line)
            if frame is None or frame.kind != "START":
                return ""
            self.receiver = Receiver(frame, self._apply)
            return self.receiver.greet()
        return self.receiver.receive(line)

    def _apply(self, content: bytes) -> list[dict[str, Any]]:
        self.applied.append(content)
        return RESULTS


class Noise:
    """Flips bits, one in `every`, from a seed."""

    def __init__(self, every: int, seed: int = 0) -> None:
        self.every = every
        self.random = random.Random(seed)

    def __call__(self, data: bytes) -> bytes:
        if not self.every:
            return data
        flipped = (sum((self.random.randrange(self.every) == 0) << bit for bit in range(8)) for _ in data)
        return bytes(octet ^ flips for octet, flips in zip(data, flipped, strict=True))


def transfer(content: bytes, box: Box, noise: Noise, session: str = "0badcafe") -> list[dict[str, Any]]:
    """A whole transfer in memory."""
    sending, to_box, to_laptop = push(content, session), FrameLines(), FrameLines()
    try:
        exchange = next(sending)
        while True:
            line = print_frame(FROM_LAPTOP, exchange.frame).encode() + b"\r"
            answers = [box.answer(each) for each in to_box.feed(noise(line))]
            lines = [
                each for text in answers if text for each in to_laptop.feed(noise(text.encode() + b"\r\n"))
            ]
            exchange = sending.send(_settling(exchange, lines))
    except StopIteration as end:
        results: list[dict[str, Any]] = end.value
        return results


def _settling(exchange: Exchange, lines: list[str]) -> Frame | None:
    frames = [frame for line in lines if (frame := read_frame(FROM_BOX, line))]
    return next((frame for frame in frames if exchange.settled_by(frame)), None)


@given(words, words, st.lists(words, max_size=3), st.text(max_size=40))
def test_a_frame_is_read_as_printed_also_behind_a_half_typed_line(
    kind: str, session: str, fields: list[str], half: str
) -> None:
    frame = Frame(kind, session, tuple(fields))
    assert read_frame(FROM_BOX, half + print_frame(FROM_BOX, frame)) == frame
    assert read_frame(FROM_LAPTOP, print_frame(FROM_BOX, frame)) is None


def test_the_line_is_short_and_has_the_documented_form() -> None:
    line = print_frame(FROM_LAPTOP, Frame("DATA", "12345678", ("4369", pieces(b"x" * PIECE)[0])))
    assert line.startswith("@BB1 DATA 12345678 4369 eHh4")
    assert len(line) < 128


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_goes_unseen(position: int, bit: int) -> None:
    line = bytearray(print_frame(FROM_LAPTOP, Frame("DATA", "12345678", ("1", "aGVsbG8="))).encode())
    line[position % len(line)] ^= 1 << bit
    assert read_frame(FROM_LAPTOP, line.decode("latin-1")) is None


@given(st.text())
def test_any_line_is_a_frame_or_none(line: str) -> None:
    assert read_frame(FROM_LAPTOP, line) is None


def test_a_broken_start_is_no_answer_of_a_person() -> None:
    start = print_frame(FROM_LAPTOP, Frame("START", "12345678", ("4096", "0123456789abcdef" * 4)))
    noise = Noise(every=100, seed=1)
    for _ in range(100):
        assert looks_like_frame(noise(start.encode()).decode("utf-8", "ignore"))
    assert not looks_like_frame("correct horse battery staple")
    assert not looks_like_frame("0123456789abcdef" * 4)


def test_endless_lines_are_bounded() -> None:
    assert FrameLines().feed(b"x" * 100_000 + b"\r\r\n\ry\n") == ["x" * RAW_LINE_LIMIT, "y"]


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 5000])
def test_a_clean_line(size: int) -> None:
    box = Box()
    content = random.Random(size).randbytes(size)
    assert transfer(content, box, Noise(0)) == RESULTS
    assert box.applied == [content]
    assert box.receiver is not None
    assert box.receiver.ended


@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_line_resends_and_applies_once(seed: int) -> None:
    # One bit in 4,000: every fifth line is broken.
    box, content = Box(), random.Random(seed).randbytes(2000)
    assert transfer(content, box, Noise(4000, seed)) == RESULTS
    assert box.applied == [content]


def test_a_line_that_is_only_noise_fails_with_a_reason() -> None:
    with pytest.raises(LineError, match="no answer"):
        transfer(b"x" * 100, Box(), Noise(20))


def test_what_is_not_what_was_announced_is_not_applied() -> None:
    applied: list[bytes] = []

    def apply(content: bytes) -> list[dict[str, Any]]:
        applied.append(content)
        return []

    receiver = Receiver(Frame("START", "s", ("5", "00" * 32)), apply)
    for frame in (Frame("DATA", "s", ("0", "aGVsbG8=")), Frame("DONE", "s")):
        answer = receiver.receive(print_frame(FROM_LAPTOP, frame))
    assert " FAIL s sha256 " in answer
    assert not applied


@pytest.mark.parametrize("size", ["0", str(CONTENT_LIMIT + 1), "99999999999", "x"])
def test_sizes_out_of_bounds_are_refused_at_once(size: str) -> None:
    receiver = Receiver(Frame("START", "s", (size, "00" * 32)), lambda _: [])
    assert " FAIL s size " in receiver.greet()
    assert " FAIL s state " in receiver.receive(
        print_frame(FROM_LAPTOP, Frame("DATA", "s", ("0", "aGVsbG8=")))
    )


def test_a_laptop_that_begins_anew_is_served_anew() -> None:
    box = Box()
    half = push(b"x" * 500, "first")
    box.answer(print_frame(FROM_LAPTOP, next(half).frame))
    assert transfer(b"whole", box, Noise(0), "second") == RESULTS
    assert box.applied == [b"whole"]


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_no_octets_break_the_receiver(data: list[bytes]) -> None:
    receiver, lines = Receiver(Frame("START", "s", ("5", "00" * 32)), lambda _: []), FrameLines()
    for each in data:
        for line in lines.feed(each):
            assert receiver.receive(line).startswith("#BB1 ")


# What a file does


def apply(exchange: FakeExchange, text: str) -> dict[str, dict[str, Any]]:
    _, items = converse(apply_settings(text.encode()), exchange, [])
    assert json.loads(json.dumps(items)) == items
    return {item["item"]: item for item in items}


WHOLE = """
[administrator]
password = "correct horse"
[system]
host_name = "pbx"
time_zone = "Europe/Berlin"
network = "static"
address = "192.168.1.5"
prefix = 24
gateway = "192.168.1.1"
[[extensions]]
number = "101"
password = "one"
[[extensions]]
number = "102"
password = "two"
"""


def test_a_new_box_takes_everything() -> None:
    exchange = FakeExchange()
    items = apply(exchange, WHOLE)
    assert list(items) == [
        "system.host_name",
        "system.time_zone",
        "system.network",
        "extensions.101",
        "extensions.102",
        "administrator.password",
    ]
    assert all(item["accepted"] for item in items.values())
    assert exchange.set_up
    assert exchange.password == "correct horse"
    assert exchange.system["address"] == "192.168.1.5"
    assert exchange.extensions == {"101": "one", "102": "two"}


def test_a_refusal_is_all_there_is_to_report() -> None:
    exchange = FakeExchange()
    items = apply(exchange, WHOLE.replace('"two"', '""'))
    assert list(items) == ["extensions.password"]
    assert items["extensions.password"]["key"] == "error.value_missing"
    assert not items["extensions.password"]["accepted"]
    assert not exchange.set_up


def test_a_box_that_is_set_up_wants_the_password() -> None:
    exchange = FakeExchange(set_up=True, password="right horse")
    items = apply(exchange, '[system]\nhost_name = "theirs"\n')
    assert items["administrator.password"]["reason"].startswith("The administrator's password is needed")
    assert exchange.system["host_name"] == "branchbox"


def test_everything_is_named_that_was_set() -> None:
    exchange = FakeExchange()
    exchange.refuse["provision", "apply"] = ConfigError(
        "lines.carrier.server", "error.value_missing", name="server"
    )
    text = '[lines.carrier]\naccount = "1"\n[[routes]]\nname = "all"\n[dial-plan]\nout_prefix = "9"\n'
    assert list(apply(exchange, text)) == ["lines.carrier.server"]
    assert list(apply(exchange, text)) == ["lines.carrier", "routes.all", "dial-plan.out_prefix"]


def test_what_is_no_toml_never_reaches_the_exchange() -> None:
    exchange = FakeExchange()
    assert list(apply(exchange, "not toml")) == ["file"]
    assert exchange.asked == []
    assert apply(exchange, "\ufeff" + WHOLE)["administrator.password"]["accepted"]


def test_without_an_exchange_it_says_so() -> None:
    exchange = FakeExchange()
    exchange.down_for = 99
    items = apply(exchange, WHOLE)
    assert [item["key"] for item in items.values()] == [NOT_RUNNING]
    with pytest.raises(NotRunningError):
        exchange(Exchange)  # type: ignore[arg-type]  # it never looks at it


@given(st.binary(max_size=200))
def test_no_file_breaks_it(content: bytes) -> None:
    _, items = converse(apply_settings(content), FakeExchange(), [])
    assert isinstance(items, list)


def test_on_a_board_a_network_that_came_over_the_line_is_kept() -> None:
    exchange = FakeExchange()
    exchange.tries_out = True
    assert apply(exchange, '[system]\nvlan = 7\nlink = "wifi"\n')["system.network"]["accepted"]
    assert (exchange.system["vlan"], exchange.system["trial"]) == (7, None)
