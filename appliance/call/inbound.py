"""Who calls, and what number: what is asked of an INVITE before there is a call.

RFC 3261 §8.2, §16.3, §22.
"""

from __future__ import annotations

__all__ = ["Identity", "RefusedError", "check_caller", "dialled_number", "how_refused", "read_dialled"]

from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause, Ending, ending_of
from appliance.call.events import Dialled
from appliance.call.passing import content_of, passing
from appliance.errors import PeerError
from appliance.sip.message import Uri

if TYPE_CHECKING:
    from appliance.call.events import Diverted
    from appliance.sip.message import Request

# RFC 3261 §16.6 step 3: what a request without Max-Forwards is given.
DEFAULT_HOPS = 70
# Longer than any number (E.164 ends at 15 digits) or name that a phone may dial.
MAX_NUMBER = 64


class Identity(Protocol):
    """Who a request proves to come from; `directory/credentials`."""

    def verify(self, request: Request) -> str:
        """The number of the extension that asks. PeerError 401 with a challenge otherwise."""

    def is_claimed_by(self, request: Request) -> bool:
        """Whether it bears credentials for us, right or wrong."""


class RefusedError(PeerError):
    """A call that ends before it began, for a reason that the record shall name."""

    def __init__(
        self,
        cause: Cause,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        steps: tuple[Diverted, ...] = (),
    ) -> None:
        """`steps`: how it had been sent on by then."""
        ending = Ending.of(cause)
        reason = ending.reason
        if reason is not None:
            headers = (*headers, ("Reason", reason))
        super().__init__(ending.status, ending.text, headers)
        self.ending = ending
        self.steps = steps


def how_refused(refusal: PeerError) -> tuple[Ending, tuple[Diverted, ...]]:
    """How a call ended that was not let in, and how it had been sent on by then."""
    if isinstance(refusal, RefusedError):
        return refusal.ending, refusal.steps
    return ending_of(refusal.status, refusal.reason), ()


def check_caller(request: Request, number: str) -> None:
    """RefusedError when extension `number` says in From that it is somebody else."""
    # Only the proof counts; but a phone that names another extension is set up wrongly, and hears it at once.
    if request.from_.uri.number != number:
        raise RefusedError(Cause.FORBIDDEN)


def read_dialled(request: Request, number: str, name: str) -> Dialled:
    """What extension `number`, named `name`, asks for."""
    hops = request.max_forwards
    return Dialled(
        from_number=number,
        from_name=name,
        to_number=dialled_number(request.uri),
        # RFC 7332 §4: a back-to-back user agent counts Max-Forwards down like a proxy, against loops.
        hops_left=(DEFAULT_HOPS if hops is None else hops) - 1,
        content=content_of(request),
        baggage=passing(request),
    )


def dialled_number(uri: str) -> str:
    """The number in a Request-URI: the user part without its parameters."""
    number = (Uri.parse(uri).number or "").partition(";")[0][:MAX_NUMBER]
    # Octets that are no UTF-8 find no extension, but the number stands in the record.
    return number.encode("utf-8", "replace").decode()
