"""An exchange for the serial line's tests: what `control` answers, without an exchange behind it."""

from __future__ import annotations

import tomllib
from typing import Any

from appliance.config.network import NetworkSettings
from appliance.control.areas import AREAS
from appliance.control.client import NotRunningError
from appliance.control.control import describe
from appliance.errors import ConfigError
from appliance.serial.dialogue import Perform
from tests.webui.fake_features import FakeFeatures


class FakeExchange:
    """Answers like the table of control's areas, and remembers what it was asked."""

    def __init__(self, *, set_up: bool = False, password: str = "") -> None:
        self.set_up = set_up
        self.password = password
        self.system: dict[str, Any] = {
            "language": "en",
            "host_name": "branchbox",
            "time_zone": "UTC",
            "network": "dhcp",
        }
        self.extensions: dict[str, str] = {}
        self.box: list[str] = []
        self.update: dict[str, Any] = {}
        self.stick: list[dict[str, Any]] = []
        self.console_url = "https://192.0.2.5"
        self.findings: list[str] = []
        self.tries_out = False
        "Whether a change of the network is on trial first, as on a board."
        self.down_for = 0
        "How many requests find nobody."
        self.refuse: dict[tuple[str, str], ConfigError] = {}
        "Requests to refuse, once each."
        self.asked: list[Perform] = []
        self.services = FakeFeatures()

    def __call__(self, request: Perform) -> Any:
        self.asked.append(request)
        if self.down_for:
            self.down_for -= 1
            raise NotRunningError("down")
        if error := self.refuse.pop((request.area, request.verb), None):
            raise error
        answer = getattr(self, f"_{request.area.replace('-', '_')}", None)
        if answer is None:
            self.services.extensions = {number: {} for number in self.extensions}
            return self.services.service(request.area, request.verb, request.key, request.values)
        return answer(request.verb, request.key, request.values)

    def _areas(self, verb: str, key: str | None, _values: dict[str, Any]) -> Any:
        assert verb == "show"
        return {**describe(AREAS), **self.services.described()}[str(key)]

    def _features(self, verb: str, key: str | None, values: dict[str, Any]) -> Any:
        return getattr(self.services, f"features_{verb}")(key, values)

    def _status(self, _verb: str, _key: str | None, _values: dict[str, Any]) -> Any:
        return {
            "version": "0.1.0",
            "uptime": 93784.2,
            "addresses": ["192.0.2.5"],
            "console_url": self.console_url,
            "host_name": self.system["host_name"],
            "language": self.system["language"],
            "set_up": self.set_up,
            "extensions": len(self.extensions),
            "registrations": 0,
            "calls": 0,
            "findings": self.findings,
        }

    def _system(self, verb: str, _key: str | None, values: dict[str, Any]) -> Any:
        trial, network = self.system.get("trial"), frozenset(NetworkSettings.__struct_fields__)
        match verb:
            case "set" if self.tries_out and network & values.keys():
                self.system |= {name: each for name, each in values.items() if name not in network}
                before = {name: each for name, each in self.system.items() if name in network}
                self.system["trial"] = {"seconds_left": 120, **before, **values}
            case "set":
                self.system |= values
            case "confirm" | "undo" if trial is None:
                raise ConfigError("system", "error.nothing_on_trial")
            case "confirm" if trial is not None:
                self.system |= {name: each for name, each in trial.items() if name in network}
                self.system["trial"] = None
            case "undo":
                self.system["trial"] = None
        return dict(self.system)

    def _update(self, verb: str, _key: str | None, values: dict[str, Any]) -> Any:
        if verb == "install":
            self.box.append(values.get("source") or values["stick"])
        return {"version": "0.1.0", **self.update}

    def _provision(self, verb: str, _key: str | None, values: dict[str, Any]) -> Any:
        """As much of it as these tests need: what it refuses is tested where it is done."""
        document = tomllib.loads(values["text"])
        administrator = document.get("administrator", {})
        if self.set_up and administrator.get("password") != self.password:
            raise ConfigError("administrator.password", "serial.item.no_password")
        for row in document.get("extensions", []):
            self._extensions("add", None, row)
        self._system("set", None, document.get("system", {}))
        if not self.set_up and administrator:
            self.set_up, self.password = True, administrator["password"]
        return {"added": len(document.get("extensions", [])), "changed": 0}

    def _stick(self, verb: str, _key: str | None, _values: dict[str, Any]) -> Any:
        assert verb == "list"
        return self.stick

    def _backup(self, verb: str, _key: str | None, values: dict[str, Any]) -> Any:
        self.box.append(f"{verb} {sorted(values.items())}")
        match verb:
            case "save":
                return {"file": "/run/branchbox-usb/sda1/branchbox-backup/new.sealed", "octets": 1_250_000}
            case "look":
                changes = [{"area": "extensions", "added": 2, "changed": 0, "removed": 1}]
                told = {"host_name": "pbx\x1b[2J", "version": "0.1.0", "made_at": None, "changes": changes}
                return {"token": "word", **told}
        return {"restart_needed": True}

    def _extensions(self, verb: str, key: str | None, values: dict[str, Any]) -> Any:
        if verb == "add-many":
            first = int(values["first"])
            made = [{"number": str(first + n), "password": f"secret-{n}"} for n in range(values["count"])]
            self.extensions |= {each["number"]: each["password"] for each in made}
            return made
        if verb == "add" and values["number"] in self.extensions:
            raise ConfigError("extensions.number", "error.number_taken", number=values["number"])
        if not values.get("password"):
            raise ConfigError("extensions.password", "error.value_missing", name="password")
        self.extensions[key or values["number"]] = values["password"]
        return values

    def _admin(self, verb: str, _key: str | None, values: dict[str, Any]) -> Any:
        match verb:
            case "first-code" | "new-code":
                return {"code": "ABCD-EFGH"}
            case "set-up":
                assert values["code"] == "ABCD-EFGH"
                self.set_up, self.password = True, values["password"]
            case "set-password":
                self.password = values["password"]
            case "log-in":
                if values["password"] != self.password:
                    raise ConfigError("admin.password", "serial.item.no_password")
        return {}

    def _box(self, verb: str, _key: str | None, _values: dict[str, Any]) -> Any:
        self.box.append(verb)
        return {}
