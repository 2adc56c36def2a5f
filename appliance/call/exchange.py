"""The exchange: all calls there are.

RFC 3261 §8.2 for the INVITE that asks for one; RFC 7092 (back-to-back user agents).
"""

from __future__ import annotations

__all__ = ["MAX_CALLS", "Directory", "Exchange"]

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from appliance.call.call import Call
from appliance.call.call_info import CallInfo, info_of, info_of_origination
from appliance.call.callers import Callers
from appliance.call.cause import Cause, Ending
from appliance.call.connected_caller import ConnectedCaller
from appliance.call.events import Dialled, HungUp
from appliance.call.inbound import (
    DEFAULT_HOPS,
    RefusedError,
    check_caller,
    dialled_number,
    how_refused,
)
from appliance.call.leg_options import TRANSFER_TAGS, LegOptions
from appliance.call.loops import Loops
from appliance.call.music import NoMusic
from appliance.call.occupancy import Occupancy
from appliance.call.origination import Origination
from appliance.call.record import record_refused
from appliance.call.refusals import Refusals
from appliance.call.router import Router
from appliance.call.served import ServiceTasks
from appliance.call.sip_leg_inbound import InboundLeg
from appliance.call.transfers import Replacing, Transfers
from appliance.call.verdict import Failure
from appliance.errors import PeerError
from appliance.sip.message import Uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CancelScope

    from appliance.call.diversion import NoticeForm
    from appliance.call.events import Referred
    from appliance.call.inbound import Identity
    from appliance.call.leg import Leg
    from appliance.call.music import Music
    from appliance.call.occupancy import BusyState
    from appliance.call.outside import OutsideCaller
    from appliance.call.record import CallRecord
    from appliance.call.router import Phones, Plan, Whereabouts
    from appliance.call.sip_leg import SipLeg
    from appliance.call.transfers import Referee, Replacer
    from appliance.call.verdict import Serve
    from appliance.call.wire import Wire
    from appliance.config.extension import Extension
    from appliance.sip.endpoint import ServerTransaction
    from appliance.sip.message import Request
    from appliance.sip.transport.flow import Flow

logger = logging.getLogger(__name__)

# The usual port range, 30000 to 34999, has 5,000 ports, and a call with sound alone takes four of them.
MAX_CALLS = 1_250
"How many calls there may be at once."
RETRY_AFTER = ("Retry-After", "10")
"Seconds: on a full exchange some call will have ended by then."


@dataclass(frozen=True, slots=True)
class Directory:
    """Who there is, who they prove to be, and where they are."""

    find: Callable[[str], Extension | None]
    identity: Identity
    whereabouts: Whereabouts
    phones: Phones | None = None
    "Knows which URIs mean one phone alone, if any do."


