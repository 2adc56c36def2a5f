"""Events: which state a subscription is about, and how the subscription itself stands.

RFC 6665 §8.2.1 (Event), §8.2.2 (Allow-Events), §8.2.3 (Subscription-State), §8.4 (the grammar).
"""

from __future__ import annotations

import msgspec

from appliance.sip.message.grammar import NO_PARAMS, Params, malformed, split_list
from appliance.sip.message.limits import MAX_DELTA_SECONDS
from appliance.sip.message.names import is_token

__all__ = ["AllowEvents", "Event", "SubscriptionState"]


def _split(text: str, what: str) -> tuple[str, Params]:
    """A token and the parameters behind it."""
    name, semicolon, rest = text.partition(";")
    name = name.strip(" \t")
    if not is_token(name):
        malformed(what)
    return name, Params.parse(semicolon + rest, what)


class Event(msgspec.Struct, frozen=True, gc=False):
    """The Event header."""

    package: str
    "The event type as written, template and all: `dialog`, `presence.winfo`. Compared byte for byte."
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> Event:
        """Read the header's value; PeerError 400 when malformed."""
        return cls(*_split(text, "Event"))

    @classmethod
    def of(cls, package: str, id_: str | None = None) -> Event:
        """The event of a package; `id_`, a token, tells it from others in the same dialog."""
        return cls(package, NO_PARAMS if id_ is None else Params({"id": id_}))

    @property
    def id(self) -> str | None:
        """What tells several subscriptions of one package in one dialog apart; None without one."""
        return self.params.get("id")

    @property
    def key(self) -> tuple[str, str | None]:
        """§8.2.1: two Event headers mean the same subscription when type and `id` are equal, byte for byte."""
        return self.package, self.id

    def __str__(self) -> str:
        return self.package + str(self.params)


class SubscriptionState(msgspec.Struct, frozen=True, gc=False):
    """The Subscription-State header of a NOTIFY."""

    state: str
    "`active`, `pending`, `terminated`, or an extension's word; lower case."
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> SubscriptionState:
        """Read the header's value; PeerError 400 when malformed."""
        state, params = _split(text, "Subscription-State")
        return cls(state.lower(), params)

    @classmethod
    def lasting(cls, state: str, expires: int) -> SubscriptionState:
        """A subscription that goes on for `expires` seconds."""
        return cls(state, Params({"expires": str(expires)}))

    @classmethod
    def terminated(cls, reason: str, retry_after: int | None = None) -> SubscriptionState:
        """The end, with its reason (§4.1.3), a token, and the seconds to wait before another try."""
        params = (
            {"reason": reason} if retry_after is None else {"reason": reason, "retry-after": str(retry_after)}
        )
        return cls("terminated", Params(params))

    @property
    def expires(self) -> int | None:
        """Seconds that the subscription has left; None when the notifier does not say."""
        return _seconds(self.params.get("expires"))

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait before another SUBSCRIBE; None when the notifier does not say."""
        return _seconds(self.params.get("retry-after"))

    @property
    def reason(self) -> str | None:
        """Why it was terminated, in lower case; None when the notifier does not say."""
        reason = self.params.text("reason")
        return None if reason is None else reason.lower()

    def __str__(self) -> str:
        return self.state + str(self.params)


def _seconds(text: str | None) -> int | None:
    """Delta-seconds; a number that is none is read as if it were not there, as that of Expires is."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return MAX_DELTA_SECONDS if len(text) > 10 else min(int(text), MAX_DELTA_SECONDS)


class AllowEvents(msgspec.Struct, frozen=True, gc=False):
    """The Allow-Events header: which packages one may subscribe to."""

    packages: tuple[str, ...]
    "At least one."

    @classmethod
    def parse(cls, text: str) -> AllowEvents:
        """Read the header's value; PeerError 400 when malformed."""
        packages = tuple(split_list(text.strip(" \t"), "Allow-Events"))
        if not all(is_token(package) for package in packages):
            malformed("Allow-Events")
        return cls(packages)

    def __str__(self) -> str:
        return ", ".join(self.packages)
