"""Why a call ended, in the exchange's own terms, with SIP's status and the telephone network's cause.

RFC 3261 §21 (status codes), RFC 3326 (Reason), RFC 3398 §8.2.6.1 and ITU-T Q.850 (cause numbers).
"""

from __future__ import annotations

__all__ = ["Cause", "Ending", "ending_of", "ending_told_by_phone", "ending_told_outside"]

from dataclasses import dataclass
from enum import Enum


class Cause(Enum):
    """The value is the word in records and, after `cause.`, the locale key."""

    NORMAL = "normal"
    CANCELLED = "cancelled"
    "The caller gave up before anybody answered."
    ELSEWHERE = "elsewhere"
    "Another phone took the call."
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NOT_FOUND = "not_found"
    NOT_REGISTERED = "not_registered"
    UNAVAILABLE = "unavailable"
    "The phone says it cannot take calls now, as with do not disturb."
    UNREACHABLE = "unreachable"
    "The phone is registered but does not answer at all."
    LINE_DOWN = "line_down"
    "No line or trunk that the call would leave by is there now."
    LINE_FULL = "line_full"
    "The line or trunk has as many calls as it may have."
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    MEDIA = "media"
    "The two sides have no common way to send sound."
    LOOP = "loop"
    ANONYMOUS = "anonymous"
    "Whoever is called takes no calls from people who hide their number."
    FORWARDS = "forwards"
    "It was sent on from one to the next too often."
    BAD_REQUEST = "bad_request"
    OVERLOAD = "overload"
    LOST = "lost"
    "A phone went away in the middle of the call."
    ADMINISTRATOR = "administrator"
    "Hung up from the console or the command line."
    PRACK_REFUSED = "prack_refused"
    "The far end demands 100rel, but refuses our PRACK: calls to it want a leg without 100rel."
    HANDED_OVER = "handed_over"
    "Who was in it went on in another call: transferred, parked or picked up."
    SHUTDOWN = "shutdown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ending:
    """A cause and how it is said in SIP."""

    cause: Cause
    status: int
    "What a call not yet answered is refused with: 400 to 699."
    text: str
    "The reason phrase, in English."

    @property
    def reason(self) -> str | None:
        """The value of a Reason header (RFC 3326); None when the status says it all."""
        if self.cause is Cause.ELSEWHERE:
            return 'SIP;cause=200;text="Call completed elsewhere"'
        number = _Q850.get(self.cause)
        return None if number is None else f'Q.850;cause={number};text="{self.text}"'

    @classmethod
    def of(cls, cause: Cause) -> Ending:
        """The usual way to say this cause."""
        return _USUAL[cause]


_USUAL = {
    cause: Ending(cause, status, text)
    for cause, status, text in (
        (Cause.NORMAL, 487, "Request Terminated"),
        (Cause.CANCELLED, 487, "Request Terminated"),
        (Cause.ELSEWHERE, 487, "Request Terminated"),
        (Cause.BUSY, 486, "Busy Here"),
        # The caller's patience is not at fault, so not 408: a phone would take that as a time-out of its own.
        (Cause.NO_ANSWER, 480, "No Answer"),
        (Cause.NOT_FOUND, 404, "Not Found"),
        (Cause.NOT_REGISTERED, 480, "Not Registered"),
        (Cause.UNAVAILABLE, 480, "Temporarily Unavailable"),
        (Cause.UNREACHABLE, 408, "Request Timeout"),
        (Cause.LINE_DOWN, 503, "Line Not Registered"),
        (Cause.LINE_FULL, 503, "All Lines Busy"),
        (Cause.REFUSED, 603, "Decline"),
        (Cause.FORBIDDEN, 403, "Forbidden"),
        (Cause.MEDIA, 488, "Not Acceptable Here"),
        (Cause.LOOP, 482, "Loop Detected"),
        (Cause.ANONYMOUS, 433, "Anonymity Disallowed"),  # RFC 5079
        (Cause.FORWARDS, 483, "Forwarded Too Often"),
        (Cause.BAD_REQUEST, 400, "Bad Request"),
        (Cause.OVERLOAD, 503, "Service Unavailable"),
        (Cause.LOST, 408, "Request Timeout"),
        (Cause.ADMINISTRATOR, 480, "Temporarily Unavailable"),
        (Cause.PRACK_REFUSED, 500, "PRACK Refused"),
        (Cause.HANDED_OVER, 487, "Request Terminated"),
        (Cause.SHUTDOWN, 503, "Service Unavailable"),
        (Cause.FAILED, 500, "Server Internal Error"),
    )
}

