"""The example on the card: true to what control takes, line by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.config.config import Config
from appliance.config.snapshot import Snapshot
from appliance.control.areas import AREAS
from appliance.control.areas.import_ import edited
from appliance.control.areas.placeholders import PLACEHOLDER
from appliance.control.control import describe
from appliance.errors import ConfigError
from appliance.features import settings_areas
from appliance.first_boot.document import read, settings
from appliance.first_boot.example import LEFT_OUT, example
from appliance.store.store import Store

FILE = Path(__file__).parents[2] / "image/boot-partition/branchbox.toml.example"
SETTING = re.compile(r"^#(?! |$)", re.MULTILINE)
OWN = "a secret of one's own"
KEYS = ("number", "name")


def freed(text: str) -> str:
    """With the # taken from every setting."""
    return SETTING.sub("", text)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Snapshot]:
    store = await Store.open(tmp_path / "var")
    yield (await Config.open(store, settings_areas())).current
    await store.close()


def single_lines() -> list[str]:
    """Each setting alone, with its table."""
    found, table = [], ""
    for line in example().splitlines():
        if line.startswith("#["):
            table = line[1:]
        elif SETTING.match(line):
            found.append(f"{table}\n{line[1:]}\n")
    return found


def test_the_file_on_the_card_is_this_one() -> None:
    assert FILE.read_text(encoding="utf-8") == example(), (
        "make it anew: .venv/bin/python -m appliance first-boot --example > image/boot-partition/branchbox.toml.example"
    )


def test_as_it_is_it_says_nothing() -> None:
    assert tomllib.loads(example()) == {}


async def test_all_of_it_can_be_applied_once_secrets_are_ones_own(empty: Snapshot) -> None:
    text = freed(example())
    with pytest.raises(ConfigError) as refused:
        read(text.encode(), empty)
    assert refused.value.key == "error.placeholder"
    document = read(text.replace(PLACEHOLDER, OWN).encode(), empty)
    new = settings(empty, document)
    assert new.extensions.keys() == {"101"}
    assert document["administrator"]["password"] == OWN


@pytest.mark.parametrize("text", single_lines(), ids=lambda text: text.split(" ")[0].replace("\n", " "))
async def test_every_line_can_be_applied(empty: Snapshot, text: str) -> None:
    whole = tomllib.loads(freed(example()).replace(PLACEHOLDER, OWN))
    del whole["administrator"]
    there = edited(empty, whole)
    settings(there, read(text.replace(PLACEHOLDER, OWN).encode(), there))


def test_every_setting_is_in_it() -> None:
    document = tomllib.loads(freed(example()))
    told = describe(AREAS)
    areas = ("system", "dial-plan", "extensions", "lines", "trunks", "routes", "backup-schedule")
    for area in (*areas, *(each.name for each in settings_areas())):
        wanted = set(told[area]["add" if "add" in told[area] else "set"]["properties"])
        wanted -= {name for of, name in LEFT_OUT if of == area}
        tables = document[area]
        if all(isinstance(each, dict) for each in tables.values()):
            wanted -= {"number"} if area == "extensions" else {"name"}
            assert all(set(each) == wanted for each in tables.values()), area
        else:
            assert set(tables) == wanted, area


def test_every_setting_is_explained_in_both_languages() -> None:
    about: list[str] = []
    for line in example().splitlines():
        if SETTING.match(line) and not line.startswith("#["):
            assert any(re.search("[\u4e00-\u9fff]", each) for each in about), line
            assert any(re.search("[A-Za-z]{2}", each) for each in about), line
        about = [*about, line] if line.startswith("# ") else []
