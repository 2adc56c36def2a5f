"""A control for the console's tests: the areas and verbs of docs/architecture.md, kept in memory.

It refuses what control refuses, with the same keys where the console depends on them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from appliance.config.backup_schedule import BackupSchedule
from appliance.config.update_check import UpdateCheck
from appliance.errors import ConfigError
from appliance.media.wav import write_wav
from tests.webui.fake_features import FakeFeatures
from tests.webui.fake_outside import JSON, FakeOutside, add_outside, iso, not_found

__all__ = ["JSON", "FakeControl", "busy_office"]

NETWORK = (
    *("network", "address", "prefix", "gateway", "dns", "ipv6", "address6", "prefix6", "gateway6", "vlan"),
    *("link", "wifi_ssid", "wifi_country"),
)


def refused_number(number: str, key: str) -> ConfigError:
    return ConfigError(f"extensions.{number}.number", key, number=number)


@dataclass
class FakeControl(FakeFeatures, FakeOutside):
    """Call it as `perform`."""

    password: str | None = None
    "The administrator's; None before set-up."
    code: str = "1234-5678"
    language: str = "en"
    host_name: str = "branchbox"
    time_zone: str = "UTC"
    network: str = "dhcp"
    address: str = ""
    prefix: int = 24
    gateway: str = ""
    dns: list[str] = field(default_factory=list)
    ipv6: str = "automatic"
    address6: str = ""
    prefix6: int = 64
    gateway6: str = ""
    vlan: int = 0
    link: str = "cable"
    wifi_ssid: str = ""
    wifi_password: str = ""
    wifi_country: str = ""
    ntp: list[str] = field(default_factory=list)
    trial: JSON | None = None
    "The network that is on trial."
    on_board: bool = False
    "Whether a change of the network is tried out first, and the box can be reset."
    dns_references: list[str] = field(default_factory=lambda: ["119.29.29.29", "223.5.5.5"])
    registrations: list[JSON] = field(default_factory=list)
    calls: dict[str, JSON] = field(default_factory=dict)
    records: list[JSON] = field(default_factory=list)
    tokens: dict[str, JSON] = field(default_factory=dict)
    music: JSON = field(
        default_factory=lambda: {"title": "", "seconds": 38.4, "tones": "europe", "problem": ""}
    )
    updated: bytes = b""
    "The update that was uploaded last."
    prompts: list[JSON] = field(default_factory=list)
    update_check: JSON = field(default_factory=lambda: dict(msgspec.to_builtins(UpdateCheck())))
    backup_schedule: JSON = field(
        default_factory=lambda: {
            **msgspec.to_builtins(BackupSchedule()),
            "sealed": False,
            "last_good_at": None,
            "last_file": "",
            "next_at": None,
            "problem": "",
            "problem_params": {},
        }
    )
    findings: list[str] = field(default_factory=list)
    "What is wrong with the box itself."
    dns_findings: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str | None, JSON, str]] = field(default_factory=list)
    "Every request, in order."
    update: JSON = field(default_factory=dict)
    wrong_passwords: int = 0

    def __call__(self, area: str, verb: str, key: str | None, values: JSON, actor: str) -> Any:
        self.asked.append((area, verb, key, dict(values), actor))
        method = getattr(self, f"{area}_{verb}".replace("-", "_"), None)
        return self.service(area, verb, key, values) if method is None else method(key, values)

    # status, system

    def status_show(self, key: str | None, values: JSON) -> JSON:
        return {
            "version": "0.1.0",
            "openssl": "OpenSSL 3.0.17 1 Jul 2025",
            "uptime": 273_600.0,
            "addresses": ["192.0.2.10"],
            "console_url": "https://192.0.2.10/",
            "host_name": self.host_name,
            "language": self.language,
            "set_up": self.password is not None,
            "extensions": len(self.extensions),
            "registrations": len(self.registrations),
            "calls": len(self.calls),
            "subscriptions": 3,
            "texts": 12,
            "texts_refused": 1,
            "free_space": 24_300_000_000,
            "findings": list(self.findings),
            "refused": [
                {"by": "stranger", "cause": "no_credentials", "calls": 41},
                {"by": "trunk:hq", "cause": "not_found", "calls": 2},
            ],
        }

    def system_show(self, key: str | None, values: JSON) -> JSON:
        return {
            "language": self.language,
            "host_name": self.host_name,
            "time_zone": self.time_zone,
            **{name: getattr(self, name) for name in NETWORK},
            "ntp": self.ntp,
            "dns_references": self.dns_references,
            "realm": "branchbox",
            "wifi_password_set": bool(self.wifi_password),
            "trial": self.trial,
        }

    def system_set(self, key: str | None, values: JSON) -> JSON:
        if values.get("host_name") == "bad host":
            raise ConfigError("system.host_name", "error.bad_host_name")
        if "dns.example" in values.get("dns_references", ()):
            raise ConfigError("system.dns_references", "error.bad_address")
        tried = {name: each for name, each in values.items() if name in NETWORK}
        if self.on_board and tried:
            before = {name: getattr(self, name) for name in NETWORK}
            self.trial = {"seconds_left": 117, **before, **tried}
            values = {name: each for name, each in values.items() if name not in NETWORK}
        for name, value in values.items():
            setattr(self, name, value)
        return self.system_show(None, {})

    def update_show(self, key: str | None, values: JSON) -> JSON:
        nothing = dict.fromkeys(("trial", "last", "outcome", "refused", "offered", "looked_at", "seen_at"))
        return {
            "version": "0.1.0",
            "security_level": 0,
            **nothing,
            "missing": [],
            "params": {},
            "problem": "",
            "problem_params": {},
            "offered_made_on": "",
            "offered_notes": {},
            "offered_at": "",
            **self.update,
        }

    def update_install(self, key: str | None, values: JSON) -> JSON:
        if "file" in values:
            self.updated = Path(values["file"]).read_bytes()
        elif not str(values["source"]).startswith("http"):
            raise ConfigError("source", "update.no_address")
        return {"done": True}

    def system_confirm(self, key: str | None, values: JSON) -> JSON:
        if self.trial is None:
            raise ConfigError("system", "error.nothing_on_trial")
        for name in NETWORK:
            setattr(self, name, self.trial[name])
        return self.system_undo(key, values)

    def system_undo(self, key: str | None, values: JSON) -> JSON:
        if self.trial is None:
            raise ConfigError("system", "error.nothing_on_trial")
        self.trial = None
        return self.system_show(None, {})

    def box_factory_reset(self, key: str | None, values: JSON) -> JSON:
        if not self.on_board:
            raise ConfigError("", "error.not_an_appliance")
        return {"done": True}

    # extensions

    def extensions_list(self, key: str | None, values: JSON) -> list[JSON]:
        return [self._shown(number) for number in sorted(self.extensions)]

    def extensions_show(self, key: str | None, values: JSON) -> JSON:
        if key not in self.extensions:
            raise not_found("extensions", key)
        return self._shown(key)

    def extensions_add(self, key: str | None, values: JSON) -> JSON:
        number = str(values["number"])
        if number in self.extensions:
            raise refused_number(number, "error.number_taken")
        if not number.isdigit():
            raise refused_number(number, "error.bad_number")
        self.extensions[number] = {
            "name": "",
            "enabled": True,
            "ring_seconds": 60,
            "level": 0,
            "state": "offline",
            **values,
        }
        return self._shown(number)

    def extensions_set(self, key: str | None, values: JSON) -> JSON:
        self.extensions_show(key, {})
        self.extensions[str(key)] |= values
        return self._shown(str(key))

    def extensions_remove(self, key: str | None, values: JSON) -> JSON:
        self.extensions_show(key, {})
        del self.extensions[str(key)]
        return {"done": True}

    def extensions_add_many(self, key: str | None, values: JSON) -> list[JSON]:
        first, made = int(values["first"]), []
        for number in range(first, first + int(values["count"])):
            password = secrets.token_urlsafe(12)
            name = f"{values['name']} {number}" if values.get("name") else ""
            self.extensions_add(None, {"number": str(number), "name": name, "password": password})
            made.append({"number": str(number), "name": name, "password": password})
        return made

    def _shown(self, number: str) -> JSON:
        extension = {name: value for name, value in self.extensions[number].items() if name != "password"}
        contacts = [each["contact"] for each in self.registrations if each["number"] == number]
        return {**extension, "number": number, "contacts": contacts}

    # what goes on, what went on

    def registrations_list(self, key: str | None, values: JSON) -> list[JSON]:
        return self.registrations

    def calls_list(self, key: str | None, values: JSON) -> list[JSON]:
        return list(self.calls.values())

    def calls_show(self, key: str | None, values: JSON) -> JSON:
        if key not in self.calls:
            raise not_found("calls", key)
        return self.calls[key]

    def calls_dial(self, key: str | None, values: JSON) -> JSON:
        if key not in self.extensions:
            raise ConfigError("calls.999", "cause.not_found")
        if not values["to"].strip("*#+").isdigit():
            raise ConfigError("calls.101.to", "error.bad_target_number")
        return {"id": "dialled"}

    def calls_hang_up(self, key: str | None, values: JSON) -> JSON:
        self.calls_show(key, {})
        del self.calls[str(key)]
        return {"done": True}

    def records_list(self, key: str | None, values: JSON) -> list[JSON]:
        rows = self.records
        if number := values.get("number"):
            rows = [
                each
                for each in rows
                if number in {each["from_number"], each["to_number"], each["answered_by"]}
            ]
        if before := values.get("before"):
            rows = [each for each in rows if int(each["id"]) < int(before)]
        return rows[: int(values.get("limit", 50))]

    def records_show(self, key: str | None, values: JSON) -> JSON:
        for each in self.records:
            if each["id"] == key:
                return each
        raise not_found("records", key)

    def trace_show(self, key: str | None, values: JSON) -> list[JSON]:
        if key != "8":
            raise not_found("trace", key)
        return _messages()

    def dns_check_show(self, key: str | None, values: JSON) -> JSON:
        if key is None or " " in key:
            raise ConfigError("dns-check", "error.bad_dns_name")
        return _dns_checked(key)

    def dns_check_list(self, key: str | None, values: JSON) -> list[JSON]:
        return [_dns_checked(each) for each in self.dns_findings]

    # the administrator

    def admin_set_up(self, key: str | None, values: JSON) -> JSON:
        if values["code"] != self.code:
            raise ConfigError("admin.code", "error.wrong_setup_code", left=4)
        self.password = values["password"]
        return {"done": True}

    def admin_log_in(self, key: str | None, values: JSON) -> JSON:
        if self.wrong_passwords >= 5:
            raise ConfigError("admin", "error.too_many_tries", seconds=60)
        if values["password"] != self.password:
            self.wrong_passwords += 1
            raise ConfigError("admin.password", "error.wrong_password")
        return {"name": "admin"}

    def admin_set_password(self, key: str | None, values: JSON) -> JSON:
        if values["current"] != self.password:
            raise ConfigError("admin.password", "error.wrong_password")
        self.password = values["password"]
        return {"done": True}

    def admin_tokens(self, key: str | None, values: JSON) -> list[JSON]:
        return [{name: each[name] for name in ("id", "name", "created_at")} for each in self.tokens.values()]

    def admin_add_token(self, key: str | None, values: JSON) -> JSON:
        made = {"id": str(len(self.tokens) + 1), "name": values["name"], "created_at": iso()}
        self.tokens[made["id"]] = {**made, "token": secrets.token_urlsafe(24)}
        return {name: self.tokens[made["id"]][name] for name in ("id", "name", "token")}

    def admin_remove_token(self, key: str | None, values: JSON) -> JSON:
        if key not in self.tokens:
            raise not_found("admin", key)
        del self.tokens[key]
        return {"done": True}

    def admin_check_token(self, key: str | None, values: JSON) -> JSON:
        for each in self.tokens.values():
            if each["token"] == values["token"]:
                return {name: each[name] for name in ("id", "name", "created_at")}
        raise ConfigError("admin.token", "error.wrong_token")

    def update_check_show(self, key: str | None, values: JSON) -> JSON:
        return self.update_check

    def update_check_set(self, key: str | None, values: JSON) -> JSON:
        if values.get("automatic") and not values.get("address", self.update_check["address"]):
            raise ConfigError("update-check.address", "update.no_address")
        self.update_check |= values
        return self.update_check

    def backup_schedule_show(self, key: str | None, values: JSON) -> JSON:
        return self.backup_schedule

    def backup_schedule_set(self, key: str | None, values: JSON) -> JSON:
        if values.get("at") == "25:00":
            raise ConfigError("backup-schedule.at", "error.bad_time_of_day")
        self.backup_schedule |= {name: value for name, value in values.items() if name != "passphrase"}
        return self.backup_schedule

    def backup_list(self, key: str | None, values: JSON) -> list[JSON]:
        return [{"file": "/data/backups/kept.tar.gz", "octets": 12, "modified_at": iso(60)}]

    def backup_run(self, key: str | None, values: JSON) -> JSON:
        return {"file": "/data/backups/new.tar.gz"}

    def backup_look(self, key: str | None, values: JSON) -> JSON:
        if values.get("passphrase", "") == "wrong":
            raise ConfigError("backup.passphrase", "error.wrong_passphrase")
        if not values["file"].startswith("/data/") and b"good" not in Path(values["file"]).read_bytes():
            raise ConfigError("backup.file", "error.not_a_backup", file="file")
        return {
            "token": "a-token",
            "made_at": iso(3600),
            "version": "0.1.0",
            "host_name": "old-box",
            "sealed": False,
            "holds": {"extensions": 12, "records": 0, "do-not-disturb": 2, "certs": 2, "administrators": 1},
            "changes": [{"area": "extensions", "added": 5, "removed": 0, "changed": 7}],
        }

    def backup_restore(self, key: str | None, values: JSON) -> JSON:
        if values != {"token": "a-token"}:
            raise ConfigError("backup.token", "error.not_staged")
        return {"restart_needed": True}

    def backup_save(self, key: str | None, values: JSON) -> JSON:
        octets = Path(values["file"]).write_bytes(b"\x1f\x8b and so on")
        return {"file": values["file"], "octets": octets}

    def music_show(self, key: str | None, values: JSON) -> JSON:
        return self.music

    def music_set(self, key: str | None, values: JSON) -> JSON:
        if values.get("tones", "china") not in ("china", "europe", "north-america", "united-kingdom"):
            raise ConfigError("music.tones", "error.not_a_choice", choices="china")
        if "file" in values and not Path(values["file"]).read_bytes().startswith(b"RIFF"):
            raise ConfigError("music.file", "error.not_a_wav")
        self.music |= {name: value for name, value in values.items() if name != "file"}
        return self.music

    def music_remove(self, key: str | None, values: JSON) -> JSON:
        self.music["title"] = ""
        return {"done": True}

    def music_save(self, key: str | None, values: JSON) -> JSON:
        with Path(values["file"]).open("wb") as file:
            write_wav(file, bytes(16_000))
        return {"done": True}

    def prompts_list(self, key: str | None, values: JSON) -> list[JSON]:
        return self.prompts

    def prompts_set(self, key: str | None, values: JSON) -> JSON:
        if not Path(values["file"]).read_bytes().startswith(b"RIFF"):
            raise ConfigError("prompts", "error.not_a_wav")
        if not (key or "").islower():
            raise ConfigError("prompts", "error.bad_prompt_name", name=key or "")
        self.prompts.append({"name": key, "seconds": 2.5, "used_by": []})
        return {"done": True}

    def prompts_remove(self, key: str | None, values: JSON) -> JSON:
        each = next(each for each in self.prompts if each["name"] == key)
        if each["used_by"]:
            raise ConfigError("prompts", "error.prompt_in_use", number=each["used_by"][0])
        self.prompts.remove(each)
        return {"done": True}

    def prompts_save(self, key: str | None, values: JSON) -> JSON:
        return self.music_save(None, values)

    def export_show(self, key: str | None, values: JSON) -> JSON:
        return {"text": '[system]\nlanguage = "en"\n'}


def busy_office(**settings: Any) -> FakeControl:
    """A box in use: what the screenshots and most tests show. All names and numbers are made up."""
    control = FakeControl(password="correct horse battery", **settings)
    control.service("servers", "add", None, {"name": "annex"})
    control.screens["annex"] = ["https://192.0.2.10:8443/", "code ABCD-EFGH"]
    control.prompts = [
        {"name": "closed", "seconds": 8.1, "used_by": []},
        {"name": "welcome", "seconds": 12.4, "used_by": ["500"]},
    ]
    rooms = (
        ("101", "Reception", "busy"),
        ("102", "Sales", "idle"),
        ("103", "Workshop", "ringing"),
        ("104", "Accounts", "idle"),
        ("105", "仓库 Warehouse", "busy"),
        ("106", "Meeting room", "offline"),
        ("107", "Door phone", "idle"),
        ("108", "Fax adapter", "offline"),
    )
    phones = (
        "Yealink SIP-T46U 108.86.0.45",
        "Grandstream GXP2170 1.0.11.79",
        "baresip v3.9.0 (aarch64/linux)",
    )
    for index, (number, name, state) in enumerate(rooms):
        enabled = number != "108"
        control.extensions[number] = {
            "name": name,
            "enabled": enabled,
            "ring_seconds": 60,
            "level": 0,
            "state": state,
        }
        if state != "offline":
            control.registrations.append(_registration(number, index, phones[index % 3]))
    control.calls = {
        "c-7f3a": _call("c-7f3a", "101", "105", "talking", 154),
        "c-81bd": _call("c-81bd", "102", "103", "ringing", 6),
    }
    control.records = _records()
    add_outside(control)
    return control


def _registration(number: str, index: int, user_agent: str) -> JSON:
    return {
        "number": number,
        "contact": f"sip:{number}@192.0.2.{20 + index}:5060",
        "source": f"192.0.2.{20 + index}:5060",
        "transport": "tcp" if index == 3 else "udp",
        "user_agent": user_agent,
        "expires_in": 3600.0 - 411 * index,
        "registered_at": iso(7200 + 311 * index),
    }


def _call(call_id: str, caller: str, callee: str, state: str, ago: float) -> JSON:
    return {
        "id": call_id,
        "from_number": caller,
        "from_name": "",
        "to_number": callee,
        "state": state,
        "started_at": iso(ago + 8),
        "answered_at": iso(ago) if state == "talking" else None,
        "legs": [],
        "emergency": False,
    }


def _messages() -> list[JSON]:
    """The beginning of a call as a trace tells it."""
    caller, callee = "192.0.2.23:5060", "192.0.2.21:5060"
    plan = (
        ("in", caller, "INVITE sip:102@192.0.2.10 SIP/2.0"),
        ("out", caller, "SIP/2.0 100 Trying"),
        ("out", callee, "INVITE sip:102@192.0.2.21:5060 SIP/2.0"),
        ("in", callee, "SIP/2.0 180 Ringing"),
        ("out", caller, "SIP/2.0 180 Ringing"),
        ("in", callee, "SIP/2.0 200 OK"),
        ("out", caller, "SIP/2.0 200 OK"),
        ("in", caller, "ACK sip:192.0.2.10:5060 SIP/2.0"),
    )
    return [
        {
            "at": iso(900 - step),
            "direction": direction,
            "transport": "udp",
            "peer": peer,
            "text": f"{line}\r\nCall-ID: 7f3a5c@{peer}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
        }
        for step, (direction, peer, line) in enumerate(plan)
    ]


def _dns_checked(name: str) -> JSON:
    """A name that the network's name server keeps to itself."""
    plan: tuple[tuple[str, str, str, list[str]], ...] = (
        ("system", "192.0.2.1:53", "no_name", []),
        ("reference", "119.29.29.29:53", "records", ["203.0.113.7"]),
        ("reference", "223.5.5.5:53", "silent", []),
    )
    answers = [
        {
            "asked": asked,
            "server": server,
            "question": f"A {name}",
            "outcome": outcome,
            "records": records,
            "transport": "udp",
        }
        for asked, server, outcome, records in plan
    ]
    return {
        "name": name,
        "at": iso(60),
        "verdict": "blocked",
        "explanation": "dns.verdict.blocked",
        "what_to_do": "dns.what_to_do.blocked",
        "about": [f"A {name}"],
        "answers": answers,
    }


