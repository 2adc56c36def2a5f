"""The bill of materials: what it lists, what it says about licences, that it keeps to CycloneDX's own schema."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from image.sbom.licence import licences_of, spdx_id
from image.sbom.python import locked
from image.sbom.vendored import vendored

TOP = Path(__file__).parents[2]
STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: arm64
Source: openssl
Version: 3.0.17-1~deb12u3
Description: Secure Sockets Layer toolkit
 Version: 9 of a text is not a field

Package: libc6
Status: install ok installed
Architecture: arm64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 1:2.36-9+deb12u10

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""
DEP_5 = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: somebody
License: Apache-2.0

Files: debian/*
License: GPL-2+ or Artistic

License: Apache-2.0
 On Debian systems /usr/share/common-licenses/Apache-2.0 has it.
"""
PROSE = "The library may be copied; see /usr/share/common-licenses/LGPL-2.1. Parts: /usr/share/common-licenses/GPL-2."


def test_machine_readable_licences_are_read() -> None:
    assert licences_of(DEP_5) == ("Apache-2.0", "GPL-2+ or Artistic")


def test_of_prose_the_texts_it_refers_to_are_named() -> None:
    assert licences_of(PROSE) == ("GPL-2", "LGPL-2.1")
    assert licences_of("Do what you want.") == ()


@pytest.mark.parametrize(
    ("name", "spdx"),
    [
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        # What might mean something else than it seems to is left as it is written.
        ("GPL", None),
        ("GPL-2+ with OpenSSL exception", None),
        ("GPL-2+ or Artistic", None),
        ("GPL-9", None),
        ("public-domain", None),
    ],
)
def test_debian_names_become_spdx_identifiers_only_where_they_are_the_same(
    name: str, spdx: str | None
) -> None:
    assert spdx_id(name) == spdx


