"""The replayer of power cuts: a tiny log made by hand. Requirements not tested: that QEMU writes such a log (test_power_cuts)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.image.write_log import ENTRY, FLUSH, FUA, MAGIC, SECTOR, SUPER, Cut, LoggedCard, WriteLog, draw

MANY = 2000
"Draws, in which each thing that may happen happens."


def entry(sector: int = 0, content: bytes = b"", flags: int = 0) -> bytes:
    return ENTRY.pack(sector, len(content) // SECTOR, flags, 0).ljust(SECTOR, b"\0") + content


def filled(letter: bytes, sectors: int) -> bytes:
    return letter * (SECTOR * sectors)


def header(sector_size: int = SECTOR) -> bytes:
    # No request is counted: QEMU was killed before it could.
    return SUPER.pack(MAGIC, 1, 0, sector_size).ljust(SECTOR, b"\0")


ENTRIES = (
    entry(flags=FLUSH),
    entry(0, filled(b"b", 2)),
    entry(flags=FLUSH),
    entry(2, filled(b"c", 4)),
    entry(0, filled(b"d", 1)),
    entry(6, filled(b"f", 1), FUA),
    entry(flags=FLUSH),
    entry(7, filled(b"e", 1)),
)


@pytest.fixture
def write_log(tmp_path: Path) -> Iterator[Callable[[bytes], WriteLog]]:
    opened = []

    def make(content: bytes) -> WriteLog:
        path = tmp_path / "log"
        path.write_bytes(content)
        opened.append(WriteLog(path))
        return opened[-1]

    yield make
    for log in opened:
        log.close()


@pytest.fixture
def log(write_log: Callable[[bytes], WriteLog]) -> WriteLog:
    return write_log(header() + b"".join(ENTRIES))


def letters(card: Path) -> str:
    content = card.read_bytes()
    assert all(len(set(content[at : at + SECTOR])) == 1 for at in range(0, len(content), SECTOR))
    return content[::SECTOR].decode()


def cards(tmp_path: Path, log: WriteLog, moment: int) -> set[str]:
    """All that a cut at this moment was seen to leave."""
    path = tmp_path / "card"
    path.write_bytes(filled(b".", 8))
    card, random, seen = LoggedCard(path, log), Random(moment), set()
    for cut in sorted((draw(log.requests, moment, random) for _ in range(MANY)), key=lambda cut: cut.covered):
        with card.after(cut):
            seen.add(letters(path))
    return seen


def test_a_log_says_what_was_written_where(log: WriteLog) -> None:
    assert [each.is_flush for each in log.requests] == [True, False, True, False, False, False, True, False]
    assert (log.requests[3].place, log.requests[3].length) == (2 * SECTOR, 4 * SECTOR)
    assert log.content(log.requests[3]) == filled(b"c", 4)


def test_a_moment_is_told_by_the_length_of_the_log(log: WriteLog) -> None:
    length = SECTOR + len(ENTRIES[0]) + len(ENTRIES[1])
    assert [log.position(length - 1), log.position(length), log.position(length + SECTOR - 1)] == [1, 2, 2]


def test_what_qemu_was_killed_over_is_no_request(write_log: Callable[[bytes], WriteLog]) -> None:
    whole = header() + b"".join(ENTRIES[:2])
    assert len(write_log(whole[:-1]).requests) == 1
    assert len(write_log(whole + b"\0" * 40).requests) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * SECTOR,
        header(4096),
        header() + ENTRY.pack(0, 1, 4, 0).ljust(SECTOR, b"\0"),
        header() + b"\0" * SECTOR,
        header() + ENTRY.pack(0, 0, 8, 4).ljust(SECTOR, b"\0") + b"mark",
    ],
    ids=["no log", "other sectors", "a discard", "nothing in it", "a mark"],
)
def test_what_is_not_understood_is_refused(content: bytes, write_log: Callable[[bytes], WriteLog]) -> None:
    with pytest.raises(ValueError, match=r"log of writes|not understood"):
        write_log(content)


def test_what_was_flushed_is_there_and_the_rest_in_any_part(log: WriteLog, tmp_path: Path) -> None:
    seen = cards(tmp_path, log, 5)
    assert all(each[1] == "b" and each[6:] == ".." for each in seen)
    assert {each[0] for each in seen} == {"b", "d"}
    # The later write may be there without the earlier one, and the other way round.
    assert {"bb......", "db......", "bbcccc..", "dbcccc.."} <= seen
    torn = {each[2:6] for each in seen} - {"....", "cccc"}
    assert {"c...", "...c", "c..c"} <= torn


def test_a_flush_that_is_the_last_thing_may_not_have_been_done(log: WriteLog, tmp_path: Path) -> None:
    assert {"........", "bb......"} <= cards(tmp_path, log, 3)
    assert all(each.startswith(("bb", "db")) for each in cards(tmp_path, log, 4))


def test_a_write_past_the_cache_is_there_once_something_follows(log: WriteLog, tmp_path: Path) -> None:
    assert {each[6] for each in cards(tmp_path, log, 6)} == {".", "f"}
    requests = (*log.requests[:6], log.requests[7])
    cuts = [draw(requests, 7, Random(seed)) for seed in range(MANY)]
    assert all(dict(cut.kept)[5] == (range(1),) for cut in cuts)


def test_the_next_moment_knows_nothing_of_the_last(log: WriteLog, tmp_path: Path) -> None:
    path = tmp_path / "card"
    path.write_bytes(filled(b".", 8))
    card = LoggedCard(path, log)
    with card.after(Cut(5, 3, ((3, (range(1, 3),)), (4, (range(1),))))):
        assert letters(path) == "db.cc..."
    with card.after(Cut(5, 3, ())):
        assert letters(path) == "bb......"
    with card.after(Cut(8, 7, ((7, (range(1),)),))):
        assert letters(path) == "dbccccfe"


def replaced_files(tmp_path: Path, log: WriteLog) -> set[str]:
    """A file in the sectors 2 and 3 that takes the place of the one in 0 and 1 once sector 4 says so."""
    seen = set()
    for moment in range(3, len(log.requests) + 1):
        for left in cards(tmp_path, log, moment):
            seen.add(left[2:4] if left[4] == "n" else left[:2])
    return seen


def test_a_flush_that_is_missing_is_found(write_log: Callable[[bytes], WriteLog], tmp_path: Path) -> None:
    old, new, name = entry(0, filled(b"o", 2)), entry(2, filled(b"w", 2)), entry(4, filled(b"n", 1))
    flush = entry(flags=FLUSH)
    right = write_log(header() + old + flush + flush + new + flush + name + flush)
    assert replaced_files(tmp_path, right) == {"oo", "ww"}
    wrong = write_log(header() + old + flush + flush + new + name + flush)
    assert replaced_files(tmp_path, wrong) == {"oo", "ww", "w.", ".w", ".."}