# Only where it tells more than the status does: one status, several causes; or a BYE, which has none.
_Q850 = {
    Cause.NO_ANSWER: 19,  # no answer from user (user alerted)
    Cause.NOT_REGISTERED: 20,  # subscriber absent
    Cause.LINE_DOWN: 38,  # network out of order
    Cause.LINE_FULL: 34,  # no circuit or channel available
    Cause.LOST: 27,  # destination out of order
    Cause.FORWARDS: 25,  # exchange routing error
    Cause.ADMINISTRATOR: 31,  # normal, unspecified
    Cause.PRACK_REFUSED: 111,  # protocol error, unspecified
    Cause.SHUTDOWN: 41,  # temporary failure
    Cause.MEDIA: 88,  # incompatible destination
}

_CAUSE_OF_STATUS = {
    400: Cause.BAD_REQUEST,
    401: Cause.FORBIDDEN,
    403: Cause.FORBIDDEN,
    404: Cause.NOT_FOUND,
    406: Cause.MEDIA,
    407: Cause.FORBIDDEN,
    # A phone that answers 408 itself has rung long enough; one that says nothing is UNREACHABLE.
    408: Cause.NO_ANSWER,
    410: Cause.NOT_FOUND,
    415: Cause.MEDIA,
    420: Cause.BAD_REQUEST,
    433: Cause.ANONYMOUS,
    480: Cause.UNAVAILABLE,
    482: Cause.LOOP,
    483: Cause.LOOP,
    484: Cause.NOT_FOUND,
    486: Cause.BUSY,
    487: Cause.CANCELLED,
    488: Cause.MEDIA,
    503: Cause.OVERLOAD,
    600: Cause.BUSY,
    603: Cause.REFUSED,
    604: Cause.NOT_FOUND,
    606: Cause.MEDIA,
}


def ending_of(status: int, text: str) -> Ending:
    """How a final response other than 2xx ends the call."""
    cause = _CAUSE_OF_STATUS.get(status)
    if cause is None:
        match status // 100:
            case 3:
                cause = Cause.UNAVAILABLE
            case 6:
                cause = Cause.REFUSED
            case _:
                cause = Cause.FAILED
    return Ending(cause, status, text)


# What a phone says to us is not always for the caller: its challenge (§22.3), its dislike of what we sent,
# a 503 that would look like our own (§16.7 step 6), and where else it wants the caller to go.
_RETOLD = {401: 403, 407: 403, 420: 500, 421: 500, 422: 500, 481: 480, 491: 480, 494: 500, 503: 480}


def ending_told_by_phone(status: int, text: str) -> Ending:
    """How a callee's final response ends the call, in a form that the caller may see."""
    if status < 400:
        # Sending calls elsewhere is for the exchange to allow, not for the phone.
        return Ending.of(Cause.UNAVAILABLE)
    retold = _RETOLD.get(status)
    if retold is None:
        return ending_of(status, text)
    cause = _CAUSE_OF_STATUS.get(retold, Cause.FAILED)
    return Ending.of(cause)


def ending_told_outside(status: int, text: str) -> Ending:
    """The same for a line or trunk, whose 503 is the server's word and not the callee's: another one may take the call."""
    ending = ending_told_by_phone(status, text)
    return Ending(Cause.OVERLOAD, ending.status, ending.text) if status == 503 else ending
