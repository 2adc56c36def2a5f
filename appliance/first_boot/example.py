"""The example of a settings file: every setting there is, explained in each language, drawn from what control takes.

A line that begins with `# ` explains; one that begins with `#` alone is a setting, to be freed of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import tomli_w

from appliance import locale
from appliance.config import backup_schedule, update_check
from appliance.config.dial_plan import DialPlan
from appliance.config.snapshot import KEYED
from appliance.config.system import System
from appliance.control.areas import AREAS
from appliance.control.areas.placeholders import PLACEHOLDER
from appliance.control.control import describe
from appliance.features import settings_areas
from appliance.locale import LANGUAGES, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from appliance.config.settings_area import SettingsArea

__all__ = ["example"]

NUMBER = "101"
"The extension that the example is about."
LEFT_OUT = {("system", "realm")}
"What is taken only to be the same."
SAMPLES: dict[tuple[str, str], Any] = {
    ("system", "host_name"): "office-phones",
    ("system", "time_zone"): "Asia/Shanghai",
    ("system", "address"): "192.168.1.10",
    ("system", "gateway"): "192.168.1.1",
    ("system", "dns"): ["192.168.1.1"],
    ("system", "address6"): "2001:db8::10",
    ("system", "gateway6"): "fe80::1",
    ("system", "wifi_ssid"): "Office",
    ("system", "wifi_country"): "CN",
    ("system", "ntp"): ["ntp.example.com"],
    ("extensions", "name"): "Reception",
    ("lines", "name"): "carrier",
    ("lines", "server"): "sip.example.net",
    ("lines", "account"): "100200",
    ("lines", "incoming"): NUMBER,
    ("trunks", "name"): "other-office",
    ("trunks", "peers"): ["192.0.2.20"],
    ("routes", "name"): "out",
    ("routes", "pattern"): "X.",
    ("routes", "to"): ["line:carrier"],
    ("attendants", "name"): "500",
    ("attendants", "greeting"): "welcome",
    ("attendants", "keys"): ["1=101", "9=again", "0=hang-up"],
    ("groups", "name"): "600",
    ("groups", "members"): [NUMBER],
    ("time-conditions", "name"): "700",
    ("time-conditions", "hours"): ["mon-fri 08:00-18:00"],
    ("time-conditions", "open_to"): NUMBER,
}
"What a setting without a default needs, and what says more than an empty one."
TITLES = {"backup-schedule": "console.backups.title", "update-check": "console.updates.title"}
WORDS = {
    ("system", "dns_references"): "console.dns.references",
    ("system", "ipv6"): "first_boot.ipv6",
    ("system", "prefix6"): "first_boot.prefix6",
    ("system", "gateway6"): "first_boot.gateway6",
}
"Of settings whose words have another name."


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file."""

    area: str
    header: str
    title: str
    "The key of its words; empty: it has none."
    settings: Mapping[str, Any]
    defaults: Mapping[str, Any]


def example() -> str:
    """The whole file."""
    parts = [_comment(say("first_boot.example", each)) for each in LANGUAGES]
    administrator = _setting("administrator", "password", PLACEHOLDER, {})
    parts.append(f"#[administrator]\n{administrator}")
    parts += [_drawn(table) for table in _tables()]
    return "\n".join(parts)


@cache
def _words() -> frozenset[str]:
    return locale.keys()


def _tables() -> Iterator[_Table]:
    told = describe(AREAS)
    yield _Table(
        *("system", "[system]", "console.nav.system", told["system"]["set"]["properties"]),
        msgspec.to_builtins(System()),
    )
    yield _Table(
        *("dial-plan", "[dial-plan]", "console.ways.plan", told["dial-plan"]["set"]["properties"]),
        msgspec.to_builtins(DialPlan()),
    )
    yield _Table(
        *("extensions", f"[extensions.{NUMBER}]", "console.nav.extensions"),
        *(told["extensions"]["add"]["properties"], {}),
    )
    for area in (*KEYED.values(), *settings_areas(), backup_schedule.AREA, update_check.AREA):
        verb = "add" if area.per == "item" else "set"
        for header, defaults in _headers(area):
            yield _Table(area.name, header, _title(area.name), told[area.name][verb]["properties"], defaults)


def _headers(area: SettingsArea) -> Iterator[tuple[str, Mapping[str, Any]]]:
    match area.per:
        case "item":
            yield f"[{area.name}.{_sample(area.name, 'name', 'example')}]", {}
        case "extension":
            yield f"[{area.name}.{NUMBER}]", msgspec.to_builtins(area.default(NUMBER))
        case "box":
            yield f"[{area.name}]", msgspec.to_builtins(area.default(""))
        case "fixed":
            for key in area.fixed:
                yield f"[{area.name}.{key}]", msgspec.to_builtins(area.fixed[key])


def _drawn(table: _Table) -> str:
    key = "number" if table.area == "extensions" else "name"
    lines = []
    title = _code_title(table) or table.title
    if title in _words():
        lines.append(_comment(" / ".join(say(title, each) for each in LANGUAGES)))
    lines.append(f"#{table.header}\n")
    for name, told in table.settings.items():
        is_key = name == key and table.header != "[system]" and "." in table.header
        if (table.area == "extensions" and name == "name") or (
            not is_key and (table.area, name) not in LEFT_OUT
        ):
            default = table.defaults.get(name, told.get("default", ""))
            lines.append(_setting(table.area, name, default, told))
    return "".join(lines)


def _code_title(table: _Table) -> str:
    if table.area != "codes":
        return ""
    return f"code.{table.header.removeprefix('[codes.').removesuffix(']')}"


def _setting(area: str, name: str, default: Any, told: Mapping[str, Any]) -> str:
    lines = [_comment(text) for text in _explained(area, name)]
    choices = told.get("items", told).get("enum")
    if choices:
        lines.append(_comment(" | ".join(tomli_w.dumps({"x": each})[4:].strip() for each in choices)))
    secret = told.get("writeOnly") or name == "password"
    value = PLACEHOLDER if secret else _sample(area, name, default)
    # One line each, lists as well.
    written = (
        tomli_w.dumps({name: value}, multiline_strings=False).replace("\n    ", " ").replace(",\n]", " ]")
    )
    return "".join([*lines, "#" + written])


def _sample(area: str, name: str, default: Any) -> Any:
    return SAMPLES.get((area, name), default)


def _explained(area: str, name: str) -> Iterator[str]:
    """The words of the console's form."""
    word = area.replace("-", "_")
    if area == "administrator":
        word = "system"
    prefixes = WORDS.get((area, name)), f"console.{word}.{name}", f"console.outside.{name}"
    found = next((each for each in prefixes if each in _words()), None)
    if found is None:
        return
    for language in LANGUAGES:
        hint = say(found + "_hint", language) if found + "_hint" in _words() else ""
        yield say(found, language) + (f": {hint}" if hint else "")


def _title(area: str) -> str:
    word = area.replace("-", "_")
    found = (f"area.{word}", f"feature.{word}", f"console.ways.about.{word}", TITLES.get(area, ""))
    return next((each for each in found if each in _words()), "")


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())
