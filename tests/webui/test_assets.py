"""The files beside the pages: what was vendored is what VERSIONS says, and addresses follow content."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from webui.assets import Assets

VENDOR = files("webui").joinpath("static", "vendor")


def test_vendored_files_are_unchanged() -> None:
    told = dict(
        re.findall(
            r"^(\S+\.min\.\S+) .* ([0-9a-f]{64})$", VENDOR.joinpath("VERSIONS").read_text(), re.MULTILINE
        )
    )
    present = {each.name for each in VENDOR.iterdir() if ".min." in each.name}
    assert told.keys() == present
    for name, digest in told.items():
        assert hashlib.sha256(VENDOR.joinpath(name).read_bytes()).hexdigest() == digest


def test_an_address_holds_the_hash_of_its_content() -> None:
    assets = Assets()
    _, _, digest, name = assets.url("branchbox.css").split("/", 3)
    answer = assets.serve(digest, name)
    assert isinstance(answer.body, bytes)
    assert hashlib.sha256(answer.body).hexdigest().startswith(digest)


def test_a_file_that_is_not_there_has_no_address() -> None:
    with pytest.raises(KeyError):
        Assets().url("nothing.css")


@pytest.mark.parametrize("name", ["vendor/VERSIONS", "vendor/pico.LICENSE", "../app.py", "", "vendor"])
def test_nothing_else_is_served(name: str) -> None:
    assert Assets().serve("x", name).status == 404


def test_no_style_sheet_or_script_of_ours_asks_another_host() -> None:
    for name in ("branchbox.css", "console.js", "favicon.svg"):
        text = files("webui").joinpath("static", name).read_text(encoding="utf-8")
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
