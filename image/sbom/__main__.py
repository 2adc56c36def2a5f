"""python3 -m image.sbom: writes the bill of materials of an image or of an executable. Needs nothing but Python; offline.

Equal trees give equal bytes: the time is the commit's, the serial number is made from what is listed.
"""

from __future__ import annotations

import argparse
import json
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image.sbom import debian
from image.sbom.component import Component, purl
from image.sbom.python import wheels
from image.sbom.vendored import vendored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOP = Path(__file__).parents[2]
PYTHON_PACKAGES = ("libpython3.11", "libpython3.11-minimal", "libpython3.11-stdlib")
"What CPython in the executable was taken from."


def main() -> None:
    """Collect, write."""
    arguments = _arguments()
    inside = [*executable(arguments.frozen, arguments.python_tree), *python_packages(arguments)]
    outside = [*system(arguments.root), *unpacked(arguments.unpacked, arguments.unpacked_list)]
    text = json.dumps(bill(arguments.version, outside, inside), indent=1, ensure_ascii=False) + "\n"
    arguments.output.write_text(text, encoding="utf-8")


def python_packages(arguments: argparse.Namespace) -> Iterator[Component]:
    """Wheels, and the console's scripts, which are in the executable, too."""
    yield from wheels(arguments.site, TOP / "requirements/run.txt", arguments.report)
    yield from vendored(TOP / "webui/static/vendor")


def executable(frozen: Path, tree: Path) -> Iterator[Component]:
    """CPython and the shared libraries that were frozen, as Debian's packages. ValueError for a library of nobody's."""
    libraries = {each.name for each in frozen.rglob("*.so.*") if each.parent.name == "_internal"}
    owned = debian.owners(tree, libraries)
    if unknown := libraries - owned.keys():
        msg = f"no package of {tree.name} brought {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    yield from debian.components(tree, {*owned.values(), *PYTHON_PACKAGES})


def system(tree: Path) -> Iterator[Component]:
    """Every package of the root."""
    yield from debian.components(tree, None)


def unpacked(tree: Path, names: Path) -> Iterator[Component]:
    """What the boot partition's files were taken from: the list's own packages, not what those depend on."""
    lines = (line.partition("#")[0].strip() for line in names.read_text(encoding="utf-8").splitlines())
    yield from debian.components(tree, {line for line in lines if line})


def bill(version: str, outside: Iterable[Component], inside: Iterable[Component]) -> dict[str, Any]:
    """The document: the image depends on the executable and on Debian's packages, the executable on what is in it."""
    ours = Component(
        *("application", "branchbox", version, purl("generic", "branchbox", version)), expression="Apache-2.0"
    )
    image = Component(
        *("operating-system", "branchbox-image", version, purl("generic", "branchbox-image", version)),
        expression="Apache-2.0",
    )
    parts = {
        ours.purl: [each.purl for each in inside],
        image.purl: [ours.purl, *(each.purl for each in outside)],
    }
    # A library that is both in the executable and in the root is one component that two depend on.
    components = {each.purl: each.as_json() for each in (ours, *outside, *inside)}
    listed = [components[key] for key in sorted(components)]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([version, listed]))
    made = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    described = image.as_json()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": described},
        "components": listed,
        "dependencies": [{"ref": key, "dependsOn": sorted(set(parts[key]))} for key in sorted(parts)],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m image.sbom", description="Write a CycloneDX 1.5 bill of materials."
    )
    parser.add_argument("--version", required=True, help="of Branchbox")
    for name, what in (
        ("root", "the tree that becomes the root"),
        ("unpacked", "the tree with what the boot partition's files come from"),
        ("unpacked-list", "the names of those packages"),
        ("frozen", "the executable as a folder"),
        ("python-tree", "the tree that it was frozen in"),
        ("site", "the folder of its Python packages"),
        ("report", "pip's report on them"),
        ("output", "the file to write"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, help=what)
    return parser.parse_args()


if __name__ == "__main__":
    main()
