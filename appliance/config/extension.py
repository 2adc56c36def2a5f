"""An extension: a number that a phone may register as."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from appliance.errors import ConfigError

__all__ = [
    "LEVEL_RANGE",
    "RING_SECONDS_DEFAULT",
    "RING_SECONDS_RANGE",
    "Extension",
    "check_name",
    "check_number",
    "check_password",
    "verify",
]

# One digit is left free for the operator and the like; E.164 ends at 15.
NUMBER = re.compile(r"[0-9]{2,15}")
MAX_NAME_CHARACTERS = 64
# RFC 3261 §13.2.1 wants a minute at least as a default; the longest is below timer C (§16.6), three minutes,
# plus what a person sets on purpose.
RING_SECONDS_RANGE = (5, 300)
RING_SECONDS_DEFAULT = 60
# Many desk phones take a password on a keypad only; the exchange itself makes longer ones.
PASSWORD_CHARACTERS = (4, 64)


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an extension. Its password is not: only the digests that prove it."""

    number: str
    name: str = ""
    ha1_md5: str
    "MD5(number:realm:password) in lower-case hex."
    ha1_sha256: str
    "SHA-256 of the same."
    ha1_sha512_256: str = ""
    "SHA-512/256 of the same; empty when the password was set before this was kept."
    enabled: bool = True
    ring_seconds: int = RING_SECONDS_DEFAULT
    "How long it rings before the caller hears that nobody answers, 5 to 300 s."
    level: int = 0
    "Its right, 0 to 9: it may use the routes of this level and below."

    def __repr__(self) -> str:
        # The digests are as good as the password: they stay out of logs.
        return f"Extension({self.number!r}, {self.name!r}, enabled={self.enabled})"


def verify(extension: Extension) -> None:
    """Raise ConfigError for the first setting out of its range."""
    path = f"extensions.{extension.number}"
    check_number(f"{path}.number", extension.number)
    check_name(f"{path}.name", extension.name)
    low, high = RING_SECONDS_RANGE
    if not low <= extension.ring_seconds <= high:
        raise ConfigError(path + ".ring_seconds", "error.out_of_range", low=low, high=high)
    low, high = LEVEL_RANGE
    if not low <= extension.level <= high:
        raise ConfigError(path + ".level", "error.out_of_range", low=low, high=high)


LEVEL_RANGE = (0, 9)
"Of an extension's right, and of a route's level."


def check_number(path: str, number: str) -> None:
    """2 to 15 digits, nothing else."""
    if not NUMBER.fullmatch(number):
        raise ConfigError(path, "error.bad_number")


def check_name(path: str, name: str) -> None:
    """At most 64 characters of any script; none that moves a cursor or breaks a line or a header."""
    if len(name) > MAX_NAME_CHARACTERS:
        raise ConfigError(path, "error.too_long", limit=MAX_NAME_CHARACTERS)
    if has_controls(name):
        raise ConfigError(path, "error.control_character")


def check_password(path: str, number: str, password: str) -> None:
    """4 to 64 characters, and not the number itself, which is what attackers try first."""
    low, high = PASSWORD_CHARACTERS
    if not low <= len(password) <= high:
        raise ConfigError(path, "error.password_length", low=low, high=high)
    if has_controls(password):
        raise ConfigError(path, "error.control_character")
    if password == number:
        raise ConfigError(path, "error.password_is_number")


def has_controls(text: str) -> bool:
    """Whether a character is a control, half a surrogate pair, or a line or paragraph separator."""
    return any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in text)
