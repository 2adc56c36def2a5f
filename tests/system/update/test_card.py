"""The card's slots: something whole is started, at whatever step the power is cut; and a trial is started once.

What systemd-boot and U-Boot's script do is played here; tests/image has both do it.
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.system.update.boot_part import check_boot
from appliance.system.update.bundle import open_bundle
from appliance.system.update.card import Card, Loader, Slot, other
from tests.system.update.power import power
from tests.system.update.workshop import BOOT_FILES, Workshop, boot_archive

NAMES: dict[Slot, str] = {"a": "PARTUUID=x-02", "b": "PARTUUID=x-03"}
STEPS_AT_MOST = 200
ROOTS = {"0.1.0": b"the first root", "0.2.0": b"the second root!"}


@dataclass
class Board:
    """A board with its boot loader, and what that starts."""

    card: Card
    workshop: Workshop

    @classmethod
    def new(cls, folder: Path, workshop: Workshop, loader: Loader) -> Board:
        (folder / "boot/loader/entries").mkdir(parents=True)
        (folder / "boot/u-boot").mkdir()
        roots: dict[Slot, Path] = {"a": folder / "root-a", "b": folder / "root-b"}
        for root in roots.values():
            root.write_bytes(bytes(64))
        board = cls(Card(folder / "boot", roots, NAMES, loader), workshop)
        board.write("a", "0.1.0")
        board.card.keep("a")
        return board

    def write(self, slot: Slot, version: str) -> None:
        path = self.workshop.image(
            f"{version}.image",
            ROOTS[version],
            version=version,
            boot=boot_archive(BOOT_FILES | {"vmlinuz": version.encode()}),
        )
        with path.open("rb") as file:
            self.card.write(slot, open_bundle(file, self.workshop.ring()))

    def update(self) -> None:
        self.write("b", "0.2.0")
        self.card.stage("b")

    def start(self) -> tuple[Slot, str]:
        """What the boot loader starts: slot and version. It fails the test when that is not whole."""
        text = self._systemd_boot() if self.card.loader == "systemd-boot" else self._u_boot()
        slot = self._slot(text)
        kernel = (self.card.boot / slot / "vmlinuz").read_text()
        root = self.card.roots[slot].read_bytes().rstrip(b"\0")
        assert root == ROOTS[kernel], "kernel and root are of different versions, or half-written"
        return slot, kernel

    def _systemd_boot(self) -> str:
        entries = {}
        for path in sorted((self.card.boot / "loader/entries").glob("*.conf")):
            tries = re.fullmatch(r".+\+(\d+)(?:-(\d+))?", path.stem)
            text = path.read_text()
            key = re.search(r"^sort-key (\S+)$", text, re.MULTILINE)
            entries[path] = (tries is not None and tries[1] == "0", key[1] if key else "~", text, tries)
        path, (_, _, text, tries) = min(entries.items(), key=lambda each: each[1][:2])
        if tries is not None:
            left, done = int(tries[1]), int(tries[2] or 0)
            path.rename(path.with_name(f"{path.stem.partition('+')[0]}+{left - 1}-{done + 1}.conf"))
        return text

    def _u_boot(self) -> str:
        """As image/u-boot/boot.cmd has it."""
        folder = self.card.boot / "u-boot"
        tries = folder / "tries"
        files = ["kept.env", "kept.env.new"]
        if tries.exists() and tries.read_bytes() == b"1":
            tries.write_bytes(b"0")
            files.insert(0, "trial.env")
        texts = [(folder / file).read_text() for file in files if (folder / file).exists()]
        return next(text for text in texts if text.endswith("\nwhole=yes\n"))

    def _slot(self, text: str) -> Slot:
        found = re.search(r"^(?:linux /|slot=)([ab])\b", text, re.MULTILINE)
        assert found, text
        slot: Slot = "a" if found[1] == "a" else "b"
        assert "@" not in text
        assert NAMES[slot] in text
        return slot


LOADERS: list[Loader] = ["systemd-boot", "u-boot"]
OLD, NEW = ("a", "0.1.0"), ("b", "0.2.0")


@pytest.mark.parametrize("loader", LOADERS)
def test_a_new_slot_is_started_once_and_kept(tmp_path: Path, workshop: Workshop, loader: Loader) -> None:
    board = Board.new(tmp_path / "board", workshop, loader)
    assert [board.start(), board.card.kept()] == [OLD, "a"]
    board.update()
    assert [board.start(), board.card.kept()] == [NEW, "a"]
    board.card.keep("b")
    assert [board.start(), board.card.kept(), board.start()] == [NEW, "b", NEW]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_new_slot_that_is_not_kept_is_gone(tmp_path: Path, workshop: Workshop, loader: Loader) -> None:
    board = Board.new(tmp_path / "board", workshop, loader)
    board.update()
    assert [board.start(), board.start(), board.start()] == [NEW, OLD, OLD]
    board.card.forget_trial()
    assert board.start() == OLD
    board.update()
    assert board.start() == NEW


@pytest.mark.parametrize("loader", LOADERS)
def test_slots_take_turns(tmp_path: Path, workshop: Workshop, loader: Loader) -> None:
    board = Board.new(tmp_path / "board", workshop, loader)
    for _ in range(3):
        slot = other(board.card.kept())
        board.write(slot, "0.2.0")
        board.card.stage(slot)
        assert board.start() == (slot, "0.2.0")
        board.card.keep(slot)
        assert board.start() == (slot, "0.2.0")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("action", ["update", "keep", "forget"])
def test_power_is_cut_at_every_step(tmp_path: Path, workshop: Workshop, loader: Loader, action: str) -> None:
    seen = set()
    for last in range(STEPS_AT_MOST):
        board = Board.new(tmp_path / f"cut-{last}", workshop, loader)
        if action != "update":
            board.update()
            board.start()
        with power(tmp_path / f"cut-{last}", last) as source:
            match action:
                case "update":
                    board.update()
                case "keep":
                    board.card.keep("b")
                case _:
                    board.card.forget_trial()
        starts = tuple(board.start() for _ in range(3))
        seen.add(starts)
        board.update() if board.card.kept() == "a" else None
        if source.steps < last:
            break
    else:
        pytest.fail("more steps than this test looks at")
    expected = {
        "update": {(OLD, OLD, OLD), (NEW, OLD, OLD)},
        "keep": {(OLD, OLD, OLD), (NEW, NEW, NEW)},
        "forget": {(OLD, OLD, OLD)},
    }
    assert seen == expected[action]


def test_a_card_that_does_not_keep_what_is_written_is_found_out(
    tmp_path: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board.new(tmp_path / "board", workshop, "systemd-boot")

    def forget(descriptor: int, *_: int) -> None:
        Path(f"/proc/self/fd/{descriptor}").write_bytes(bytes(64))

    monkeypatch.setattr("os.posix_fadvise", forget)
    with pytest.raises(ConfigError, match="card_worn"):
        board.update()
    assert board.start() == OLD


def test_a_boot_partition_that_names_no_slot(tmp_path: Path, workshop: Workshop) -> None:
    board = Board.new(tmp_path / "board", workshop, "systemd-boot")
    (board.card.boot / "loader/entries/kept.conf").write_text("linux /vmlinuz\n")
    with pytest.raises(ConfigError, match="no_slot"):
        board.card.kept()
    (board.card.boot / "loader/entries/kept.conf").unlink()
    with pytest.raises(ConfigError, match="no_slot"):
        board.card.kept()


def _link() -> tarfile.TarInfo:
    entry = tarfile.TarInfo("vmlinuz")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


@pytest.mark.parametrize(
    "boot",
    [
        b"no tar at all" * 100,
        boot_archive({name: content for name, content in BOOT_FILES.items() if name != "initrd.img"}),
        boot_archive({**BOOT_FILES, "../evil": b"x"}),
        boot_archive({**BOOT_FILES, "a/b": b"x"}),
        boot_archive({**BOOT_FILES, ".hidden": b"x"}),
        boot_archive({**BOOT_FILES, "VMLINUZ": b"x"}),
        boot_archive({**BOOT_FILES, "u-boot.env": b"x" * 20_000}),
        boot_archive({**BOOT_FILES, **{f"tree-{number}.dtb": b"x" for number in range(100)}}),
        boot_archive(BOOT_FILES, link=_link()),
        boot_archive()[:-9_000],
    ],
)
def test_a_boot_part_of_other_things_than_plain_files(workshop: Workshop, boot: bytes) -> None:
    with workshop.image(boot=boot).open("rb") as file:
        bundle = open_bundle(file, workshop.ring())
        with pytest.raises(ConfigError, match="bad_boot"):
            check_boot(bundle)


def test_a_good_boot_part(workshop: Workshop) -> None:
    with workshop.image().open("rb") as file:
        check_boot(open_bundle(file, workshop.ring()))
