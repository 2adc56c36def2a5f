"""Areas `import` and `export`: one text, whole or not at all."""

from __future__ import annotations

import json
import tomllib

import pytest

from appliance.config.snapshot import MAX_EXTENSIONS
from appliance.control.server import MAX_LINE_OCTETS
from appliance.errors import ConfigError
from tests.control.fakes import Bench

TEXT = """
[system]
language = "zh"
time_zone = "Asia/Shanghai"

[extensions.101]
name = "前台"
password = "pw101"

[extensions.102]
password = "pw102"
ring_seconds = 20
"""


async def test_a_text_is_applied(bench: Bench) -> None:
    assert await bench("import", "apply", text=TEXT) == {"added": 2, "changed": 0}
    assert (await bench("system", "show"))["time_zone"] == "Asia/Shanghai"
    assert (await bench("extensions", "show", "101"))["name"] == "前台"
    assert bench.config.current.revision == 1, "one change"
    assert await bench("import", "apply", text=TEXT) == {"added": 0, "changed": 0}


async def test_what_is_exported_can_be_imported_and_keeps_the_passwords(bench: Bench) -> None:
    await bench("import", "apply", text=TEXT)
    before = bench.config.current
    text = (await bench("export", "show"))["text"]
    for extension in before.extensions.values():
        assert extension.ha1_md5 not in text
        assert extension.ha1_sha256 not in text
    assert "pw101" not in text
    assert list(tomllib.loads(text)) == ["system", "dial-plan", "extensions"]
    assert await bench("import", "apply", text=text) == {"added": 0, "changed": 0}
    assert bench.config.current == before


async def test_a_list_of_tables_will_do(bench: Bench) -> None:
    text = '[[extensions]]\nnumber = "101"\npassword = "pw101"\n[[extensions]]\nnumber = "102"\npassword = "pw102"'
    assert await bench("import", "apply", text=text) == {"added": 2, "changed": 0}


GOOD = '\n[extensions.102]\npassword = "pw102"\n'
GOOD_ROW = '[[extensions]]\nnumber = "102"\npassword = "pw102"\n'


@pytest.mark.parametrize(
    ("text", "path", "key"),
    [
        ("this is not TOML" + GOOD, "import", "error.not_toml"),
        ("[" * 5000, "import", "error.not_toml"),
        ("[parrots.a]\nx = 1" + GOOD, "parrots", "error.unknown_area"),
        ("system = 5" + GOOD, "system", "error.not_a_table"),
        ('extensions = "all"', "extensions", "error.not_a_table"),
        ("[extensions]\n101 = 5" + GOOD, "extensions.101", "error.not_a_table"),
        (GOOD_ROW + "[[extensions]]\nname = 'A'", "extensions.2.number", "error.value_missing"),
        (GOOD + "[extensions.101]\nname = 'A'", "extensions.101.password", "error.value_missing"),
        (
            GOOD + "[extensions.103]\npassword = 'pw103'\ncolour = 1",
            "extensions.103.colour",
            "error.unknown_setting",
        ),
        (GOOD + "[extensions.1]\npassword = 'pw1x'", "extensions.1.number", "error.bad_number"),
        (GOOD + "[system]\nrealm = 'other'", "system.realm", "error.read_only"),
    ],
)
async def test_one_fault_and_nothing_is_applied(bench: Bench, text: str, path: str, key: str) -> None:
    await bench("extensions", "add", number="100", password="pw100")
    before = bench.config.current
    with pytest.raises(ConfigError) as refused:
        await bench("import", "apply", text=text)
    assert (refused.value.path, refused.value.key) == (path, key)
    assert bench.config.current is before


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[extensions.101]\nnumber = "102"\npassword = "pw102"', "error.read_only"),
        (
            '[[extensions]]\nnumber = "101"\npassword = "pw101"\n[[extensions]]\nnumber = "101"\nname = "again"',
            "error.number_taken",
        ),
    ],
)
async def test_a_number_that_is_two_things_is_refused(bench: Bench, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await bench("import", "apply", text=text)
    assert refused.value.key == key
    assert bench.config.current.extensions == {}


async def test_all_the_extensions_there_may_be_fit_into_a_request() -> None:
    row = '[extensions.10000]\nname = "Somebody Withalongname"\npassword = "abcdefghjkmn"\nenabled = true\nring_seconds = 60\n\n'
    request = {"area": "import", "verb": "apply", "values": {"text": row * MAX_EXTENSIONS}}
    assert len(json.dumps(request)) < MAX_LINE_OCTETS
