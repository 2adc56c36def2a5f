"""Automatic attendants: the exchange answers, plays a greeting, and puts the caller through by the keys they press.

Keys come as telephone events (RFC 4733) or by INFO. A key of the menu counts at once, unless an extension's number begins with it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension, ToFeature
from appliance.call.diversion import sent_on
from appliance.call.events import Dialled, Diverted, HungUp
from appliance.call.inbound import RefusedError
from appliance.call.purpose import Purpose
from appliance.call.verdict import Refuse, Serve
from appliance.config.extension import LEVEL_RANGE, check_name
from appliance.config.pattern import is_dialable
from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError, PeerError
from appliance.features.feature import Feature
from appliance.features.numbers import NUMBERED, check_free, check_target
from appliance.features.recall import GONE_ON
from appliance.media.prompts import NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from appliance.call.call import Call
    from appliance.call.decision import Caller
    from appliance.call.sip_leg import SipLeg
    from appliance.call.verdict import Target, Verdict
    from appliance.clock import Timers
    from appliance.config.snapshot import Snapshot
    from appliance.media.sound import Sound

__all__ = ["Attendant", "Attendants", "AttendedCall"]

WAIT_RANGE = (1, 60)
TRIES_RANGE = (1, 10)
MENU_KEYS = "0123456789*#"
AGAIN, HANG_UP = "again", "hang-up"
"What a key may do beside leading to a number."
PAUSE_SECONDS = 3.0
"After so long without a further key a number is complete."
MOST_CALLERS = 100
"In menus at once: more than a small office has lines for, and each of them is sent fifty packets a second."
MOST_GREETINGS = 50
"For one caller: a line on which nobody ever hangs up must come free sometime."
MOST_AHEAD = 32
"Keys that are pressed faster than menus can follow; a phone that floods us presses no others."


class Attendant(msgspec.Struct, frozen=True, kw_only=True):
    """One menu."""

    name: str
    "The number that is dialled: 2 to 15 digits."
    title: str = ""
    greeting: str = ""
    "The name of a prompt; empty: a chime."
    keys: tuple[str, ...] = ()
    "`1=101`: a key of 0-9 * # and the number that it leads to, or `again`, or `hang-up`."
    direct_dialling: bool = True
    "Whether callers may dial extensions, and other numbers of the house."
    wait_seconds: int = 5
    "How long it waits for a key after the greeting: 1 to 60."
    tries: int = 3
    "How often it asks, 1 to 10."
    otherwise_to: str = ""
    "Where those go who have chosen nothing by then; empty: they are hung up on."
    failed_to: str = ""
    "Where those go whom nobody answers; empty: they hear the greeting again."
    level: int = 0
    "The attendant's right, 0 to 9: for numbers outside that keys lead to."


class AttendedCall(msgspec.Struct, frozen=True):
    """Who is in a menu now, as people see it."""

    attendant: str
    number: str
    name: str
    since: float
    "Seconds since 1970."


def _verify(item: Attendant, settings: Snapshot) -> None:
    path = f"attendants.{item.name}"
    check_free("attendants", item.name, settings)
    check_name(path + ".title", item.title)
    if item.greeting and not NAME.fullmatch(item.greeting):
        raise ConfigError(path + ".greeting", "error.bad_prompt_name", name=item.greeting[:64])
    for where, (low, high) in (
        ("wait_seconds", WAIT_RANGE),
        ("tries", TRIES_RANGE),
        ("level", LEVEL_RANGE),
    ):
        if not low <= getattr(item, where) <= high:
            raise ConfigError(path + "." + where, "error.out_of_range", low=low, high=high)
    for where in ("otherwise_to", "failed_to"):
        check_target(f"{path}.{where}", getattr(item, where), item.name)
    for text in item.keys:
        key, _, target = text.partition("=")
        known = target in (AGAIN, HANG_UP) or is_dialable(target)
        if len(key) != 1 or key not in MENU_KEYS or not known:
            raise ConfigError(path + ".keys", "error.bad_menu_key", value=text[:64])
    if len(_menu(item)) < len(item.keys):
        raise ConfigError(path + ".keys", "error.key_twice")


def _menu(attendant: Attendant) -> dict[str, str]:
    """What each key leads to."""
    return {text[0]: text[2:] for text in attendant.keys}


def _targets(attendant: Attendant) -> set[str]:
    """Where its owner has it lead."""
    return {*_menu(attendant).values(), attendant.otherwise_to, attendant.failed_to}


def chosen(typed: str, menu: Mapping[str, str], numbers: Collection[str], *, complete: bool) -> str | None:
    """What the keys mean that were pressed so far: a number or one of the other choices, or empty for nothing there is.

    None: more of them may come. `complete`: none will. `#` ends a number that is also the beginning of others.
    """
    number = typed[:-1] if len(typed) > 1 and typed[-1] == "#" else typed
    complete = complete or number != typed
    if not complete and any(len(each) > len(number) and each.startswith(number) for each in numbers):
        return None
    return number if number in numbers else menu.get(number, "")


class _Keys:
    """What a caller has pressed, and nobody has heeded yet."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._waiting: deque[str] = deque(maxlen=MOST_AHEAD)
        self._news = anyio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def press(self, key: str) -> None:
        self._waiting.append(key)
        self._news.set()

    async def next(self, seconds: float) -> str:
        """The next key; empty when none came for so long."""
        if not self._waiting:
            self._news = anyio.Event()
            timer = self._timers.after(seconds, self._news.set)
            try:
                await self._news.wait()
            finally:
                timer.cancel()
        return self._waiting.popleft() if self._waiting else ""


