"""The one-time code that whoever stands at the box reads off it, and with which a first password is set."""

from __future__ import annotations

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
    """At most one code is good at a time. It is kept in memory alone, as it was made: a new box shows it."""

    def __init__(self) -> None:
        self._code: str | None = None
        self._tries = 0

    @property
    def good(self) -> str | None:
        """The code that is good now."""
        return self._code

    def renew(self) -> str:
        """Make a new code, `ABCD-EFGH`; the one before is void."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        self._code, self._tries = f"{code[:4]}-{code[4:]}", 0
        return self._code

    def check(self, code: str) -> None:
        """Raise ConfigError unless this is the code. After five wrong ones it is void."""
        if self._code is None:
            raise ConfigError("admin.code", "error.no_setup_code")
        if not hmac.compare_digest(_plain(code), _plain(self._code)):
            self._tries += 1
            if self._tries >= MAX_TRIES:
                self._code = None
            logger.warning("a wrong set-up code, try %d of %d", self._tries, MAX_TRIES)
            raise ConfigError("admin.code", "error.wrong_setup_code", left=MAX_TRIES - self._tries)

    def spend(self) -> None:
        """The code has done its work."""
        self._code = None


def _plain(code: str) -> bytes:
    """The letters and digits alone: people type hyphens, blanks and small letters as they like."""
    return "".join(each for each in code.upper() if each.isalnum()).encode("utf-8", "surrogatepass")
