"""Offers and answers between the two ends of a call: each description is retold with the ports of the leg that it goes to.

RFC 3264 in between; RFC 3261 §14 (a session stays as it was where a new one is refused); hold with music: RFC 5359 §2.3.
"""

from __future__ import annotations

__all__ = ["NOBODY", "Negotiation", "Talk", "retell", "take"]

from functools import partial
from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause, Ending
from appliance.call.events import Confirmed, Content, HungUp, Outcome, Updated
from appliance.errors import PeerError
from appliance.media.answer import fitted, held, holds

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Asked
    from appliance.call.leg import Leg
    from appliance.call.music import Music

NOBODY = Outcome(480, "Temporarily Unavailable")
"What becomes of a wish when there is nobody whom it could be passed to."


class Talk(Protocol):
    """The call that this is about."""

    over: bool

    @property
    def is_left(self) -> bool: ...
    @property
    def music(self) -> Music: ...
    def end(self, event: HungUp, ended_by: str) -> None: ...
    def safely(self, step: Callable[[], None]) -> None: ...
    def changed(self) -> None: ...


class Negotiation:
    """Of one call."""

    __slots__ = ("_talk",)

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def confirm(self, leg: Leg, other: Leg, event: Confirmed) -> None:
        """`leg` knows of the answer that it got; what it says in return is the answer to an offer in that."""
        if not other.awaits_answer:
            if event.content is not None:  # what somebody who was put through has answered
                self._play_both(leg, other)
            return
        if event.content is None:
            # RFC 3264 §4: an offer that gets no answer makes no session.
            self._talk.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        other.confirm(Confirmed(self._answer(event.content, leg, other)))
        self._play_both(leg, other)
        self._talk.changed()

    def _answer(self, content: Content, leg: Leg, other: Leg) -> Content | None:
        told = self._with_music(content)
        if told is None or told is content:
            return take(content, leg, other)
        # Whoever is held has made the offer this time: they are told what that allows.
        leg.media.expect(content.body)
        leg.said = content.body
        return retell(Content(told.kind, fitted(told.body, other.said)), other)

    def update(self, leg: Leg, other: Leg | None, event: Updated) -> None:
        """`leg` wants another session with `other`."""
        if other is None:
            event.reply(NOBODY)
            return
        try:
            content = retell(self._with_music(event.content), other)
        except PeerError as refusal:
            event.reply(Outcome(refusal.status, refusal.reason))
            self._restore(leg, other)
            return

        def decided(outcome: Outcome) -> None:
            if self._talk.over:
                event.reply(outcome)
            else:
                self._talk.safely(partial(self._updated, leg, other, event, outcome))

        other.update(Updated(content, event.baggage, decided, event.full))

    def _with_music(self, content: Content | None) -> Content | None:
        """Whom somebody holds goes on listening, where there is something to be heard."""
        if content is None or not content.is_session or not self._talk.music.plays or not holds(content.body):
            return content
        return Content(content.kind, held(content.body))

    def _updated(self, leg: Leg, other: Leg, event: Updated, outcome: Outcome) -> None:
        if outcome.status >= 300:
            # RFC 3261 §14.1: the session goes on as if there had been no offer.
            self._restore(leg, other)
            event.reply(outcome)
            return
        offer = event.content
        try:
            if offer is not None and offer.is_session:
                leg.media.expect(offer.body)
                leg.said = offer.body
            content = take(outcome.content, other, leg, self._fit(offer))
        except PeerError:
            # The phone has changed its session already, to something nobody can read: there is no way back.
            event.reply(Outcome(488, "Not Acceptable Here"))
            self._talk.end(HungUp(Ending.of(Cause.MEDIA)), "system")
            return
        event.reply(Outcome(200, outcome.text, content, outcome.baggage))
        if offer is not None:
            self._play_both(leg, other)
        self._talk.changed()

    def come_back(self, back: Leg, stayed: Leg, *, changed: bool) -> None:
        """`back` was away, in another call. `changed`: one of the two has said something new meanwhile."""
        if changed and stayed.said:
            offer = Content("application/sdp", stayed.said)
            self.update(stayed, back, Updated(offer, (), lambda _: None, full=True))
        else:
            self._restore(stayed, back)
        self._play_both(stayed, back)
        if not self._talk.is_left:
            self.play(back, stayed)  # they may have begun to hold, or ceased, while they were away

    def _restore(self, leg: Leg, other: Leg) -> None:
        """What `leg` said last stands, and `other` knows it so."""
        if self._talk.is_left:
            return  # who is away is told something else there
        told = self._with_music(Content("application/sdp", leg.said)) if leg.said else None
        if told is not None and not other.over:
            other.media.describe(told.body)

    def _fit(self, offer: Content | None) -> bytes:
        """The offer whose answer was asked for in another form."""
        told = self._with_music(offer)
        return b"" if offer is None or told is offer else offer.body

    def _play_both(self, leg: Leg, other: Leg) -> None:
        if self._talk.is_left:
            return  # who is away hears what they are played there
        self.play(leg, other)
        if not (other.said and holds(other.said)):
            # An answer by which somebody does not listen is no hold: it may be an announcement, and is heard.
            self._talk.music.stop(leg.media)

    def play(self, leg: Leg, other: Leg) -> None:
        """Music for `other` as long as `leg` holds."""
        if leg.said and holds(leg.said):
            self._talk.music.start(other.media)
        else:
            self._talk.music.stop(other.media)

    def ask(self, other: Leg | None, event: Asked) -> None:
        """Something that is but carried to `other`."""
        if other is None:
            event.reply(NOBODY)
        else:
            other.ask(event)


def retell(content: Content | None, hearer: Leg) -> Content | None:
    """`content` for `hearer`, with the ports of its leg if it describes media. PeerError when that cannot be read."""
    if content is None or not content.is_session:
        return content
    return Content(content.kind, hearer.media.describe(content.body))


def take(content: Content | None, teller: Leg, hearer: Leg, offer: bytes = b"") -> Content | None:
    """As `retell`, and from now on `teller` is expected to do what it says.

    `offer`: what the hearer asked for, if that was put to `teller` in another form.
    """
    if content is None or not content.is_session:
        return content
    teller.media.expect(content.body)
    teller.said = content.body
    body = fitted(content.body, offer) if offer else content.body
    return Content(content.kind, hearer.media.describe(body))
