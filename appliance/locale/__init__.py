"""The words people read, Chinese and English together.

`words/*.json` holds one file an area; each key maps to its text in every language, so that a missing
translation is seen where it is missing. Placeholders are those of `str.format`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

__all__ = ["LANGUAGES", "Language", "keys", "say"]

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def say(key: str, language: Language, **params: object) -> str:
    """The text of `key`, its placeholders filled in; KeyError for a key that no file holds."""
    text = _catalogue()[key][language]
    return text.format(**params) if params else text


def keys() -> frozenset[str]:
    """Every key there is."""
    return frozenset(_catalogue())


@cache
def _catalogue() -> dict[str, dict[Language, str]]:
    catalogue: dict[str, dict[Language, str]] = {}
    for file in sorted(files(__package__).joinpath("words").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".json"):
            area: dict[str, dict[Language, str]] = json.loads(file.read_text(encoding="utf-8"))
            if twice := catalogue.keys() & area.keys():
                msg = f"{file.name} repeats {sorted(twice)}"
                raise ValueError(msg)
            catalogue |= area
    return catalogue
