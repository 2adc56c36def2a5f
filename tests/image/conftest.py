"""The card that all tests of the image share, and the ports by which they reach the box on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from appliance import __version__
from tests.image.box import Board, Box
from tests.image.machine import Machine
from tests.peers.probe import free_port

TOP = Path(__file__).parents[2]
IMAGE = TOP / "dist" / f"branchbox-{__version__}-arm64.img.xz"
FIGURES = IMAGE.with_name("figures.json")
"Where `./build.sh bench` finds how long the image takes to boot."
CARD_SIZE = 4 * 1024**3
"Octets, of which a sparse file takes only what is written. A real card is larger than the image, too."


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """The image as it is handed out, on a new card; power is off at the beginning and cut at the end."""
    with new_box() as box:
        yield box


@contextmanager
def new_box(prepare: Callable[[Path], None] | None = None, board: Board = Machine) -> Iterator[Box]:
    """A box with a card of its own, which `prepare` may write to before it is started for the first time."""
    if not IMAGE.exists():
        pytest.skip(f"no dist/{IMAGE.name}; ./build.sh image makes it")
    folder = Path(tempfile.mkdtemp(prefix="branchbox-image-"))
    try:
        card = folder / "card"
        with card.open("wb") as file:
            subprocess.run(["xz", "--decompress", "--stdout", "--threads=0", IMAGE], stdout=file, check=True)
        if prepare is not None:
            prepare(card)
        os.truncate(card, CARD_SIZE)
        forwards = {("udp", 5060): free_port(), ("tcp", 443): free_port()}
        with closing(Box(card, folder, forwards, board)) as box:
            yield box
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def figure(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure into the run's output, past the capture."""

    def show(text: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n    {text}\n")

    return show
