"""What the exchange wants the box to be called, where it is, and how it is reached: `DIR/system.json`.

The exchange writes it without any right of its own; `branchbox system-apply` reads it as root, and therefore
believes nothing in it: every value is checked again. Host names: RFC 1123 §2.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from appliance.config import network as network_checks
from appliance.config.network import NetworkSettings
from appliance.config.server import Server, verify_all
from appliance.config.system import HOST_NAME, verify_ntp
from appliance.errors import ConfigError
from appliance.system.files import read_bounded, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config.system import System

__all__ = ["WANTED_FILE", "TrialNetwork", "Wanted", "is_host_name", "read_wanted", "write_wanted"]

WANTED_FILE = "system.json"
WANTED_MODE = 0o600
"The passphrase of the Wi-Fi is in it."
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")
_ID = re.compile(r"[0-9a-f]{1,64}")


class TrialNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """A network on probation: in force in this boot, until its time is over. A reboot does not know it."""

    network: NetworkSettings
    id: str
    "Hexadecimal; root reports it back when it has applied this."
    boot: str
    "Linux's boot id."
    until: float
    "Seconds of CLOCK_MONOTONIC, which all processes of a boot share."

    def __post_init__(self) -> None:
        network_checks.verify(self.network)
        if not _ID.fullmatch(self.id):
            raise _refused("trial.id", self.id)


class Wanted(msgspec.Struct, frozen=True):
    """One wish, checked. ConfigError for a value that cannot be applied."""

    host_name: str
    "One label, 1 to 63 letters, digits and inner hyphens."
    time_zone: str
    "A name of the IANA database, such as `Europe/Berlin`."
    network: NetworkSettings = NetworkSettings()
    "What was confirmed: this is what boots."
    ntp: tuple[str, ...] = ()
    trial: TrialNetwork | None = None
    servers: tuple[Server, ...] = ()
    "Further ones, beside the one that wants this."

    @classmethod
    def by(
        cls, system: System, trial: TrialNetwork | None = None, servers: tuple[Server, ...] = ()
    ) -> Wanted:
        """What these settings want. ConfigError for what root would refuse."""
        network = NetworkSettings(**network_checks.network_of(system))
        return cls(system.host_name, system.time_zone, network, system.ntp, trial, servers)

    def __post_init__(self) -> None:
        if not is_host_name(self.host_name):
            raise _refused("host_name", self.host_name)
        if not _TIME_ZONE.fullmatch(self.time_zone):
            raise _refused("time_zone", self.time_zone)
        network_checks.verify(self.network)
        verify_ntp(self.ntp)
        verify_all(self.servers)

    def trial_at(self, boot: str, now: float) -> TrialNetwork | None:
        """The network that is on trial in this boot at this moment."""
        trial = self.trial
        return trial if trial is not None and trial.boot == boot and now < trial.until else None


def is_host_name(text: object) -> bool:
    """Whether `text` is one label of a host name."""
    return isinstance(text, str) and HOST_NAME.fullmatch(text) is not None


def write_wanted(data_dir: Path, wanted: Wanted) -> bool:
    """Leave `wanted` for `system-apply`; False when it lies there already. OSError.

    Nothing is written without a change: systemd watches the file, and the card wears out.
    """
    path = data_dir / WANTED_FILE
    content = msgspec.json.format(msgspec.json.encode(wanted), indent=1) + b"\n"
    try:
        if read_bounded(path) == content:
            return False
    except OSError:
        pass  # not there, or not ours: replaced below
    write_atomically(path, content, WANTED_MODE)
    return True


def read_wanted(data_dir: Path) -> Wanted | None:
    """What the exchange left; None when it never did. ConfigError for nonsense, OSError when unreadable."""
    try:
        content = read_bounded(data_dir / WANTED_FILE)
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=Wanted)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # Never the content, which may hold a passphrase.
        raise _refused("", str(error)) from None


def _refused(key: str, value: object) -> ConfigError:
    return ConfigError(f"system.{key}".rstrip("."), "error.cannot_apply", value=str(value)[:80])
