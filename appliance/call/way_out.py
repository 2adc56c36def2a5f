"""How a call leaves the house: the Request-URI, and how the caller is shown, by the settings of its line or trunk.

RFC 3261 §8.1.1, §19.1.1; RFC 3966 (`tel:`); RFC 3323 §4.1.1.3, RFC 3325 §9.2 (a caller who will not be shown).
"""

from __future__ import annotations

__all__ = ["LineWay", "TrunkWay"]

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from appliance.call.destination import ANONYMOUS, Shown, from_of
from appliance.call.diversion import diversions, history
from appliance.call.loops import marks
from appliance.call.number import escaped
from appliance.lines.explanation import explain
from appliance.lines.feature import Habit, addressed
from appliance.lines.learned import Learned

if TYPE_CHECKING:
    from appliance.call.events import Baggage, Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.config.line import Line
    from appliance.config.outside import Outside
    from appliance.config.trunk import Trunk
    from appliance.lines.credentials import Attempt, Credentials
    from appliance.lines.explanation import Known
    from appliance.lines.feature import Feature
    from appliance.lines.refusal import Refusal
    from appliance.sip.message import NameAddr

BUSY = frozenset({486, 600})
"Who hears that has got through: there was nothing wrong with the INVITE."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What lines and trunks have in common."""

    base: LegOptions
    "What its legs use of SIP's extensions as it is set."
    learned: Learned = field(default_factory=Learned)
    habits: frozenset[Habit] = frozenset()
    "What its calls do and do without beside that."
    trial: tuple[Habit, ...] = ()
    "Those of the habits that this call is to show the good of."
    said: str = ""
    "The answer that made us try them."

    @property
    def name(self) -> str:
        """As routes and records name it."""
        raise NotImplementedError

    @property
    def options(self) -> LegOptions:
        """What its legs use of SIP's extensions."""
        return self.base.without(each.feature for each in self.habits if not each.on)

    def after(self, refusal: Refusal, *, unheard: bool) -> Self | None:
        """The same way in other habits if those explain the refusal; remembers what it tells of the ones it has."""
        if refusal.status in BUSY:
            self.worked(refusal.used)
            return None
        if self.trial:
            self.learned.failed(self.name, self.trial)
            return None
        cure = explain(refusal, self._known())
        if cure and unheard:
            return self.on_trial(cure, refusal.said)
        if cure and refusal.method == "PRACK":
            # It rang already, and will ring the next time, too: that call must not fail as well.
            self.learned.suspect(self.name, cure, refusal.said)
        return None

    def worked(self, used: frozenset[Feature]) -> None:
        """A call has come about: what was tried did help, and nothing that it had does harm."""
        self.learned.worked(self.name, used)
        if self.trial:
            self.learned.note(self.name, self.trial, self.said)

    def on_trial(self, habits: tuple[Habit, ...], said: str) -> Self:
        """The same way in these habits, which somebody's answer suggested."""
        features = {each.feature for each in habits}
        rest = (each for each in self.habits if each.feature not in features)
        return replace(self, habits=frozenset((*rest, *habits)), trial=habits, said=said)

    def _known(self) -> Known:
        """What is known of the other side."""
        return self.learned.known(self.name)

    def _does_without(self, feature: Feature) -> bool:
        return Habit(feature, on=False) in self.habits

    def _written(self, number: str) -> str:
        return number.removeprefix("+") if self._does_without("plus") else number


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWay(_Way):
    """Out by an external line."""

    line: Line
    domain: str
    credentials: Credentials

    @property
    def name(self) -> str:
        """As routes and records name it."""
        return f"line:{self.line.name}"

    def uri(self, number: str) -> str:
        """The Request-URI for a number."""
        parameters = addressed(self.line.uri_parameter, number, self.habits)
        return _with_parameters(f"sip:{escaped(self._written(number))}@{self.domain}", parameters)

    def shown(self, dialled: Dialled, number: str) -> Shown:
        """How the caller is shown to the carrier."""
        line = self.line
        user = line.from_user or _shown_number(line, dialled.from_number, own=line.account.partition("@")[0])
        caller = from_of(line.from_display or dialled.from_name, user, self.domain)
        callee = f"<sip:{escaped(self._written(number))}@{self.domain}>"
        # RFC 3325 §9.2: a carrier's customer says which of its identities it would like to have shown.
        shown, headers = _as_wished(caller, line, dialled, "P-Preferred-Identity")
        own = line.account.partition("@")[0]
        diverter = partial(_shown_diverter, line, own)
        return Shown(
            shown.text,
            callee,
            line.contact_user or own,
            (*headers, *diversions(dialled, self.domain, diverter)),
            history(dialled, self.domain, diverter),
        )

    def attempt(self, method: str) -> Attempt | None:
        """What answers the carrier's challenges to one request."""
        return self.credentials.attempt(method)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkWay(_Way):
    """Out by a trunk, to one of its peers."""

    trunk: Trunk
    domain: str
    "The host that the peer's numbers belong to, perhaps with a port."
    host: str
    "Ours, as that peer sees it."

    @property
    def name(self) -> str:
        """As routes and records name it."""
        return f"trunk:{self.trunk.name}"

    def uri(self, number: str) -> str:
        """The Request-URI for a number."""
        # RFC 3966 has no user=phone: a tel: URI is a telephone number's anyway.
        habits = frozenset[Habit]() if self._is_tel else self.habits
        return _with_parameters(self._address(number), addressed(self.trunk.uri_parameter, number, habits))

    def shown(self, dialled: Dialled, number: str) -> Shown:
        """How the caller is shown to the peer."""
        trunk = self.trunk
        # RFC 3325 §7: whoever is hidden from users is named to those who are trusted, as they were to us.
        named = dialled.from_number or (dialled.asserted if _asks_for_id(dialled) else "")
        user = _shown_number(trunk, named, own=trunk.caller_number or named)
        host = self.host.partition("%")[0]
        caller = from_of(dialled.from_name, user, host)
        # RFC 3325 §9.1: servers that trust each other assert it.
        shown, headers = _as_wished(caller, trunk, dialled, "P-Asserted-Identity")
        diverter = partial(_shown_diverter, trunk, "")
        return Shown(
            shown.text,
            f"<{self._address(number)}>",
            user if user and (dialled.from_number or not named) else "anonymous",
            (*headers, *diversions(dialled, host, diverter), *marks(dialled)),
            history(dialled, host, diverter),
        )

    def attempt(self, _method: str) -> Attempt | None:
        """A trunk is trusted by address: there is nothing to prove."""
        return None

    def _known(self) -> Known:
        # Server to server nobody asks for user=phone, and a 404 means that there is no such number.
        known = self.learned.known(self.name)
        return replace(known, worked=known.worked | {Habit("user-phone", on=False)})

    @property
    def _is_tel(self) -> bool:
        return self.trunk.number_format == "tel" and not self._does_without("tel")

    def _address(self, number: str) -> str:
        if self.trunk.number_format == "e164":
            number = f"+{number.removeprefix('+')}"
        number = self._written(number)
        if not self._is_tel:
            return f"sip:{escaped(number)}@{self.domain}"
        # RFC 3966 §5.1.5: a number that is not a global one MUST say where it holds.
        local = "" if number.startswith("+") else f";phone-context={_without_port(self.domain)}"
        return f"tel:{escaped(number)}{local}"


