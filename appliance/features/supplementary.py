"""All services as the router sees them: asked in their order, and the first that has something to say is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from appliance.call.cause import Cause
from appliance.call.decision import FromExtension, ToFeature
from appliance.call.verdict import Refuse
from appliance.config.codes import codes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import msgspec

    from appliance.call.call import Call
    from appliance.call.decision import Caller
    from appliance.call.events import Dialled
    from appliance.call.leg import Leg
    from appliance.call.verdict import Failure, Target, Verdict
    from appliance.config.snapshot import Snapshot
    from appliance.directory.lamps import Lamp
    from appliance.features.feature import Feature
    from appliance.features.house import House

__all__ = ["SupplementaryServices"]


class _Dialled(NamedTuple):
    """A code that somebody may dial now."""

    feature: Feature
    name: str
    digits: str
    argument: bool


class SupplementaryServices:
    """Implements `call/verdict`'s Services."""

    def __init__(self, features: Iterable[type[Feature]], house: House) -> None:
        self._features = [feature(house) for feature in features]
        self._by_name = {feature.name: feature for feature in self._features}
        self._codes: list[_Dialled] = []
        house.config.on_change(codes_of, lambda _: self._read_codes(house.settings))
        house.exchange.on_key = self._pressed
        house.exchange.wants_keys = lambda: any(each.listens() for each in self._features)
        for feature in self._features:
            feature.follow()

    def __getitem__(self, name: str) -> Feature:
        """The service of that name. KeyError."""
        return self._by_name[name]

    @property
    def snapshots(self) -> dict[str, Callable[[], list[msgspec.Struct]]]:
        """The live tables, by the service's name."""
        return {each.name: each.snapshot for each in self._features if each.row is not None}

    def lamps_of(self, number: str) -> tuple[Lamp, ...] | None:
        """A `LampSource` of all numbers that are services'."""
        found = (each.lamps(number) for each in self._features)
        return next((lamps for lamps in found if lamps is not None), None)

    def wants_no_calls(self, number: str) -> bool:
        """As `Feature.wants_no_calls`, of any feature."""
        return any(each.wants_no_calls(number) for each in self._features)

    def _read_codes(self, settings: Snapshot) -> None:
        set_to = codes_of(settings)
        codes = [
            _Dialled(feature, code.name, set_to[code.name], code.argument)
            for feature in self._features
            for code in feature.codes
            if set_to.get(code.name)
        ]
        # The longest first: *72 with a number behind it must not hide *720.
        self._codes = sorted(codes, key=lambda each: -len(each.digits))

    def _code(self, number: str) -> _Dialled | None:
        if number[:1] not in ("*", "#"):
            return None
        for each in self._codes:
            if number == each.digits or (each.argument and number.startswith(each.digits)):
                return each
        return None

    def _pressed(self, call: Call, leg: Leg, key: str) -> None:
        for feature in self._features:
            feature.pressed(call, leg, key)

    # --- what the router asks

    def claims(self, number: str, caller: Caller) -> str | None:
        """Codes are for the house alone: nobody outside changes what is set here, or picks up its calls."""
        if isinstance(caller, FromExtension) and (code := self._code(number)) is not None:
            return code.feature.name
        return next((each.name for each in self._features if each.claims(number, caller)), None)

    def reached(self, target: Target, dialled: Dialled) -> Verdict | None:
        """As `Feature.reached`, of all features; what one claims is for that one alone."""
        if isinstance(target, ToFeature):
            return self._reached_feature(target, dialled)
        verdicts = (each.reached(target, dialled) for each in self._features)
        return next((each for each in verdicts if each is not None), None)

    def _reached_feature(self, target: ToFeature, dialled: Dialled) -> Verdict | None:
        code = self._code(target.number)
        if code is not None and code.feature.name == target.name:
            # A code that somebody's forwarding dials would act for whoever forwards, without asking them.
            if dialled.steps or (dialled.payer is not None and not code.feature.takes_transfers):
                return Refuse(Cause.FORBIDDEN)
            return code.feature.coded(code.name, target.number[len(code.digits) :], dialled)
        feature = self._by_name.get(target.name)
        return None if feature is None else feature.reached(target, dialled)

    def failed(self, target: Target, failure: Failure, dialled: Dialled) -> Verdict | None:
        """As `Feature.failed`, of all features; what one claims is for that one alone."""
        if isinstance(target, ToFeature):
            feature = self._by_name.get(target.name)
            return None if feature is None else feature.failed(target, failure, dialled)
        verdicts = (each.failed(target, failure, dialled) for each in self._features)
        return next((each for each in verdicts if each is not None), None)
