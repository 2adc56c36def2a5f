"""What lies in the tree as its makers published it: the console's scripts, by the table in their VERSIONS file."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from image.sbom.component import Component, purl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["vendored"]

_ROW = re.compile(r"(\S+) +npm: (\S+) +(\S+) +(\S+) +([0-9a-f]{64})")


def vendored(folder: Path) -> Iterator[Component]:
    """Each row of the table. ValueError when a script is not in it, or is not what the table says."""
    rows = [
        row for line in (folder / "VERSIONS").read_text("utf-8").splitlines() if (row := _ROW.fullmatch(line))
    ]
    unnamed = {each.name for each in folder.iterdir() if each.suffix in (".js", ".css")} - {
        row[1] for row in rows
    }
    if unnamed:
        msg = f"not in VERSIONS: {', '.join(sorted(unnamed))}"
        raise ValueError(msg)
    for file, package, version, licence, digest in (row.groups() for row in rows):
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != digest:
            msg = f"{file} is not what VERSIONS says"
            raise ValueError(msg)
        name = package.replace("@", "%40")
        yield Component(
            "library",
            package,
            version,
            f"pkg:npm/{name}@{version}" if "@" in package else purl("npm", package, version),
            (licence,),
            sha256=digest,
        )