class Exchange(Occupancy):
    """Lets calls in, keeps them, and tells what they are doing."""

    def __init__(
        self, wire: Wire, directory: Directory, wall: Callable[[], float], max_calls: int = MAX_CALLS
    ) -> None:
        """`wall` gives seconds since 1970, for records alone."""
        super().__init__(wire.timers)
        self.wire = wire
        self.wall = wall
        self.options = LegOptions()
        "What the legs of new calls may use of SIP's extensions."
        self.music: Music = NoMusic()
        "What those hear who are held."
        self.notice_form: NoticeForm = "minisipserver"
        "How callers are told who sends their call on, and to whom."
        self.notices_outside = False
        "Whether those are told, too, who call from outside."
        self.on_key: Callable[[Call, Leg, str], None] = _ignore
        "Gets each key (0-9, *, #, A-D) that somebody presses in a call."
        self.wants_keys: Callable[[], bool] = _never
        "Whether it wants to: each packet of sound is looked at for that."
        self.on_record: Callable[[CallRecord], None] = _ignore
        "Gets the record of each call when it ends."
        self.on_change: Callable[[], None] = _ignore
        "Called whenever `calls` has something new to show."
        self.on_dialled: Callable[[str, str], None] = _ignore
        "Gets the id of each call, refused ones too, and the Call-ID that its caller gave it."
        self._directory = directory
        self.router = Router(directory.find, directory.whereabouts, _utc)
        "Where calls go. Its `around` is for the owner to fill: routes, lines, trunks, local time."
        self.router.around.calls_by = self.calls_by
        self.services = ServiceTasks()
        "Runs what features do with calls that they take."
        self.refusals = Refusals()
        "The calls that were not let in."
        self._callers = Callers(self, directory, self._tell_record)
        self._loops = Loops(wire.token().encode())
        self._max_calls = max_calls
        self._calls: dict[str, Call] = {}
        self._originations: dict[str, Origination] = {}
        self.transfers = Transfers(wire.endpoint, self._calls.values)
        self._closing = False
        wire.endpoint.serve("INVITE", self.receive)
        wire.endpoint.allowed |= {"INFO", "MESSAGE", "PRACK", "UPDATE"}
        wire.endpoint.supported |= {"100rel", "timer"}

    def __len__(self) -> int:
        return len(self._calls) + len(self._originations)

    def serve_transfers(self, referee: Referee, replacer: Replacer) -> None:
        """Tell phones that they may transfer calls, and give what they ask for to these two."""
        self.transfers.referee, self.transfers.replacer = referee, replacer
        self.options = replace(self.options, transfers=True)
        self.wire.endpoint.allowed |= {"NOTIFY", "REFER", "SUBSCRIBE"}
        self.wire.endpoint.supported |= set(TRANSFER_TAGS)

    # --- what comes in

    def receive(self, transaction: ServerTransaction) -> None:
        """An INVITE that belongs to no dialog. PeerError says how it is refused; a challenge makes no record."""
        request = transaction.request
        came, dialled = self._callers.read(request, transaction.flow)
        call_id = self.wire.token()
        self.on_dialled(call_id, request.call_id)
        try:
            dialled = self._loops.passed(request, dialled)
            if ";gr" in request.uri:
                number, phone = self.meant_by(request.uri)
                dialled = msgspec.structs.replace(dialled, to_number=number, phone=phone)
            self._admit(transaction, dialled, call_id, came)
        except PeerError as refusal:
            ending, steps = how_refused(refusal)
            if came is not None:
                self.refusals.note(came.way, ending.cause.value)
            emergency = self.router.is_emergency(dialled)
            if emergency:
                logger.error("emergency call of %s to %s failed: %s", *_parties(dialled), ending.cause.value)
            self._tell_record(
                record_refused(call_id, dialled, ending, self.wall(), steps, emergency=emergency)
            )
            raise

    def is_from_outside(self, request: Request, flow: Flow) -> bool:
        """Whether a request that makes no dialog comes by a line or trunk. PeerError when it cannot be read."""
        return self._callers.from_outside(request, flow) is not None

    def onward(self, plan: Plan, event: HungUp) -> Plan | None:
        """What a feature makes of a plan that failed; None: nothing. RefusedError when that cannot be."""
        return self.router.onward(plan, Failure(event.ending.cause, event.moved_to))

    def meant_by(self, uri: str) -> tuple[str, str]:
        """The number that a URI names, and the one phone of it that it means, mostly none. PeerError 400 or 404."""
        phones = self._directory.phones
        meant = phones.meant_by(Uri.parse(uri)) if phones is not None else None
        return (dialled_number(uri), "") if meant is None else meant

    def _admit(
        self, transaction: ServerTransaction, dialled: Dialled, call_id: str, came: OutsideCaller | None
    ) -> None:
        if came is None:
            check_caller(transaction.request, dialled.from_number)
        if self._closing:
            raise RefusedError(Cause.SHUTDOWN, (RETRY_AFTER,))
        if "Replaces" in transaction.request.headers:
            join = partial(self._make_caller, transaction, dialled, came)
            self.transfers.replace(transaction.request, Replacing(dialled, join))
            return
        if came is not None and came.max_calls and self.calls_by(came.way) >= came.max_calls:
            # Without Retry-After, or the carrier would bring no call to any other line of ours either (§21.5.4).
            raise RefusedError(Cause.LINE_FULL)
        plan = self.router.route(dialled)
        if plan.emergency:
            logger.warning("emergency call of %s to %s", *_parties(dialled))
        else:
            self.check_room()
        caller = self._make_caller(transaction, dialled, came)
        self._keep(Call(self, call_id, dialled, caller)).start(plan)

    def check_room(self) -> None:
        """Before one call more is made that is no emergency's. RefusedError when there are as many as there may be, or all end."""
        if self._closing:
            raise RefusedError(Cause.SHUTDOWN, (RETRY_AFTER,))
        if len(self) >= self._max_calls:
            raise RefusedError(Cause.OVERLOAD, (RETRY_AFTER,))

    def _keep(self, call: Call) -> Call:
        self._calls[call.id] = call
        self.engage(call, call.origin)
        self.changed()
        return call

    def dial(self, number: str, to_number: str) -> str:
        """Ring extension `number`, and when it answers call `to_number` in its name; gives the call's id.

        RefusedError when none of its phones can be rung, or there are too many calls.
        """
        self.check_room()
        extension, other = self._directory.find(number), self._directory.find(to_number)
        dialled = Dialled(number, extension.name if extension else "", to_number, DEFAULT_HOPS, None, ())
        asked = Dialled(to_number, other.name if other else "", number, DEFAULT_HOPS, None, ())
        origination = Origination(self, self.wire.token(), asked, dialled)
        origination.start(self.router.phones_of(number, asked))
        self._originations[origination.id] = origination
        self.changed()
        return origination.id

    def originated(self, origination: Origination, record: CallRecord | None) -> None:
        """The extension has answered, or does not; then there is a record."""
        self._originations.pop(origination.id, None)
        if record is not None:
            self._tell_record(record)
        self.changed()

    def call_from(self, leg: SipLeg, dialled: Dialled, call_id: str = "") -> Call:
        """A further call of somebody who talks already, and is of no call any more: it waits for `start` or `connect`.

        PeerError 488 when nobody can read what they said last, 503 when the exchange ends all calls. It is made on a full
        exchange, too, for mostly another one ends for it: where that is not so, whoever asks for it has to `check_room`.
        """
        if self._closing:
            raise RefusedError(Cause.SHUTDOWN)
        caller = ConnectedCaller(leg, self.wire.timers, self.music)
        dialled = msgspec.structs.replace(dialled, content=caller.offer)
        return self._keep(Call(self, call_id or self.wire.token(), dialled, caller))

    def call_by(self, leg: InboundLeg, dialled: Dialled) -> Call:
        """The call of a phone whose INVITE asks for no number: it waits for `connect`."""
        return self._keep(Call(self, self.wire.token(), dialled, leg))

    @property
    def listens(self) -> bool:
        """Whether anybody wants to know which keys are pressed in calls."""
        return self.wants_keys()

    def pressed(self, call: Call, leg: Leg, key: str) -> None:
        """A key was pressed in a call that is answered."""
        self.on_key(call, leg, key)

    def served(self, call: Call, service: Serve) -> CancelScope:
        """Let a feature serve a call. PeerError 503 when the exchange is not up to it."""
        return self.services.start(call, service)

    def _make_caller(
        self, transaction: ServerTransaction, dialled: Dialled, came: OutsideCaller | None
    ) -> InboundLeg:
        options = self.options if came is None else came.options
        leg = InboundLeg(self.wire, transaction, dialled.from_number, dialled.to_number, options)
        leg.occupies = dialled.way_in or dialled.from_number
        if came is not None:
            leg.prover = came.prover
        return leg

    # --- what calls tell

    def changed(self) -> None:
        """A call has something new to show."""
        try:
            self.on_change()
        except Exception:
            logger.exception("whoever shows the calls failed")

    def referred(self, call: Call, leg: Leg, event: Referred) -> None:
        """A leg asks for a transfer."""
        self.transfers.refer(call, leg.sip, event)

    def ended(self, call: Call, record: CallRecord) -> None:
        """A call is over."""
        del self._calls[call.id]
        self.release(call, call.origin)
        self._tell_record(record)
        self.changed()

    def _tell_record(self, record: CallRecord) -> None:
        try:
            self.on_record(record)
        except Exception:
            logger.exception("the record of call %s was not taken", record.id)

    # --- what people ask

    def busy_state(self, number: str) -> BusyState:
        """Whether the extension is in a call, is rung, for a call of its own, too, or neither."""
        state = super().busy_state(number)
        return "ringing" if state == "idle" and any(self.originations_of(number)) else state

    def engaged(self) -> set[str]:
        """The extensions, lines and trunks that some call occupies, or that are rung for a call of their own."""
        return super().engaged() | {each.number for each in self._originations.values()}

    def originations_of(self, number: str) -> list[Origination]:
        """The calls that this extension is rung to make."""
        return [each for each in self._originations.values() if each.number == number]

    def calls(self) -> list[CallInfo]:
        """All calls, oldest first."""
        begun = [info_of(call) for call in self._calls.values()]
        return [*begun, *map(info_of_origination, self._originations.values())]

    def hang_up(self, call_id: str) -> bool:
        """End a call; False when there is none of that id."""
        if (origination := self._originations.get(call_id)) is not None:
            origination.hang_up(Cause.ADMINISTRATOR)
            return True
        call = self._calls.get(call_id)
        if call is None:
            return False
        call.end(HungUp(Ending.of(Cause.ADMINISTRATOR)), "system")
        return True

    def shut_down(self) -> None:
        """Tell all calls that it is over, and let no new one in. The last messages are on their way."""
        self._closing = True
        for origination in list(self._originations.values()):
            origination.hang_up(Cause.SHUTDOWN)
        for call in list(self._calls.values()):
            call.end(HungUp(Ending.of(Cause.SHUTDOWN)), "system")


def _parties(dialled: Dialled) -> tuple[str, str]:
    return dialled.from_number, dialled.to_number


def _utc() -> datetime:
    return datetime.now(UTC)


def _never() -> bool:
    return False


def _ignore(*_: object) -> None:
    """What happens to news that nobody wants."""
