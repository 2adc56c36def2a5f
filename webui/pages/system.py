"""The box itself: name, time, network, password, tokens, backup. Each section is saved by a file of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from webui import form
from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "draw", "zones_with"]

CONTINENTS = tuple(
    f"{name}/"
    for name in (
        *("Africa", "America", "Antarctica", "Arctic", "Asia"),
        *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
    )
)


NETWORK_FIELDS = (
    *("address", "prefix", "gateway", "ipv6", "address6", "prefix6", "gateway6"),
    *("link", "wifi_ssid", "wifi_country"),
)


def show(visit: Visit) -> Answer:
    return draw(visit)


def draw(visit: Visit, section: str = "", refused: form.Reading | None = None, **extra: Any) -> Answer:
    """The whole page; `section` is the one whose form was just refused."""
    system = visit.perform("system", "show")
    forms = {"general": _general(system), "network": network_form(system), "password": form.Reading()}
    forms |= {each: form.Reading() for each in ("token", "reset", "backup")}
    music = visit.perform("music", "show")
    forms["music"], forms["tones"] = form.Reading(), form.Reading(typed={"tones": music["tones"]})
    forms["updating"], forms["prompts"] = form.Reading(), form.Reading()
    forms["dns"] = form.Reading(typed={"dns_references": " ".join(system.get("dns_references", ()))})
    if refused is not None:
        forms[section] = refused
    values: dict[str, Any] = {
        "forms": forms,
        "system": system,
        "time_zones": zones_with(str(system.get("time_zone", "UTC"))),
        "tokens": visit.perform("admin", "tokens"),
        "new_token": None,
        "music": music,
        "prompts": visit.perform("prompts", "list"),
        "update": visit.perform("update", "show"),
        "backups": visit.perform("backup-schedule", "show"),
    }
    return visit.page("system.html", 400 if refused else 200, **(values | extra))


def zones_with(current: str) -> tuple[str, ...]:
    """The names to choose from, and the one in force, which may have been set elsewhere to any name."""
    zones = _places()
    return zones if current in zones else (current, *zones)


@cache
def _places() -> tuple[str, ...]:
    """`Asia/Shanghai`, not `Etc/GMT-8`, `US/Eastern` or `posix/...`."""
    return ("UTC", *sorted(each for each in available_timezones() if each.startswith(CONTINENTS)))


def network_form(system: dict[str, Any]) -> form.Reading:
    """What the network form shows before anything is typed."""
    # What is on trial, where something is: a further change begins from that.
    network = {**system, **(system.get("trial") or {})}
    typed = {name: str(network.get(name, "")) for name in NETWORK_FIELDS}
    typed["vlan"] = str(network.get("vlan") or "")
    return form.Reading(typed={**typed, "mode": network["network"], "dns": " ".join(network.get("dns", ()))})


def _general(system: dict[str, Any]) -> form.Reading:
    typed = {name: str(system.get(name, "")) for name in ("language", "host_name", "time_zone")}
    return form.Reading(typed={**typed, "ntp": " ".join(system.get("ntp", ()))})


ROUTES = (Route("GET", "/system", show),)
