"""branchbox.toml on the card, from which a box sets itself up, and the box that has done so."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.image.conftest import new_box
from tests.image.machine import Machine
from tests.image.office import Phone
from tests.image.raspberry_pi import FatPartition
from tests.image.shell import MachineWithShell, open_shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.image.box import Box

__all__ = ["FILE", "HOST_NAME", "SECRETS", "box_by_file", "box_with_shell", "put_settings_file", "take_over"]

FILE = "branchbox.toml"
HOST_NAME = "exchange-9"
PASSWORD = "the-file-says-so-5"
PHONES = {"113": "secret-of-one-13", "114": "secret-of-two-14"}
SECRETS = (PASSWORD, *PHONES.values())


def put_settings_file(card: Path) -> None:
    """As a person does it on a laptop."""
    lines = ["[administrator]", f'password = "{PASSWORD}"', "[system]", f'host_name = "{HOST_NAME}"']
    for number, password in PHONES.items():
        lines += ["[[extensions]]", f'number = "{number}"', f'password = "{password}"']
    FatPartition(card).write(FILE, "\r\n".join([*lines, ""]).encode())


def take_over(box: Box) -> None:
    """Who wrote the file knows what it says: its phones and the administrator's password. Makes a token."""
    box.password = PASSWORD
    box.phones = [Phone(number, password) for number, password in PHONES.items()]
    box.console.log_in(box.password)
    box.console.make_token("image test")


@contextmanager
def box_by_file(board: type[Machine] = Machine) -> Iterator[Box]:
    """A box whose card has the file; its power is off."""
    with new_box(put_settings_file, board) as box:
        yield box


@contextmanager
def box_with_shell() -> Iterator[Box]:
    """A box that has set itself up and runs, with a shell (tests.image.shell)."""

    def prepare(card: Path) -> None:
        put_settings_file(card)
        open_shell(card)

    with new_box(prepare, MachineWithShell) as box:
        box.power_on()
        take_over(box)
        yield box
