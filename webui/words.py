"""Words for the reader of a page: which language, and what to say when a text is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from appliance import locale

if TYPE_CHECKING:
    from appliance.locale import Language

__all__ = ["FALLBACK", "is_language", "preferred_language", "say", "say_or_none"]

FALLBACK: Language = "en"
"For a reader whose browser names none of our languages."


def is_language(name: object) -> TypeGuard[Language]:
    return name in locale.LANGUAGES


def say(key: str, language: Language, **params: object) -> str:
    """The text of `key`. A key nobody wrote a text for is shown as it is: a page is never lost to a word."""
    text = say_or_none(key, language, **params)
    return key if text is None else text


def say_or_none(key: str, language: Language, **params: object) -> str | None:
    """The text of `key`, or None when no file holds it."""
    try:
        return locale.say(key, language, **params)
    except (KeyError, IndexError):
        return None


def preferred_language(accept_language: str) -> Language:
    """The best of our languages for an Accept-Language header (RFC 9110 §12.5.4)."""
    ranked: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        ranked.append((-_quality(parameter), tag.strip().lower().partition("-")[0]))
    for negative_quality, tag in sorted(ranked, key=lambda each: each[0]):
        if negative_quality < 0 and is_language(tag):
            return tag
    return FALLBACK


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
