"""The outside world of the console's fake control: lines, trunks, routes and the dial plan, kept in memory."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partialmethod
from typing import Any, cast

from appliance.control.areas import AREAS
from appliance.control.control import describe
from appliance.errors import ConfigError
from appliance.features import settings_areas

__all__ = ["JSON", "FakeOutside", "add_outside", "described", "iso", "not_found"]

JSON = dict[str, Any]
LIVE: dict[str, JSON] = {
    "lines": {
        "state": "registering",
        "cause": "",
        "reason": "",
        "since": None,
        "calls": 0,
        "refused": [],
        "learned": [],
    },
    "trunks": {
        "state": "unknown",
        "since": None,
        "peer_states": [],
        "calls": 0,
        "refused": [],
        "learned": [],
    },
    "routes": {},
}


@cache
def described() -> dict[str, Any]:
    """control's own account of its areas."""
    return describe(AREAS)


def services() -> tuple[str, ...]:
    """The areas of the services' settings."""
    return tuple(each.name for each in settings_areas())


def iso(ago: float = 0.0) -> str:
    """A moment `ago` seconds before now, as control writes it."""
    return (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(timespec="seconds").replace("+00:00", "Z")


def refusal(area: str, item: str | None, setting: str, key: str, **params: str | int) -> ConfigError:
    return ConfigError(f"{area}.{item}.{setting}", key, **params)


def not_found(area: str, key: str | None) -> ConfigError:
    return ConfigError(f"{area}.{key}", "error.not_found")


@dataclass
class FakeOutside:
    """What `lines`, `trunks`, `routes` and `dial-plan` answer."""

    lines: dict[str, JSON] = field(default_factory=dict)
    trunks: dict[str, JSON] = field(default_factory=dict)
    routes: dict[str, JSON] = field(default_factory=dict)
    dial_plan: JSON = field(default_factory=lambda: {"out_prefix": "9", "emergency": ["110", "119"]})

    def _of_area(self, area: str) -> dict[str, JSON]:
        return cast("dict[str, JSON]", getattr(self, area))

    def _list(self, area: str, key: str | None, values: JSON) -> list[JSON]:
        return [self._show(area, name, {}) for name in self._of_area(area)]

    def _show(self, area: str, key: str | None, values: JSON) -> JSON:
        found = self._of_area(area).get(key or "")
        if found is None:
            raise not_found(area, key)
        return {name: value for name, value in found.items() if name != "password"}

    def _add(self, area: str, key: str | None, values: JSON) -> JSON:
        name = values["name"]
        if name in self._of_area(area):
            raise refusal(area, name, "name", "error.name_taken", name=name)
        self._verify(area, name, values)
        properties = described()[area]["add"]["properties"].items()
        defaults = {each: told["default"] for each, told in properties if "default" in told}
        self._of_area(area)[name] = {**defaults, **deepcopy(LIVE[area]), **values}
        return self._show(area, name, {})

    def _set(self, area: str, key: str | None, values: JSON) -> JSON:
        self._show(area, key, {})
        self._verify(area, str(key), values)
        self._of_area(area)[str(key)] |= values
        return self._show(area, key, {})

    def _remove(self, area: str, key: str | None, values: JSON) -> JSON:
        self._show(area, key, {})
        for name, route in self.routes.items():
            if f"{area[:-1]}:{key}" in route["to"]:
                raise refusal("routes", name, "to", "error.no_such_destination", name=str(key))
        del self._of_area(area)[str(key)]
        return {"done": True}

    def _forget(self, area: str, key: str | None, values: JSON) -> JSON:
        learned = self._of_area(area)[str(key)]["learned"]
        rest = [each for each in learned if each["feature"] != values["feature"]]
        if rest == learned:
            raise not_found(area, f"{key}.{values['feature']}")
        learned[:] = rest
        return self._show(area, key, {})

    def _pin(self, area: str, key: str | None, values: JSON) -> JSON:
        self._show(area, key, {})
        learned = self._of_area(area)[str(key)]["learned"]
        known = next((each for each in learned if each["feature"] == values["feature"]), None)
        if known is None or values.get("use", known["use"]) != known["use"]:
            known = lesson(values["feature"], values.get("use", "without"))
        rest = [each for each in learned if each["feature"] != values["feature"]]
        learned[:] = [*rest, {**known, "pinned": True}]
        return self._show(area, key, {})

    def _verify(self, area: str, name: str, values: JSON) -> None:
        if values.get("expiry", 3600) < 60:
            raise refusal(area, name, "expiry", "error.out_of_range", low=60, high=86_400)
        if values.get("pattern") == "?":
            raise refusal(area, name, "pattern", "error.bad_pattern")

    lines_list = partialmethod(_list, "lines")
    lines_show = partialmethod(_show, "lines")
    lines_add = partialmethod(_add, "lines")
    lines_set = partialmethod(_set, "lines")
    lines_remove = partialmethod(_remove, "lines")
    trunks_list = partialmethod(_list, "trunks")
    trunks_show = partialmethod(_show, "trunks")
    trunks_add = partialmethod(_add, "trunks")
    trunks_set = partialmethod(_set, "trunks")
    trunks_remove = partialmethod(_remove, "trunks")
    lines_forget = partialmethod(_forget, "lines")
    lines_pin = partialmethod(_pin, "lines")
    trunks_forget = partialmethod(_forget, "trunks")
    trunks_pin = partialmethod(_pin, "trunks")
    routes_list = partialmethod(_list, "routes")
    routes_show = partialmethod(_show, "routes")
    routes_add = partialmethod(_add, "routes")
    routes_set = partialmethod(_set, "routes")
    routes_remove = partialmethod(_remove, "routes")

    def routes_test(self, key: str | None, values: JSON) -> JSON:
        """One answer for whoever asks, and a refusal for numbers that begin with 00."""
        if values.get("at") == "tomorrow":
            raise refusal("routes", key, "at", "error.bad_time")
        asked = {"extension": values.get("from", ""), "right": 9, "dialled": str(key), "at": "mon 08:30"}
        steps: list[JSON] = [{"key": "route.asked_by_extension", "params": asked}]
        if str(key).startswith("00"):
            steps.append({"key": "route.none", "params": {"number": str(key)}})
            outcome: JSON = {"type": "refused", "cause": "not_found"}
        else:
            steps.append({"key": "route.to_line", "params": {"place": 1, "name": "carrier", "number": "5"}})
            steps.append({"key": "route.fail_over", "params": {"causes": "failed, overload"}})
            to = {"type": "outside", "kind": "line", "name": "carrier", "number": "5"}
            outcome = {"type": "passed", "destinations": [to], "fail_over_on": ["failed"]}
            outcome |= {"route": "city", "emergency": False}
        return {"decision": {"outcome": outcome, "steps": steps}, "because": [""] * len(steps)}

    def dial_plan_show(self, key: str | None, values: JSON) -> JSON:
        return self.dial_plan

    def dial_plan_set(self, key: str | None, values: JSON) -> JSON:
        if not str(values.get("out_prefix", "")).isdigit():
            raise ConfigError("dial_plan.out_prefix", "error.not_dialable")
        self.dial_plan |= values
        return self.dial_plan


def lesson(feature: str, use: str, said: str = "", *, pinned: bool = False) -> JSON:
    """Something learned, as control shows it."""
    return {"feature": feature, "use": use, "said": said, "at": iso(3600), "pinned": pinned}


def add_outside(control: FakeOutside) -> None:
    """A carrier that works and one that does not, an exchange next door, and routes to them. All made up."""
    control.lines_add(
        None,
        {"name": "carrier", "server": "sip.carrier.example", "account": "057188881234", "password": "x1"},
    )
    control.lines_add(
        None, {"name": "reserve", "server": "reserve.example:5070", "account": "100200", "max_calls": 4}
    )
    control.lines["carrier"] |= {
        "state": "registered",
        "since": iso(86_000),
        "expires_at": iso(-3000),
        "next_try_at": iso(-2600),
        "address": "udp 203.0.113.7:5060",
        "associated": ["sip:+8657188881234@carrier.example", "tel:+8657188881234"],
        "calls": 1,
        "learned": [lesson("100rel", "without", "405 Method Not Allowed to PRACK")],
    }
    control.lines["reserve"] |= {
        "state": "refused",
        "cause": "wrong_password",
        "reason": "403 Forbidden",
        "since": iso(300),
        "next_try_at": iso(-600),
    }
    control.trunks_add(None, {"name": "workshop", "peers": ["192.0.2.50", "192.0.2.51:5070"]})
    control.trunks["workshop"] |= {
        "state": "up",
        "peer_states": ["192.0.2.50 up 200 OK", "192.0.2.51:5070 down"],
        "refused": ["line_full 1", "not_found 2"],
    }
    for name, pattern, to, more in (
        ("mobile", "1[3-9]XXXXXXXXX", ["line:carrier", "line:reserve"], {}),
        ("world", "00.", ["line:carrier"], {"level": 5, "times": ["mon-fri 08:00-18:00"]}),
        ("workshop", "6XX", ["trunk:workshop"], {"callers": ["10X"]}),
        ("city", "NXXXXXXX", ["line:carrier"], {"enabled": False}),
    ):
        control.routes_add(None, {"name": name, "pattern": pattern, "to": to, **more})
