"""Forwarding: an extension sends its calls on, all of them or those that it does not take.

RFC 5359 §2.7 to §2.9; RFC 3261 §21.3 (a phone that sends a call on itself). Everybody is told: see `call/diversion`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.call.cause import Cause
from appliance.call.decision import ToExtension
from appliance.call.verdict import Forward
from appliance.config.pattern import is_dialable
from appliance.config.settings_area import SettingsArea
from appliance.errors import ConfigError
from appliance.features.confirmation import confirmed
from appliance.features.feature import Code, Feature

if TYPE_CHECKING:
    from appliance.call.events import Dialled, DivertReason
    from appliance.call.verdict import Failure, Target, Verdict
    from appliance.config.snapshot import Snapshot

__all__ = ["Forwarding", "ForwardingNotice", "ForwardingSetting"]

When = Literal["always", "busy", "no_answer", "not_registered"]

_WHEN: dict[Cause, When] = {
    Cause.BUSY: "busy",
    Cause.UNAVAILABLE: "busy",
    Cause.REFUSED: "busy",
    Cause.NO_ANSWER: "no_answer",
    Cause.NOT_REGISTERED: "not_registered",
    Cause.UNREACHABLE: "not_registered",
}
"A phone that says that it takes no calls now is busy with its owner's peace."

_REASONS: dict[When, DivertReason] = {
    "always": "unconditional",
    "busy": "user-busy",
    "no_answer": "no-answer",
    "not_registered": "unavailable",
}


class ForwardingSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one extension: numbers as it would dial them itself; empty: not forwarded."""

    name: str
    always: str = ""
    busy: str = ""
    no_answer: str = ""
    "When it has rung as long as the extension rings."
    not_registered: str = ""
    "When none of its phones is there, or answers at all."


class ForwardingNotice(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller's phone is told."""

    call_info: Literal["minisipserver", "rfc3261", "both", "none"] = "minisipserver"
    "The Call-Info of a 181: as miniSIPServer writes it, by the grammar of RFC 3261 §20.9, both, or none."
    outside: bool = False
    """Whether callers by a line get it, too. Without it they learn that a call is sent on, and not from whom to whom, for
    that may be somebody's own telephone."""


def _verify(item: ForwardingSetting, _snapshot: Snapshot) -> None:
    for when in _REASONS:
        number = getattr(item, when)
        path = f"forwarding.{item.name}.{when}"
        if number and not is_dialable(number):
            raise ConfigError(path, "error.bad_target_number")
        if number == item.name:
            raise ConfigError(path, "error.forwards_to_itself")


class Forwarding(Feature):
    """In the rights of whoever forwards: an outside number is on their account, not on the caller's."""

    name = "forwarding"
    areas = (
        SettingsArea("forwarding", ForwardingSetting, "extension", _verify),
        SettingsArea("forwarding-notice", ForwardingNotice, "box"),
    )
    codes = (
        Code("forward_all_on", "*72", argument=True),
        Code("forward_all_off", "*73"),
        Code("forward_busy_on", "*90", argument=True),
        Code("forward_busy_off", "*91"),
        Code("forward_no_answer_on", "*92", argument=True),
        Code("forward_no_answer_off", "*93"),
        Code("forward_not_registered_on", "*94", argument=True),
        Code("forward_not_registered_off", "*95"),
    )

    def follow(self) -> None:
        def take(notice: ForwardingNotice) -> None:
            self.house.exchange.notice_form = notice.call_info
            self.house.exchange.notices_outside = notice.outside

        self.house.config.on_change(lambda settings: settings.setting("forwarding-notice"), take)

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToExtension) or dialled.phone:
            return None
        to = self._setting(target.number).always
        if not to or _calls_back(to, dialled):
            return None
        return self._forward(target.number, to, "unconditional")

    def failed(self, target: Target, failure: Failure, dialled: Dialled) -> Verdict | None:
        if not isinstance(target, ToExtension) or dialled.phone:
            return None
        if failure.moved_to:
            return self._forward(target.number, failure.moved_to, "deflection")
        when = _WHEN.get(failure.cause)
        to = "" if when is None else getattr(self._setting(target.number), when)
        if when is None or not to or _calls_back(to, dialled):
            return None
        return self._forward(target.number, to, _REASONS[when])

    def _setting(self, number: str) -> ForwardingSetting:
        found: ForwardingSetting = self.house.settings.setting("forwarding", number)
        return found

    def _forward(self, number: str, to: str, reason: DivertReason) -> Forward:
        return Forward(to, self.house.rights_of(number), self.house.name_of(number), reason)

    def coded(self, code: str, rest: str, dialled: Dialled) -> Verdict:
        on = code.endswith("_on")
        what = code.removeprefix("forward_").removesuffix("_on").removesuffix("_off")
        when = "always" if what == "all" else what

        async def change() -> None:
            path = f"forwarding.{dialled.from_number}.{when}"
            if on and not rest.removesuffix("#"):
                raise ConfigError(path, "error.bad_target_number")

            def edit(now: ForwardingSetting) -> ForwardingSetting:
                # Many phones send the # that ends what is dialled.
                return msgspec.structs.replace(now, **{when: rest.removesuffix("#") if on else ""})

            await self.house.change("forwarding", edit, dialled.from_number)

        return confirmed(self.house, f"code {code}", change)


def _calls_back(to: str, dialled: Dialled) -> bool:
    """Whoever calls are sent on to reaches the one who sends them: the secretary calls the chief."""
    return to == dialled.from_number and not dialled.way_in