@dataclass(slots=True)
class _Visit:
    """A caller, from the first greeting on, until somebody takes the call."""

    came: Dialled
    "The call as it came to the first attendant."
    number: str
    "The attendant whose menu they hear."
    since: float
    "Seconds since 1970."
    greetings: int = 0


class Attendants(Feature):
    """Keys lead outside by the attendant's rights; what callers dial themselves leads to numbers of the house alone."""

    name = "attendants"
    areas = (
        SettingsArea(
            "attendants", Attendant, "item", _verify, most=100, columns=("title", "greeting", "keys")
        ),
    )
    row = AttendedCall

    def follow(self) -> None:
        self._visits: dict[str, _Visit] = {}  # by the call's id: each is taken out when its task ends
        self.house.config.add_verifier(self._check_greetings)

    def _check_greetings(self, old: Snapshot, new: Snapshot) -> None:
        """A greeting that is set anew must be there. One that is lost later holds up no other change, and a chime is heard."""
        before = old.items("attendants")
        for name, each in new.items("attendants").items():
            known = name in before and before[name].greeting == each.greeting
            if each.greeting and not known and not self.house.prompts.exists(each.greeting):
                path = f"attendants.{name}.greeting"
                raise ConfigError(path, "error.no_such_prompt", name=each.greeting)

    def claims(self, number: str, caller: Caller) -> bool:
        return number in self.house.settings.items("attendants")

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToFeature) or self._attendant(target.number) is None:
            return None
        if len(self._visits) >= MOST_CALLERS:
            return Refuse(Cause.BUSY)
        visit = _Visit(dialled, target.number, self.house.exchange.wall())
        return Serve(lambda call: self._attend(call, visit), "attendant")

    def snapshot(self) -> list[msgspec.Struct]:
        return [
            AttendedCall(each.number, each.came.from_number, each.came.from_name, each.since)
            for each in self._visits.values()
        ]

    def _attendant(self, number: str) -> Attendant | None:
        found: Attendant | None = self.house.settings.items("attendants").get(number)
        return found

    # --- in the menu

    async def _attend(self, call: Call, visit: _Visit, first_to: str = "") -> None:
        """`first_to`: where the caller shall go before any greeting; empty: nowhere."""
        call.answer_itself()
        if call.over:
            return
        keys = _Keys(self.house.timers)
        call.pressing.serve(keys.press)
        self._visits[call.id] = visit
        try:
            attendant = self._attendant(visit.number)
            if (
                not first_to
                or attendant is None
                or not self._put_through(call, visit, attendant, first_to, last=True)
            ):
                await self._menus(call, visit, keys)
        finally:
            del self._visits[call.id]

    async def _menus(self, call: Call, visit: _Visit, keys: _Keys) -> None:
        """Until the caller has chosen where to go, or is to be hung up on."""
        tries = 0
        while visit.greetings < MOST_GREETINGS and (attendant := self._attendant(visit.number)) is not None:
            visit.greetings += 1
            to = await self._ask(call, attendant, keys)
            if not to:
                tries += 1
                to = AGAIN if tries < attendant.tries else attendant.otherwise_to or HANG_UP
            if to == HANG_UP:
                return
            if self._attendant(to) is not None:
                visit.number, tries = to, 0
            elif to != AGAIN:
                if self._put_through(call, visit, attendant, to):
                    return
                await self.house.playback.say(call.caller.media, "error")

    async def _ask(self, call: Call, attendant: Attendant, keys: _Keys) -> str:
        """Play the greeting and wait: a number, `again`, or `hang-up`; empty when the caller chooses nothing that there is."""
        sound = await self._greeting(attendant)
        playback, media = self.house.playback, call.caller.media
        if not keys:
            playback.announce(media, sound)
        menu, numbers = _menu(attendant), self._numbers() if attendant.direct_dialling else frozenset()
        typed, seconds = "", sound.seconds + attendant.wait_seconds
        while key := await keys.next(seconds):
            playback.stop(media)
            typed, seconds = typed + key, PAUSE_SECONDS
            to = chosen(typed, menu, numbers, complete=False)
            if to is not None:
                break
        else:
            to = chosen(typed, menu, numbers, complete=True) if typed else ""
        playback.stop(media)
        if typed and not to:
            await playback.say(media, "error")
        return to or ""

    async def _greeting(self, attendant: Attendant) -> Sound:
        prompt = await self.house.prompts.sound(attendant.greeting) if attendant.greeting else None
        return prompt or self.house.playback.tone("attention")

    def _numbers(self) -> frozenset[str]:
        """What callers may dial themselves: whatever they dial, it costs nothing."""
        settings = self.house.settings
        extensions = (number for number, each in settings.extensions.items() if each.enabled)
        return frozenset(extensions).union(*(settings.items(area) for area in NUMBERED))

    # --- on to somebody

    def _put_through(
        self, call: Call, visit: _Visit, attendant: Attendant, number: str, *, last: bool = False
    ) -> bool:
        """Whether there is somebody to be rung. `last`: when they do not answer, there is nobody else but the menu."""
        came = visit.came
        asking = msgspec.structs.replace(
            self.house.further(call, call.caller.sip, number, baggage=came.baggage),
            hops_left=came.hops_left,
            steps=came.steps,
            passed=came.passed,
        )
        # Silent: an attendant is but the way to where the call belongs.
        step = Diverted(attendant.name, attendant.title, number, "unconditional", silent=True)
        try:
            dialled = sent_on(asking, step, FromExtension(attendant.name, attendant.level))
            plan = self.house.exchange.router.route(dialled)
        except RefusedError:
            return False
        if plan.emergency and number not in _targets(attendant):
            return (
                False  # it has the number of something in the house, too, which is what the caller may dial
            )
        leg = call.hand_over(call.caller)
        purpose: Purpose = _PutThrough(self, visit, "" if last else attendant.failed_to)
        theirs = call.purpose
        if theirs is not None and theirs.goes_along:
            purpose, call.purpose = theirs, None
        call.end(GONE_ON, "system")
        try:
            further = self.house.exchange.call_from(leg, dialled)
        except PeerError:
            leg.hang_up(GONE_ON)
            purpose.ended(call, GONE_ON)
            return True
        further.purpose = purpose
        self.house.playback.start(leg.media)  # until it rings: on lines that takes seconds
        further.start(plan)
        return True

    def come_back(self, leg: SipLeg, visit: _Visit, failed_to: str) -> None:
        """Nobody has taken the call: it goes on to `failed_to`, or the menu is heard again."""
        if leg.over:
            return
        try:
            call = self.house.exchange.call_from(leg, visit.came)
        except PeerError:
            leg.hang_up(GONE_ON)
            return
        call.safely(lambda: call.serve(Serve(lambda it: self._attend(it, visit, failed_to), "attendant")))


class _PutThrough(Purpose):
    """The call to whom the caller has chosen."""

    def __init__(self, attendants: Attendants, visit: _Visit, failed_to: str) -> None:
        self._attendants = attendants
        self._visit = visit
        self._failed_to = failed_to

    def failed(self, call: Call, event: HungUp) -> None:
        self._attendants.come_back(call.hand_over(call.caller), self._visit, self._failed_to)