def _shown_number(way: Outside, caller: str, own: str) -> str:
    match way.shows:
        case "extension":
            number = caller
        case "outside":
            number = own
        case "fixed":
            number = way.caller_number
    if not number:
        return ""  # the caller is hidden from us, too: neither cut nor prefix makes a number of that
    return f"{way.caller_prefix}{number[way.caller_cut :]}"


def _shown_diverter(way: Outside, own: str, number: str) -> str:
    """How the carrier is told who sent a call on: by a number of the line, as it is told who calls."""
    match way.shows:
        case "extension":
            shown = number
        case "outside":
            shown = own or way.caller_number or number
        case "fixed":
            shown = way.caller_number
    return escaped(f"{way.caller_prefix}{shown[way.caller_cut :]}")


def _as_wished(caller: NameAddr, way: Outside, dialled: Dialled, header: str) -> tuple[NameAddr, Baggage]:
    """From, and what stands beside it: whoever will not be shown is told to the other side alone (RFC 3323 §4.2)."""
    asked = _asks_for_id(dialled)
    if not (way.hide_caller or asked):
        return caller, ()
    # What the phone itself asks for goes on with the rest of what it says.
    privacy = () if asked else (("Privacy", "id"),)
    return ANONYMOUS, privacy if caller is ANONYMOUS else ((header, caller.text), *privacy)


def _asks_for_id(dialled: Dialled) -> bool:
    return any(name.lower() == "privacy" and "id" in _wishes(value) for name, value in dialled.baggage)


def _wishes(privacy: str) -> list[str]:
    return [each.strip().lower() for each in privacy.split(";")]


def _without_port(domain: str) -> str:
    host, colon, _ = domain.rpartition(":")
    return host if colon and not domain.endswith("]") else domain


def _with_parameters(uri: str, parameters: str) -> str:
    return f"{uri};{parameters}" if parameters else uri
