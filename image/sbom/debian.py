"""Debian's packages in a tree: what dpkg's own records say (deb-control(5), dpkg-query(1))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image.sbom.component import Component, purl
from image.sbom.licence import licences_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["COPYRIGHT_FILE", "Package", "component", "components", "owners", "packages"]

COPYRIGHT_FILE = "branchbox:copyright-file"
"The property that says where in a tree the whole text stands."
_SOURCE = re.compile(r"(\S+)(?: \((.*)\))?")
FIRMWARE = re.compile(r"raspi-firmware|firmware-|u-boot-|systemd-boot-efi|wireless-regdb")


@dataclass(frozen=True, slots=True)
class Package:
    """One stanza of dpkg's status file."""

    name: str
    version: str
    architecture: str
    source: str
    source_version: str


def packages(tree: Path) -> Iterator[Package]:
    """What is installed or unpacked in a tree, sorted by name. OSError without its records."""
    status = (tree / "var/lib/dpkg/status").read_text(encoding="utf-8")
    found = filter(None, (_package(stanza) for stanza in status.split("\n\n")))
    yield from sorted(found, key=lambda package: (package.name, package.architecture))


def _package(stanza: str) -> Package | None:
    fields: dict[str, str] = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
    if "Package" not in fields or fields.get("Status", "").split()[-1:] in (
        ["config-files"],
        ["not-installed"],
    ):
        return None
    source = _SOURCE.fullmatch(fields.get("Source", fields["Package"]))
    name, version = (source[1], source[2]) if source else (fields["Package"], None)
    return Package(
        fields["Package"],
        fields["Version"],
        fields["Architecture"],
        name,
        version or fields["Version"],
    )


def components(tree: Path, names: set[str] | None) -> Iterator[Component]:
    """Those packages of a tree, or all. ValueError for one that is not there."""
    every = tuple(packages(tree))
    if names is not None and (missing := names - {each.name for each in every}):
        msg = f"not in {tree.name}: {', '.join(sorted(missing))}"
        raise ValueError(msg)
    for package in every:
        if names is None or package.name in names:
            yield component(package, tree, tuple(each for each in every if each.source == package.source))


def component(package: Package, tree: Path, relatives: tuple[Package, ...] = ()) -> Component:
    """A package with its licences; a package whose folder of documents is a relative's has the relative's."""
    file, licences = _copyright(tree, (package, *relatives))
    return Component(
        "firmware" if FIRMWARE.match(package.name) else "library",
        package.name,
        package.version,
        purl("deb", f"debian/{package.name}", package.version, arch=package.architecture, distro="bookworm"),
        licences or ((f"see /{file}",) if file else ()),
        properties=(
            ("branchbox:debian-source", f"{package.source} {package.source_version}"),
            *(((COPYRIGHT_FILE, f"/{file}"),) if file else ()),
        ),
    )


def _copyright(tree: Path, candidates: tuple[Package, ...]) -> tuple[str, tuple[str, ...]]:
    for each in candidates:
        name = f"usr/share/doc/{each.name}/copyright"
        if (tree / name).is_file():
            return name, licences_of((tree / name).read_text(encoding="utf-8", errors="replace"))
    return "", ()


def owners(tree: Path, files: set[str]) -> dict[str, str]:
    """Which package brought each of these file names; what no package brought is not in the answer."""
    found = {}
    for record in sorted((tree / "var/lib/dpkg/info").glob("*.list")):
        for line in record.read_text(encoding="utf-8").splitlines():
            name = line.rpartition("/")[2]
            if name in files:
                found[name] = record.stem.partition(":")[0]
    return found
