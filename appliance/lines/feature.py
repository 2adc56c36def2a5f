"""What calls by a line or trunk may do without, where the other side cannot stand it, or have to do, where it asks for it.

RFC 3262 (100rel), RFC 4028 (timer), RFC 3261 §19.1.1 (`user=phone`) and §13.2.1 (offers), RFC 3966 (`tel:`, numbers with +).
"""

from __future__ import annotations

__all__ = ["FEATURES", "OPTION_TAGS", "Feature", "Habit", "addressed", "called_number", "used_by"]

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from urllib.parse import unquote

from appliance.errors import PeerError
from appliance.media.codecs import beyond_g711
from appliance.media.sdp import parse_sdp

if TYPE_CHECKING:
    from appliance.sip.message import Request

Feature = Literal["100rel", "timer", "user-phone", "tel", "plus", "early-offer", "codecs"]
"""`user-phone`: `user=phone` in the Request-URI; `tel`: numbers as `tel:`; `plus`: a + before them; `early-offer`: the INVITE
describes the sound; `codecs`: others than G.711 are offered."""
FEATURES: tuple[Feature, ...] = get_args(Feature)

OPTION_TAGS: tuple[Feature, ...] = ("100rel", "timer")
"Those that both sides of a leg agree on by name, whoever has called."

MIN_GLOBAL_DIGITS = 10
"""Of a number whose + may be what hurts. A shorter one could be somebody else's local number without it: a wrong number must
not ring a stranger."""

USER_PHONE = "user=phone"
_TELEPHONE = re.compile(r"\+?[0-9*#]+")


class Habit(NamedTuple):
    """A feature that calls have, or do without."""

    feature: Feature
    on: bool


def used_by(invite: Request) -> frozenset[Feature]:
    """What an INVITE of ours has of them."""
    number = called_number(invite.uri)
    has: dict[Feature, bool] = {
        "100rel": _offers(invite, "100rel"),
        "timer": _offers(invite, "timer") or "Session-Expires" in invite.headers,
        "user-phone": USER_PHONE in invite.uri.lower().split(";"),
        "tel": invite.uri[:4].lower() == "tel:",
        "plus": number.startswith("+") and len(number) > MIN_GLOBAL_DIGITS,
        "early-offer": bool(invite.body) and invite.content_type == "application/sdp",
    }
    has["codecs"] = has["early-offer"] and _beyond_g711(invite.body)
    return frozenset(feature for feature, used in has.items() if used)


def addressed(parameters: str, number: str, habits: frozenset[Habit]) -> str:
    """The parameters behind a number in a sip: URI, as they are set and as habits have them."""
    others = [each for each in parameters.split(";") if each.lower() != USER_PHONE]
    if Habit("user-phone", on=False) in habits:
        return ";".join(others)
    if Habit("user-phone", on=True) in habits and _TELEPHONE.fullmatch(number):
        return ";".join([*filter(None, others), USER_PHONE])
    return parameters


def called_number(uri: str) -> str:
    """The telephone number in a Request-URI of ours; empty where it names somebody otherwise."""
    user = unquote(uri.partition(":")[2].partition("@")[0].partition(";")[0])
    return user if _TELEPHONE.fullmatch(user) else ""


def _offers(invite: Request, tag: str) -> bool:
    return any(
        name in invite.headers and tag in (each.lower() for each in invite.tokens(name))
        for name in ("Supported", "Require")
    )


def _beyond_g711(body: bytes) -> bool:
    try:
        return beyond_g711(parse_sdp(body))
    except PeerError:
        return False  # what cannot be read cannot be cut either
