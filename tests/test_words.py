"""appliance/locale/words: every key has both languages, and what the code says exists and is all that there is.

Found by reading: string literals of the code, and of templates. A key that is put together (`"console.state." ~ state`)
counts as used when it begins so.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from appliance.call.cause import Cause
from appliance.call.events import DivertReason
from appliance.features import FEATURES, settings_areas
from appliance.locale import LANGUAGES
from webui.layouts import LAYOUTS

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "appliance/locale/words").glob("*.json"))
WORDS: dict[str, dict[str, str]] = {
    key: texts for file in FILES for key, texts in json.loads(file.read_text(encoding="utf-8")).items()
}
AREAS = frozenset(key.partition(".")[0] for key in WORDS)
KEY = re.compile(rf"(?:{'|'.join(sorted(AREAS))})(?:\.[a-z0-9_]+)+")
PREFIX = re.compile(rf"(?:{'|'.join(sorted(AREAS))})\.(?:[a-z0-9_]+\.)+")
QUOTED = re.compile(r"""["']([^"'\s]+)["']""")
FILE_NAMES = (".js", ".css", ".py", ".bundle", ".part")
OF_SERVICES = ("feature.", "code.", "area.", "live.")
ERRORS = frozenset({"ConfigError", "InvalidError", "StoreError"})


@cache
def trees() -> dict[Path, ast.Module]:
    files = [file for folder in ("appliance", "webui") for file in (ROOT / folder).rglob("*.py")]
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


@cache
def literals() -> frozenset[str]:
    """Every string in the code and the templates. On the serial line `words("x")` says `serial.x`."""
    found: set[str] = set()
    for file, tree in trees().items():
        nodes = list(ast.walk(tree))
        strings = {
            each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
        if file.parent.name == "serial":
            found |= {each for each in strings if each.startswith(("error.", "serial."))}
            found |= {f"serial.{each}" for each in strings if f"serial.{each}" in WORDS or each.endswith(".")}
            found |= {
                f"serial.{each.args[0].value!s}"
                for each in nodes
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "words"
                if each.args and isinstance(each.args[0], ast.Constant)
            }
        else:
            found |= strings
    for file in (ROOT / "webui").rglob("*"):
        if file.suffix in (".html", ".js") and "vendor" not in file.parts:
            found.update(QUOTED.findall(file.read_text(encoding="utf-8")))
    return frozenset(found)


@cache
def patterns() -> list[re.Pattern[str]]:
    """Keys that are put together, with what is put in left open: f"console.{kind}.title", "console.state." ~ state."""
    found = [re.escape(each) + "[a-z0-9_]+" for each in literals() if PREFIX.fullmatch(each)]
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [str(each.value) if isinstance(each, ast.Constant) else "" for each in node.values]
                fixed = [*(["serial."] if file.parent.name == "serial" else []), *parts]
                # With nothing fixed but the area it would stand for every key of that area.
                if PREFIX.match("".join(fixed)) or (KEY.fullmatch("".join(parts).replace("..", ".x."))):
                    found.append("".join(re.escape(each) if each else "[a-z0-9_]+" for each in fixed))
    return [re.compile(each) for each in found]


def texts() -> list[Any]:
    return [pytest.param(texts, id=key) for key, texts in WORDS.items()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_keys_are_sorted_and_no_other_file_has_them(file: Path) -> None:
    pairs: list[tuple[str, Any]] = json.loads(
        file.read_text(encoding="utf-8"), object_pairs_hook=lambda pairs: pairs
    )
    keys = [key for key, _ in pairs]
    assert keys == sorted(set(keys))
    others = {
        key for other in FILES if other != file for key in json.loads(other.read_text(encoding="utf-8"))
    }
    assert not others & set(keys)


@pytest.mark.parametrize("words", texts())
def test_both_languages_are_there_with_the_same_placeholders(words: dict[str, str]) -> None:
    assert set(words) == set(LANGUAGES)
    assert all(text.strip() for text in words.values())
    assert len({frozenset(placeholders(text)) for text in words.values()}) == 1


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_key_that_is_said_exists() -> None:
    unknown = {each for each in literals() if KEY.fullmatch(each)} - WORDS.keys()
    assert sorted(each for each in unknown if not each.endswith(FILE_NAMES)) == []


def test_every_reason_to_send_a_call_on_has_its_words_and_no_other_has() -> None:
    reasons = {f"console.sent_on.{each.replace('-', '_')}" for each in get_args(DivertReason)}
    assert reasons == {key for key in WORDS if key.startswith("console.sent_on.")}


def test_every_cause_has_its_words_and_no_other_has() -> None:
    assert {f"cause.{cause.value}" for cause in Cause} == {key for key in WORDS if key.startswith("cause.")}


def test_every_service_has_its_words_and_no_other_has() -> None:
    services = {f"feature.{each.name.replace('-', '_')}" for each in FEATURES}
    codes = {f"code.{code.name}" for each in FEATURES for code in each.codes}
    areas = {each.name.replace("-", "_") for each in settings_areas()}
    own = {f"area.{name}" for name in areas if f"feature.{name}" not in services}
    columns = {
        f"live.{each.name.replace('-', '_')}.{column}"
        for each in FEATURES
        for column in (each.row.__struct_fields__ if each.row else ())
    }
    wanted = {*services, *(f"{each}.about" for each in services), *codes, *own, *columns}
    assert wanted == {key for key in WORDS if key.startswith(OF_SERVICES)}


def test_a_refusal_brings_what_its_words_name() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{call.lineno} {key}"
        for file, tree in trees().items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS
        for key in (each.value for each in call.args if isinstance(each, ast.Constant))
        if key in WORDS and not any(each.arg is None for each in call.keywords)
        if placeholders(WORDS[key]["en"]) != {each.arg for each in call.keywords}
    ]
    assert wrong == []


def of_settings() -> tuple[str, ...]:
    """How keys begin that follow from settings; tests/webui/test_settings.py holds them to those there are."""
    of_services = (area.name for area in settings_areas())
    areas = (f"console.{area.replace('-', '_')}." for area in (*LAYOUTS, "servers", *of_services))
    return "console.choice.", "console.outside.", *areas


def test_nothing_is_there_that_nobody_says() -> None:
    said = {key for key in WORDS if key in literals() or any(each.fullmatch(key) for each in patterns())}
    elsewhere = ("cause.", *OF_SERVICES, *of_settings())
    assert sorted(key for key in WORDS.keys() - said if not key.startswith(elsewhere)) == []
