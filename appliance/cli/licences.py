"""The licences of what the executable carries: each package's texts, as its makers wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import appliance

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER", "licence_texts"]

FOLDER = Path(appliance.__file__).parents[1] / "licences"
"A folder for each package; image/freeze/branchbox.spec fills it. A checkout has none."


def licence_texts(folder: Path = FOLDER) -> Iterator[str]:
    """Each text under the name of its package, sorted; nothing where nothing is carried. OSError."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            name = file.relative_to(folder).as_posix()
            yield f"== {name}\n\n{file.read_text(encoding='utf-8', errors='replace').strip()}\n\n"