class Trees:
    """What a build leaves, as far as the generator looks at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.unpacked, self.python = (folder / each for each in ("root", "unpacked", "python"))
        self.frozen, self.site = folder / "frozen/_internal", folder / "site"
        self.put("root/var/lib/dpkg/status", STATUS)
        self.put("root/usr/share/doc/libssl3/copyright", DEP_5)
        self.put("unpacked/var/lib/dpkg/status", self.stanza("raspi-firmware") + self.stanza("tar"))
        self.put("unpacked/usr/share/doc/raspi-firmware/copyright", PROSE)
        self.put("list", "# only unpacked\nraspi-firmware # for a Pi\n")
        names = ("libpython3.11", "libpython3.11-minimal", "libpython3.11-stdlib", "libexpat1", "libssl3")
        self.put("python/var/lib/dpkg/status", "".join(map(self.stanza, names)))
        self.put("python/var/lib/dpkg/info/libexpat1.list", "./usr/lib/aarch64-linux-gnu/libexpat.so.1\n")
        self.put("python/usr/share/doc/libpython3.11-stdlib/copyright", "in its own words")
        self.put("frozen/_internal/libexpat.so.1", "")
        self.report: list[dict[str, Any]] = []
        for name in sorted(locked(TOP / "requirements/run.txt") | {"pyinstaller"}):
            self.add_wheel(name)

    def put(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    @staticmethod
    def stanza(name: str) -> str:
        source = "Source: python3.11\n" if "python" in name else ""
        return (
            f"Package: {name}\nVersion: 1.0-1\nArchitecture: arm64\n{source}Status: install ok unpacked\n\n"
        )

    def add_wheel(self, name: str) -> None:
        said = {"anyio": "License-Expression: MIT\n", "pyserial": "License: BSD\n"}.get(
            name, "Classifier: License :: OSI Approved :: MIT License\n"
        )
        self.put(
            f"site/{name.replace('-', '_')}-1.dist-info/METADATA", f"Name: {name}\nVersion: 1\n{said}\nText"
        )
        hashes = {"sha256": hashlib.sha256(name.encode()).hexdigest()}
        self.report.append(
            {
                "metadata": {"name": name},
                "download_info": {"url": "https://secret@mirror/", "archive_info": {"hashes": hashes}},
            }
        )

    def write(self) -> subprocess.CompletedProcess[str]:
        self.put("report", json.dumps({"install": self.report}))
        options = {
            "--root": self.root,
            "--unpacked": self.unpacked,
            "--unpacked-list": self.folder / "list",
            "--frozen": self.frozen.parent,
            "--python-tree": self.python,
            "--site": self.site,
            "--report": self.folder / "report",
            "--output": self.folder / "bill",
        }
        command = [sys.executable, "-m", "image.sbom", "--version", "0.1.0"]
        for option, path in options.items():
            command += [option, str(path)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False, env=environment)

    def bill(self) -> dict[str, Any]:
        done = self.write()
        assert done.returncode == 0, done.stderr
        written: dict[str, Any] = json.loads((self.folder / "bill").read_text(encoding="utf-8"))
        return written


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def by_name(bill: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in bill["components"]:
        found.setdefault(each["name"], []).append(each)
    return found


def test_it_keeps_to_the_schema(trees: Trees) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="./build.sh test installs it")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_5)
    text = json.dumps(trees.bill())
    refused = validator.validate_str(text)
    assert refused is None, str(refused)[:500]
    # The validator does look: the same with one wrong word.
    assert validator.validate_str(text.replace('"library"', '"libary"')) is not None


def test_what_is_in_the_root_is_listed(trees: Trees) -> None:
    found = by_name(trees.bill())
    assert "gone" not in found
    (libc,) = found["libc6"]
    assert libc["purl"] == "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u10?arch=arm64&distro=bookworm"
    assert {"name": "branchbox:debian-source", "value": "glibc 2.36-9"} in libc["properties"]
    # No copyright file at all: nothing is claimed.
    assert libc["licenses"] == [{"license": {"name": "NOASSERTION"}}]
    (libssl,) = found["libssl3"]
    assert libssl["licenses"] == [
        {"license": {"id": "Apache-2.0"}},
        {"license": {"name": "GPL-2+ or Artistic"}},
    ]


def test_what_is_in_the_executable_is_listed(trees: Trees) -> None:
    found = by_name(trees.bill())
    (anyio,) = found["anyio"]
    assert anyio["licenses"] == [{"expression": "MIT"}]
    assert anyio["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"anyio").hexdigest()}]
    assert anyio["purl"] == "pkg:pypi/anyio@1"
    # Python's documents are in the folder of one of its packages.
    for name in ("libpython3.11", "libpython3.11-stdlib"):
        assert found[name][0]["licenses"] == [
            {"license": {"name": "see /usr/share/doc/libpython3.11-stdlib/copyright"}}
        ]
    assert "libexpat1" in found
    assert {"htmx.org", "@picocss/pico", "pyinstaller"} <= found.keys()


def test_of_what_is_only_unpacked_the_named_ones_are_listed(trees: Trees) -> None:
    found = by_name(trees.bill())
    assert found["raspi-firmware"][0]["type"] == "firmware"
    assert "tar" not in found


def test_who_depends_on_whom(trees: Trees) -> None:
    bill = trees.bill()
    depends = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert "pkg:pypi/anyio@1" in depends["pkg:generic/branchbox@0.1.0"]
    assert "pkg:generic/branchbox@0.1.0" in depends["pkg:generic/branchbox-image@0.1.0"]
    known = {each["bom-ref"] for each in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {each for parts in depends.values() for each in parts} - known == set()


def test_it_is_the_same_again_and_another_for_another_tree(trees: Trees) -> None:
    first = trees.bill()
    assert trees.bill() == first
    assert first["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    trees.put("root/var/lib/dpkg/status", STATUS.replace("3.0.17", "3.0.18"))
    assert trees.bill()["serialNumber"] != first["serialNumber"]


def test_where_it_was_taken_from_is_not_told(trees: Trees) -> None:
    trees.bill()
    assert "secret@mirror" not in (trees.folder / "bill").read_text()


@pytest.mark.parametrize(
    ("file", "told"),
    [("frozen/_internal/libodd.so.7", "libodd.so.7"), ("list", "u-boot"), ("site", "anyio")],
)
def test_what_nobody_knows_ends_the_build(trees: Trees, file: str, told: str) -> None:
    if file == "site":
        (trees.site / "anyio-1.dist-info/METADATA").unlink()
    else:
        trees.put(file, told)
    done = trees.write()
    assert done.returncode != 0
    assert told in done.stderr


def test_a_script_that_is_not_what_its_table_says_ends_the_build(tmp_path: Path) -> None:
    source = TOP / "webui/static/vendor"
    for each in source.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    assert len(list(vendored(tmp_path))) == 2
    (tmp_path / "new.js").touch()
    with pytest.raises(ValueError, match=r"new\.js"):
        list(vendored(tmp_path))
    (tmp_path / "new.js").unlink()
    (tmp_path / "htmx.min.js").write_text("altered")
    with pytest.raises(ValueError, match=r"htmx\.min\.js"):
        list(vendored(tmp_path))
