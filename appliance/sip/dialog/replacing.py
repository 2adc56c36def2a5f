"""Which dialog a Replaces names, and whether it may be replaced.

RFC 3891 §3.
"""

from __future__ import annotations

__all__ = ["DialogStage", "Replaceable", "find_replaced"]

from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, Protocol, TypeVar

from appliance.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.dialog.dialog import DialogId
    from appliance.sip.message import Replaces


class DialogStage(Enum):
    """How far a dialog that an INVITE made has come."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    ENDED = "ended"


class Replaceable(Protocol):
    """What is asked of a dialog's user."""

    @property
    def stage(self) -> DialogStage:
        """How far it has come."""

    @property
    def initiated(self) -> bool:
        """Whether its INVITE was ours."""


R = TypeVar("R", bound=Replaceable)


def find_replaced(
    replaces: Replaces, lookup: Callable[[DialogId], R | None], *, initiated_only: bool = True
) -> R:
    """The dialog that an INVITE with this Replaces takes over. `lookup` knows the dialogs that an INVITE made.

    PeerError 481 for none, 603 for one that has ended, 486 for one that was answered when only an early one is
    wanted. `initiated_only` False for a transfer that we carry out ourselves, where an early dialog may be the
    peer's own: §3 refuses it to an INVITE, which could not be told from an answer.
    """
    # §3: to-tag is our tag of it and from-tag the peer's; the tag 0 means also none, as of RFC 2543.
    ids = product((replaces.call_id,), _tags(replaces.to_tag), _tags(replaces.from_tag))
    found = [known for known in map(lookup, ids) if known is not None]
    if len(found) != 1:
        raise _no_match()
    stage = found[0].stage
    if stage is DialogStage.ENDED:
        raise PeerError(603, "Decline")
    if stage is DialogStage.CONFIRMED and replaces.early_only:
        raise PeerError(486, "Busy Here")
    if stage is DialogStage.EARLY and initiated_only and not found[0].initiated:
        raise _no_match()
    return found[0]


def _tags(tag: str) -> tuple[str, ...]:
    return ("0", "") if tag == "0" else (tag,)


def _no_match() -> PeerError:
    return PeerError(481, "Call/Transaction Does Not Exist")
