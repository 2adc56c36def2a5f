"""How many calls were refused to whom, and why: what an operator looks at who is attacked, or whose carrier complains."""

from __future__ import annotations

__all__ = ["STRANGER", "Refusals", "Refused"]

from typing import Literal

import msgspec

STRANGER = "stranger"
"Whoever is neither phone, line nor trunk."

Unproven = Literal["no_credentials", "wrong_password"]
"""Why a stranger is one: it does not say who it is though it is asked, or says it with a wrong password. A phone that is
registered is asked as well; that counts for nothing."""


class Refused(msgspec.Struct, frozen=True):
    """Calls that were refused since the start."""

    by: str
    "Whose they were: `line:NAME`, `trunk:NAME` or `stranger`."
    cause: str
    "As in records; a stranger's: `no_credentials` or `wrong_password`."
    calls: int


class Refusals:
    """Counts. There are no more of them than lines and trunks that were ever set up, for each cause there is."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], int] = {}

    def note(self, by: str, cause: str) -> None:
        """A call that came by a line or trunk was refused."""
        self._calls[by, cause] = self._calls.get((by, cause), 0) + 1

    def note_stranger(self, why: Unproven) -> None:
        """Somebody wanted to call who proved nothing."""
        self.note(STRANGER, why)

    def all(self) -> list[Refused]:
        """All of them, sorted."""
        return [Refused(by, cause, calls) for (by, cause), calls in sorted(self._calls.items())]

    def of(self, by: str) -> dict[str, int]:
        """Those of a line or trunk, by cause."""
        return {each.cause: each.calls for each in self.all() if each.by == by}
