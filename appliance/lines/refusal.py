"""What the other side of a line or trunk answered when it refused, as far as that says why.

RFC 3261 §20.1 (Accept), §20.32 (Require), §20.40 (Unsupported), §20.43 (Warning).
"""

from __future__ import annotations

__all__ = ["MAX_SAID", "Refusal"]

from typing import TYPE_CHECKING, Self

import msgspec

from appliance.lines.feature import Feature, called_number, used_by

if TYPE_CHECKING:
    from appliance.sip.message import Request, Response

MAX_SAID = 100
"Characters kept of a reason phrase: it is the other side's, who may write what he likes."


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A final response to our INVITE or its PRACK, and what the INVITE had."""

    method: str
    "`INVITE` or `PRACK`."
    status: int
    "300 to 699."
    reason: str = ""
    used: frozenset[Feature] = frozenset()
    numeric: bool = False
    "Whether a telephone number was called, in a sip: URI."
    unsupported: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    warnings: frozenset[int] = frozenset()
    accepts: frozenset[str] = frozenset()
    "Types of bodies, in small letters."

    @classmethod
    def of(cls, invite: Request, response: Response) -> Self:
        """What a response to the INVITE, or to a PRACK in its early dialog, means."""
        return cls(
            method=response.cseq.method,
            status=response.status,
            reason=response.reason,
            used=used_by(invite),
            numeric=invite.uri[:3].lower() == "sip" and bool(called_number(invite.uri)),
            unsupported=_tags(response, "Unsupported"),
            required=_tags(response, "Require"),
            warnings=_warnings(response),
            accepts=frozenset(each.partition(";")[0].strip() for each in _tags(response, "Accept")),
        )

    @property
    def said(self) -> str:
        """As people read it."""
        words = self.reason.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:MAX_SAID]
        return f"{self.status} {words}".rstrip() + f" to {self.method}"


def _tags(response: Response, header: str) -> frozenset[str]:
    values = response.headers.get_all(header)
    return frozenset(each.strip().lower() for value in values for each in value.split(",") if each.strip())


def _warnings(response: Response) -> frozenset[int]:
    # Further ones in one line follow a comma, which may stand in the text as well: the first of each line will do.
    codes = (value.strip()[:3] for value in response.headers.get_all("Warning"))
    return frozenset(int(code) for code in codes if code.isascii() and code.isdigit())
