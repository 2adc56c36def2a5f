"""The one-time code that whoever stands at the box reads off it, and with which a first password is set."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets

from appliance.errors import ConfigError

__all__ = ["SetupCode"]

logger = logging.getLogger(__name__)

# No 0 O 1 I L: it is read off a serial console and typed into a browser, perhaps on a telephone.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
# 31^8 is 8.5e11: five tries are nothing against it.
LENGTH = 8
MAX_TRIES = 5


class SetupCode:
    """At most one code is good at a time. Only its hash is kept."""

    def __init__(self) -> None:
        self._hash: bytes | None = None
        self._tries = 0

    def renew(self) -> str:
        """Make a new code, `ABCD-EFGH`; the one before is void."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        self._hash, self._tries = _hash(code), 0
        return f"{code[:4]}-{code[4:]}"

    def check(self, code: str) -> None:
        """Raise ConfigError unless this is the code. After five wrong ones it is void."""
        if self._hash is None:
            raise ConfigError("admin.code", "error.no_setup_code")
        if not hmac.compare_digest(_hash(code), self._hash):
            self._tries += 1
            if self._tries >= MAX_TRIES:
                self._hash = None
            logger.warning("a wrong set-up code, try %d of %d", self._tries, MAX_TRIES)
            raise ConfigError("admin.code", "error.wrong_setup_code", left=MAX_TRIES - self._tries)

    def spend(self) -> None:
        """The code has done its work."""
        self._hash = None


def _hash(code: str) -> bytes:
    """Of the letters and digits alone: people type hyphens, blanks and small letters as they like."""
    plain = "".join(each for each in code.upper() if each.isalnum())
    return hashlib.sha256(plain.encode()).digest()
