"""What passes from one leg to the other: every header, except those that belong to the leg itself.

RFC 3261 §16.6 (what belongs to a hop), RFC 3323 §4 (what gives a caller away), RFC 3325 §9.
"""

from __future__ import annotations

__all__ = ["content_of", "passing", "replying", "with_content", "with_reason"]

from typing import TYPE_CHECKING

from appliance.call.events import Baggage, Content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.call.events import HungUp, Outcome, Reply
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import Message

# Made anew for each leg, so that nothing of one side's network shows on the other.
_DIALOG = {
    "via", "route", "record-route", "path", "service-route", "max-forwards", "from", "to", "call-id",
    "cseq", "contact", "content-length", "content-type", "mime-version", "user-agent", "server",
    "timestamp", "expires", "replaces", "join", "target-dialog", "in-reply-to", "session-id", "branchbox-passed",
}  # fmt: skip

# What a leg agrees on with its own peer alone. The exchange supports no extension on behalf of a peer.
_NEGOTIATED = {
    "require", "proxy-require", "supported", "unsupported", "allow", "allow-events", "rseq", "rack",
    "session-expires", "min-se", "min-expires", "flow-timer", "event", "subscription-state", "refer-to",
    "refer-sub",
}  # fmt: skip

# Secrets of one leg, and identities that only a trusted peer may state.
_IDENTITY = {
    "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
    "authentication-info", "proxy-authentication-info", "p-asserted-identity", "p-preferred-identity",
    "remote-party-id", "p-access-network-info", "p-charging-vector", "p-charging-function-addresses",
    "identity", "identity-info",
}  # fmt: skip

_STAYS = frozenset(_DIALOG | _NEGOTIATED | _IDENTITY)

# RFC 3261 §20 without its length limit: a peer that sends more is up to no good, and each costs time.
MAX_BAGGAGE = 64


def passing(message: Message) -> Baggage:
    """The headers of `message` that the other leg gets too, in their order and spelling."""
    return tuple(message.headers.others(_STAYS)[:MAX_BAGGAGE])


def content_of(message: Message) -> Content | None:
    """The body of `message`; None when it has none."""
    if not message.body:
        return None
    return Content(message.headers.get("Content-Type") or "application/octet-stream", message.body)


def with_content(headers: Iterable[tuple[str, str]], content: Content | None) -> list[tuple[str, str]]:
    """`headers`, and the type of `content` if there is any."""
    fields = list(headers)
    if content is not None:
        fields.append(("Content-Type", content.kind))
    return fields


def with_reason(event: HungUp) -> Baggage:
    """What a CANCEL, BYE or refusal carries: the other leg's headers, and our Reason unless it gave one."""
    reason = event.ending.reason
    if reason is None or any(name.lower() == "reason" for name, _ in event.baggage):
        return event.baggage
    return (*event.baggage, ("Reason", reason))


def replying(transaction: ServerTransaction, fields: Baggage = ()) -> Reply:
    """What answers a request by an outcome, with these headers before those of the outcome."""

    def reply(outcome: Outcome) -> None:
        headers = with_content((*fields, *outcome.baggage), outcome.content)
        body = outcome.content.body if outcome.content else b""
        transaction.reply(outcome.status, outcome.text, headers=headers, body=body)

    return reply
