"""What QEMU's `blklogwrites` wrote down of a card, and the card as a power cut at some moment may have left it.

The format is that of Linux' dm-log-writes (drivers/md/dm-log-writes.c): a super block, then for each request a block with its
place, length and flags, then its data, all in sectors. The super block's count of requests is not
read: it is as old as the last flush when QEMU is killed.

A card keeps what it acknowledged a flush for. What came later it may have kept, lost, or kept in part, in any order: an
octet is whole, and so is a sector. Requests stand in the log in the order in which the guest handed them in, so what stands before a
flush is taken to be covered by it; a file system waits for what it needs to be covered. A flush is taken to be over when
anything follows it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

__all__ = ["SECTOR", "Cut", "LoggedCard", "Request", "WriteLog", "draw"]

SECTOR = 512
MAGIC = 0x6A736677736872
SUPER = struct.Struct("<QQQL")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA = 1, 2
TORN = 0.3
"Of the writes that a cut leaves open, so many are kept in part."


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Places and lengths in octets."""

    place: int
    "On the card."
    length: int
    flags: int
    data: int
    "Where its data begins in the log."
    end: int
    "Where the log has all of it."

    @property
    def is_flush(self) -> bool:
        return bool(self.flags & FLUSH)


class WriteLog:
    """A log that is not written any more. ValueError for what is no log, or has a kind of request we do not know."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self.requests: tuple[Request, ...] = tuple(self._read())
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Nothing may be read any more."""
        self._file.close()

    def position(self, length: int) -> int:
        """How many requests there were when the log had so many octets."""
        return sum(each.end <= length for each in self.requests)

    def content(self, request: Request) -> bytes:
        """What is written by it."""
        content = os.pread(self._file.fileno(), request.length, request.data)
        assert len(content) == request.length
        return content

    def _read(self) -> Iterator[Request]:
        size = os.fstat(self._file.fileno()).st_size
        magic, version, _, sector = SUPER.unpack(os.pread(self._file.fileno(), SUPER.size, 0))
        if (magic, version, sector) != (MAGIC, 1, SECTOR):
            msg = f"no log of writes in sectors of {SECTOR} octets"
            raise ValueError(msg)
        at = SECTOR
        while at + SECTOR <= size:
            place, sectors, flags, marked = ENTRY.unpack(os.pread(self._file.fileno(), ENTRY.size, at))
            data, length = at + SECTOR, sectors * SECTOR
            if flags & ~(FLUSH | FUA) or marked or not (length or flags & FLUSH):
                msg = f"a request that is not understood, at {at}: {flags=} {sectors=}"
                raise ValueError(msg)
            at = data + length
            if at > size:
                return  # QEMU was killed while it wrote this one
            yield Request(place * SECTOR, length, flags, data, at)


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment, and what the card made of the requests that no flush had covered."""

    moment: int
    "So many requests had been handed in."
    covered: int
    "So many of them are on the card for certain."
    kept: tuple[tuple[int, tuple[range, ...]], ...]
    "Of the others, those of which something is on the card: the request, and which of its sectors, in their order."


def draw(requests: Sequence[Request], moment: int, random: Random, answered: int = 0) -> Cut:
    """What a card may make of a power cut at a moment.

    `answered`: so many requests had been handed in when the box last said something for which it had waited for a flush.
    """
    flushes = [index for index in range(moment) if requests[index].is_flush]
    # The last thing that was handed in may not have come to its end.
    if flushes and flushes[-1] == moment - 1 >= answered and random.random() < 0.5:
        flushes.pop()
    covered = flushes[-1] + 1 if flushes else 0
    chance = random.choice((0.0, 0.5, 0.9, 1.0))
    kept: list[tuple[int, tuple[range, ...]]] = []
    for index in range(covered, moment):
        sectors = requests[index].length // SECTOR
        if not sectors:
            continue
        if requests[index].flags & FUA and index < moment - 1:
            kept.append((index, (range(sectors),)))
        elif random.random() < TORN and 0.0 < chance < 1.0:
            kept.append((index, _some(sectors, random)))
        elif random.random() < chance:
            kept.append((index, (range(sectors),)))
    return Cut(moment, covered, tuple(kept))


def _some(sectors: int, random: Random) -> tuple[range, ...]:
    """A beginning, an end or a piece out of the middle, or none of it."""
    first, last = sorted(random.randint(0, sectors) for _ in range(2))
    pieces = random.choice(((range(first),), (range(last, sectors),), (range(first), range(last, sectors))))
    return tuple(piece for piece in pieces if piece)


class LoggedCard:
    """A card that is brought from moment to moment of its log, onwards only."""

    def __init__(self, path: Path, log: WriteLog) -> None:
        """`path` is the card as it was when the log began. It is changed."""
        self._path = path
        self._log = log
        self._covered = 0

    @contextmanager
    def after(self, cut: Cut) -> Iterator[Path]:
        """The card as it is after that cut, for as long as this lasts. Whoever writes to it copies it first."""
        assert cut.covered >= self._covered, "the moments are not in their order"
        with self._path.open("r+b", buffering=0) as card:
            for request in self._log.requests[self._covered : cut.covered]:
                _write(card.fileno(), request.place, self._log.content(request))
            self._covered = cut.covered
            undo: list[tuple[int, bytes]] = []
            for index, pieces in cut.kept:
                request = self._log.requests[index]
                content = self._log.content(request)
                for piece in pieces:
                    place, octets = request.place + piece.start * SECTOR, len(piece) * SECTOR
                    undo.append((place, os.pread(card.fileno(), octets, place)))
                    _write(card.fileno(), place, content[piece.start * SECTOR : piece.stop * SECTOR])
            try:
                yield self._path
            finally:
                for place, content in reversed(undo):
                    _write(card.fileno(), place, content)


def _write(card: int, place: int, content: bytes) -> None:
    written = os.pwrite(card, content, place)
    assert written == len(content)
