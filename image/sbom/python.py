"""Python's packages in the executable: their metadata, and the hash of the wheel that was taken.

Core metadata 2.4 (PEP 639: License-Expression before License and classifiers); pip's installation report, version 1.
"""

from __future__ import annotations

import json
import re
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from image.sbom.component import Component, purl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

__all__ = ["canonical", "locked", "wheels"]

FREEZER = "pyinstaller"
"Its boot loader is a part of the executable, though no requirement names it."
LONGEST_NAME = 60
"Characters. Some packages have their whole licence in the field for its name."


def canonical(name: str) -> str:
    """One spelling of each name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(requirements: Path) -> set[str]:
    """The names in a list of requirements that `./build.sh lock` wrote."""
    return {
        canonical(name)
        for name in re.findall(
            r"^([A-Za-z0-9._-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE
        )
    }


def wheels(site: Path, requirements: Path, report: Path) -> Iterator[Component]:
    """What of `site` is in the executable, sorted by name. ValueError when a locked package is not there."""
    wanted = locked(requirements) | {FREEZER}
    hashes = _hashes(report)
    found = {}
    for file in site.glob("*.dist-info/METADATA"):
        metadata = HeaderParser().parsestr(file.read_text(encoding="utf-8"))
        found[canonical(metadata["Name"])] = metadata
    if missing := wanted - found.keys():
        msg = f"not in {site.name}: {', '.join(sorted(missing))}"
        raise ValueError(msg)
    for name in sorted(wanted):
        metadata = found[name]
        expression = metadata.get("License-Expression", "")
        yield Component(
            "library",
            name,
            metadata["Version"],
            purl("pypi", name, metadata["Version"]),
            () if expression else _licences(metadata),
            expression,
            hashes.get(name, ""),
        )


def _licences(metadata: Message) -> tuple[str, ...]:
    field = " ".join(str(metadata.get("License", "")).split())
    if field and field != "UNKNOWN" and len(field) <= LONGEST_NAME:
        return (field,)
    classes = [str(each) for each in metadata.get_all("Classifier", [])]
    return tuple(each.rpartition(" :: ")[2] for each in classes if each.startswith("License :: "))


def _hashes(report: Path) -> dict[str, str]:
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        canonical(each["metadata"]["name"]): each["download_info"]["archive_info"]["hashes"]["sha256"]
        for each in installed
    }