def _records() -> list[JSON]:
    plan = (
        ("104", "102", 200, "normal", 63.0, 900, "caller"),
        ("101", "106", 480, "not_registered", None, 1300, "callee"),
        ("103", "101", 200, "normal", 412.0, 2100, "callee"),
        ("102", "105", 486, "busy", None, 3000, "callee"),
        ("107", "101", 487, "cancelled", None, 4200, "caller"),
        ("105", "104", 408, "no_answer", None, 7600, "system"),
        ("101", "199", 404, "not_found", None, 9100, "system"),
        ("102", "101", 200, "normal", 3784.0, 90000, "caller"),
    )
    rows: list[JSON] = []
    for index, (caller, callee, status, cause, duration, ago, ended_by) in enumerate(plan):
        rows.append(
            {
                "id": str(len(plan) - index),
                "started_at": iso(ago),
                "answered_at": iso(ago - 6) if duration else None,
                "ended_at": iso(ago - 6 - (duration or 14)),
                "from_number": caller,
                "from_name": "",
                "to_number": callee,
                "answered_by": callee if duration else None,
                "duration": duration or 0.0,
                "status": status,
                "cause": cause,
                "ended_by": ended_by,
                "way_in": "",
                "way_out": "line:carrier" if callee == "199" else "",
                "steps": [{"by": "102", "to": "105", "why": "no-answer"}] if callee == "102" else [],
                "emergency": callee == "199",
            }
        )
    return rows
