"""The session of one leg with its timer: refreshed by either side, or ended.

RFC 4028. A phone that is switched off in the middle of a call never says so; its refresh does.
"""

from __future__ import annotations

__all__ = ["TimedSession"]

from typing import TYPE_CHECKING, assert_never

from appliance.call.sip_session import SipSession
from appliance.sip.dialog import Expire, Refresh, SessionTimer

if TYPE_CHECKING:
    from appliance.call.events import Baggage
    from appliance.call.leg_options import LegOptions
    from appliance.call.wire import Wire
    from appliance.clock import Timer
    from appliance.media.leg import LegMedia
    from appliance.sip.dialog import InviteUsage
    from appliance.sip.message import Request, Response
    from appliance.sip.transport.flow import Flow


class TimedSession(SipSession):
    """A session that does not outlive its peer. How to refresh it is the leg's to say."""

    __slots__ = ("_alarm", "_session_timer")

    def __init__(
        self, wire: Wire, flow: Flow, number: str, media: LegMedia, usage: InviteUsage, options: LegOptions
    ) -> None:
        super().__init__(wire, flow, number, media, usage, options)
        self._session_timer = SessionTimer(options.timer) if options.timer is not None else None
        self._alarm: Timer | None = None

    def _refresh(self) -> None:
        """Send a request that refreshes the session, unless one is under way."""
        raise NotImplementedError

    def _timer_fields(self) -> Baggage:
        """What a re-INVITE or UPDATE of ours says of the timer."""
        return () if self._session_timer is None else self._session_timer.request_fields()

    def _grant(self, request: Request) -> Baggage:
        if self._session_timer is None:
            return ()
        fields = self._session_timer.receive_request(request)
        self._watch(self._session_timer)
        return fields

    def _granted(self, response: Response) -> None:
        if self._session_timer is not None:
            self._session_timer.receive_success(response)
            self._watch(self._session_timer)

    def _too_short(self, response: Response) -> bool:
        """Whether a request makes sense again after this answer: 422 with a longer interval."""
        timer = self._session_timer
        return response.status == 422 and timer is not None and timer.receive_too_small(response)

    def _watch(self, timer: SessionTimer) -> None:
        if not self.over:
            self._set_alarm(timer.start())

    def _set_alarm(self, delay: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._wire.timers.after(delay, self._alarmed)

    def _alarmed(self) -> None:
        timer, self._alarm = self._session_timer, None
        if timer is None:
            return
        match timer.fired():
            case Refresh(wait):
                self._set_alarm(wait)
                self._refresh()
            case Expire():
                self._lose()
            case action:
                assert_never(action)

    def _close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        super()._close()
