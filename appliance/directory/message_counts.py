"""Waiting messages: how many an extension has, and the event package `message-summary` that tells its phones.

RFC 3842. Nothing in here takes messages: whoever does notes how many there are.
"""

from __future__ import annotations

__all__ = ["Mailboxes", "MessageCount", "MessageCounts", "MessageSummary"]

from typing import TYPE_CHECKING, Protocol

import msgspec

from appliance.errors import PeerError
from appliance.sip.dialog.subscription import Lifetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sip.message import Uri
    from appliance.sip.subscriptions import Notifier


class MessageCount(msgspec.Struct, frozen=True):
    """The voice messages of an extension. Those that are urgent are counted twice: among all, and by themselves."""

    new: int = 0
    old: int = 0
    "Heard, and kept."
    urgent_new: int = 0
    urgent_old: int = 0


NONE = MessageCount()


class Mailboxes(Protocol):
    """Whoever keeps messages."""

    def count(self, number: str) -> MessageCount:
        """How many extension `number` has; none when it has no mailbox."""


class MessageCounts:
    """A table of them: `Mailboxes` for whoever keeps messages elsewhere."""

    def __init__(self) -> None:
        self.on_change: Callable[[str], None] = lambda _: None
        "Told of each number that has other messages now."
        self._counts: dict[
            str, MessageCount
        ] = {}  # of extensions that have any: not more than there are extensions

    def count(self, number: str) -> MessageCount:
        """How many there are; none of whom nothing was noted."""
        return self._counts.get(number, NONE)

    def note(self, number: str, count: MessageCount) -> None:
        """So many there are now."""
        if count == self.count(number):
            return
        if count == NONE:
            del self._counts[number]
        else:
            self._counts[number] = count
        self.on_change(number)


class MessageSummary:
    """The package. An extension is told of its own messages, and of nobody else's."""

    name = "message-summary"
    content_type = "application/simple-message-summary"
    lifetime = Lifetime()  # §3.4: hours
    pace = 1.0  # §3.9
    "Seconds."

    def __init__(self, notifier: Notifier, mailboxes: Mailboxes) -> None:
        self._notifier = notifier
        self._mailboxes = mailboxes
        notifier.serve(self)

    def changed(self, number: str) -> None:
        """Extension `number` has other messages than before."""
        self._notifier.notify(self.name, number)

    def accept(self, subscriber: str, resource: Uri) -> Callable[[bool], bytes]:
        """PeerError 403 for another's."""
        if resource.number != subscriber:
            raise PeerError(403, "Forbidden")
        return lambda _: _summary(resource, self._mailboxes.count(subscriber))


def _summary(account: Uri, count: MessageCount) -> bytes:
    """§5.2."""
    lines = (
        f"Messages-Waiting: {'yes' if count.new else 'no'}",
        f"Message-Account: {account}",
        f"Voice-Message: {count.new}/{count.old} ({count.urgent_new}/{count.urgent_old})",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
