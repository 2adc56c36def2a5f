"""The program's slots: DIR/BASE/RELEASE/branchbox, and four links that say which one runs.

    current   what runs, and what comes back; without it the base runs: the program of the image or of `install`
    next      what runs at the next start, once
    trying    what was started so; when it starts again without having been kept, it goes, and `current` runs
    failed    what came back last

`next` becomes `trying` and `trying` becomes `failed` in image/overlay/usr/libexec/branchbox/choose-release, which
systemd starts as root before the exchange: that works whatever is wrong with either program. Each step is one rename.

A base of another version does not see them: an image that is newer than a release runs its own program, and the old
image, when it comes back, finds its release again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.system.update import durable

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.system.update.bundle import Bundle

__all__ = ["PROGRAM", "Links", "Releases", "read_base"]

PROGRAM = "branchbox"
BASE_FILE = "base"
"Beside the base's program: its version, which names the folder of the releases that were installed over it."
LINKS = ("current", "next", "trying", "failed")
DIGEST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Links:
    """Where each link points: a release, or None."""

    current: str | None
    next: str | None
    trying: str | None
    failed: str | None


class Releases:
    """The releases over one base."""

    def __init__(self, folder: Path, base: str) -> None:
        """`folder` holds the releases of all bases; only root may write there."""
        self.folder = folder / base

    def links(self) -> Links:
        """How it stands."""
        return Links(*(self._target(name) for name in LINKS))

    def add(self, bundle: Bundle) -> str:
        """Write the program of a bundle beside the others, and say its name; nothing runs it yet.

        ConfigError when it is not what was signed, OSError; then nothing of it is left that could run.
        """
        (part,) = bundle.manifest.parts
        name = f"{bundle.manifest.version}-{part.sha256[:DIGEST_DIGITS]}"
        durable.make_folder(self.folder)
        self.clean()
        links = self.links()
        if name in (links.current, links.trying):
            return name  # the same octets; what runs is not written over
        scratch = self.folder / f".{name}"
        durable.remove_tree(scratch)
        durable.make_folder(scratch)
        try:
            durable.fill(scratch / PROGRAM, bundle.pieces(part.name), 0o755)
            durable.sync(scratch)
            durable.remove_tree(self.folder / name)
            durable.move(scratch, self.folder / name)
        except BaseException:
            durable.remove_tree(scratch)
            raise
        return name

    def stage(self, name: str) -> None:
        """At its next start the exchange is this release, once. OSError."""
        durable.drop(self.folder / "failed")
        durable.point(self.folder / "next", name)

    def keep(self) -> None:
        """What is tried is what runs from now on. OSError."""
        trying = self._target("trying")
        if trying is not None:
            durable.point(self.folder / "current", trying)
            durable.drop(self.folder / "trying")

    def give_up(self) -> None:
        """What is staged or tried is not run again; what runs must be restarted to be another. OSError."""
        durable.drop(self.folder / "next")
        if self._target("trying") is not None:
            durable.move(self.folder / "trying", self.folder / "failed")

    def clean(self) -> None:
        """Delete what nothing points to: releases of old, and what a power cut left half-written."""
        if not self.folder.is_dir():
            return
        links = self.links()
        wanted = {links.current, links.next, links.trying}
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink() and entry.name not in wanted:
                durable.remove_tree(entry)

    def forget_other_bases(self) -> None:
        """Delete the releases over any other base: the slot that it was in is written over."""
        for entry in self.folder.parent.glob("*"):
            if entry.is_dir() and not entry.is_symlink() and entry != self.folder:
                durable.remove_tree(entry)

    def _target(self, name: str) -> str | None:
        link = self.folder / name
        return link.readlink().name if link.is_symlink() else None


def read_base(program: Path) -> str | None:
    """The version of the base that lies in the folder `program`; None where there is none."""
    try:
        return (program / BASE_FILE).read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
