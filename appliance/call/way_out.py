"""How a call leaves the house: the Request-URI, and how the caller is shown, by the settings of its line or trunk.

RFC 3261 §8.1.1, §19.1.1; RFC 3966 (`tel:`); RFC 3323 §4.1.1.3, RFC 3325 §9.2 (a caller who will not be shown).
"""

from __future__ import annotations

__all__ = ["LineWay", "TrunkWay"]

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from appliance.call.cause import Cause
from appliance.call.destination import ANONYMOUS, Shown, from_of
from appliance.call.diversion import diversions, history
from appliance.call.number import escaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.call.events import Baggage, Dialled
    from appliance.call.leg_options import LegOptions
    from appliance.config.line import Line
    from appliance.config.outside import Outside
    from appliance.config.trunk import Trunk
    from appliance.lines.credentials import Attempt, Credentials
    from appliance.lines.learned import Feature
    from appliance.sip.message import NameAddr


def _remember_nothing(_: Feature) -> None:
    """What becomes of a discovery where nobody keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What lines and trunks have in common."""

    options: LegOptions
    remember: Callable[[Feature], None] = _remember_nothing
    on_trial: Feature | None = None
    "What it does without to see whether that helps."

    def without(self, cause: Cause) -> Self | None:
        """The same way without the feature that explains this failure."""
        if cause is Cause.PRACK_REFUSED and self.options.reliable:
            return replace(self, options=self.options.without_reliable(), on_trial="100rel")
        return None

    def worked(self) -> None:
        """It did help, if it was a trial."""
        if self.on_trial is not None:
            self.remember(self.on_trial)


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
        return _with_parameter(f"sip:{escaped(number)}@{self.domain}", self.line)

    def shown(self, dialled: Dialled, number: str) -> Shown:
        """How the caller is shown to the carrier."""
        line = self.line
        user = line.from_user or _shown_number(line, dialled, own=line.account.partition("@")[0])
        caller = from_of(line.from_display or dialled.from_name, user, self.domain)
        callee = f"<sip:{escaped(number)}@{self.domain}>"
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
        return _with_parameter(self._address(number), self.trunk)

    def shown(self, dialled: Dialled, number: str) -> Shown:
        """How the caller is shown to the peer."""
        trunk = self.trunk
        user = _shown_number(trunk, dialled, own=trunk.caller_number or dialled.from_number)
        host = self.host.partition("%")[0]
        caller = from_of(dialled.from_name, user, host)
        # RFC 3325 §9.1: servers that trust each other assert it.
        shown, headers = _as_wished(caller, trunk, dialled, "P-Asserted-Identity")
        diverter = partial(_shown_diverter, trunk, "")
        return Shown(
            shown.text,
            f"<{self._address(number)}>",
            user or "anonymous",
            (*headers, *diversions(dialled, host, diverter)),
            history(dialled, host, diverter),
        )

    def attempt(self, _method: str) -> Attempt | None:
        """A trunk is trusted by address: there is nothing to prove."""
        return None

    def _address(self, number: str) -> str:
        match self.trunk.number_format:
            case "sip":
                return f"sip:{escaped(number)}@{self.domain}"
            case "e164":
                return f"sip:+{escaped(number.removeprefix('+'))}@{self.domain}"
            case "tel":
                # RFC 3966 §5.1.5: a number that is not a global one MUST say where it holds.
                local = "" if number.startswith("+") else f";phone-context={_without_port(self.domain)}"
                return f"tel:{escaped(number)}{local}"


def _shown_number(way: Outside, dialled: Dialled, own: str) -> str:
    match way.shows:
        case "extension":
            number = dialled.from_number
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
    asked = any(name.lower() == "privacy" and "id" in _wishes(value) for name, value in dialled.baggage)
    if not (way.hide_caller or asked):
        return caller, ()
    # What the phone itself asks for goes on with the rest of what it says.
    privacy = () if asked else (("Privacy", "id"),)
    return ANONYMOUS, privacy if caller is ANONYMOUS else ((header, caller.text), *privacy)


def _wishes(privacy: str) -> list[str]:
    return [each.strip().lower() for each in privacy.split(";")]


def _without_port(domain: str) -> str:
    host, colon, _ = domain.rpartition(":")
    return host if colon and not domain.endswith("]") else domain


def _with_parameter(uri: str, way: Outside) -> str:
    return f"{uri};{way.uri_parameter}" if way.uri_parameter else uri
