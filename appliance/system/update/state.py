"""What is remembered from update to update, in RELEASES/state.json, which only root may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from appliance.errors import ConfigError
from appliance.system.files import read_bounded, write_atomically
from appliance.system.update import durable
from appliance.system.update.manifest import Kind, Manifest, PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "Before",
    "Last",
    "Looked",
    "Outcome",
    "Refusal",
    "State",
    "Trial",
    "concluded",
    "read_state",
    "write_state",
]

STATE_FILE = "state.json"
Outcome = Literal["kept", "came_back"]
KEYS_LIMIT = 64
"Keys and revocations that are remembered, newest last: more than any project rolls over in a box's life."


class Before(msgspec.Struct, frozen=True):
    """How it was before the update: what must be so again."""

    lines: tuple[str, ...] = ()
    "Lines that were registered."
    extensions: tuple[str, ...] = ()
    "Extensions of which a phone was registered."


class Trial(msgspec.Struct, frozen=True):
    """An update that has to prove itself."""

    kind: Kind
    version: str
    name: str
    "The release (`Releases.add`), or the card's slot: a or b."
    security_level: int
    before: Before
    new_keys: tuple[PublicKey, ...] = ()
    revoked_keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest, name: str, before: Before) -> Trial:
        """The trial of what `manifest` describes."""
        return cls(
            *(manifest.kind, manifest.version, name, manifest.security_level, before),
            *(manifest.new_keys, manifest.revoked_keys),
        )


class Last(msgspec.Struct, frozen=True):
    """How the last trial ended."""

    kind: Kind
    version: str
    outcome: Outcome
    missing: tuple[str, ...] = ()
    "The checks that failed at its end; empty also when it never came to a check."


class Refusal(msgspec.Struct, frozen=True):
    """Why what somebody asked for on the console or the serial line was not taken."""

    key: str
    "The locale key of the reason."
    params: dict[str, str] = {}
    "What its placeholders stand for."


class Looked(msgspec.Struct, frozen=True):
    """What was found when somebody looked for an update last."""

    at: float
    "Seconds since 1970."
    address: str
    seen_at: float | None = None
    "When there was a good update at that address last, newer or not."
    version: str | None = None
    kind: Kind | None = None
    problem: str = ""
    "The locale key of the reason why nothing could be seen."
    params: dict[str, str] = {}
    made_on: str = ""
    notes: dict[str, str] = {}
    "As the manifest has them."


class State(msgspec.Struct, frozen=True):
    """All of it."""

    security_level: int = 0
    keys: tuple[PublicKey, ...] = ()
    "Beside those of the program and the image."
    revoked: tuple[str, ...] = ()
    trial: Trial | None = None
    last: Last | None = None
    refused: Refusal | None = None
    "Until the next update that is taken."
    looked: Looked | None = None


def concluded(state: State, outcome: Outcome, missing: Iterable[str] = ()) -> State:
    """The state after its trial ended. Keys and level count only from an update that was kept."""
    trial = state.trial
    if trial is None:
        return state
    ended = msgspec.structs.replace(
        state, trial=None, last=Last(trial.kind, trial.version, outcome, tuple(sorted(missing)))
    )
    if outcome == "came_back":
        return ended
    keys = {key.id: key for key in (*state.keys, *trial.new_keys)}
    revoked = dict.fromkeys((*state.revoked, *trial.revoked_keys))
    return msgspec.structs.replace(
        ended,
        security_level=max(state.security_level, trial.security_level),
        keys=tuple(keys.values())[-KEYS_LIMIT:],
        revoked=tuple(revoked)[-KEYS_LIMIT:],
    )


def read_state(folder: Path) -> State:
    """What is remembered; nothing when there is no file yet.

    ConfigError for a file that cannot be read: to forget the security level would let old errors back in.
    """
    try:
        return msgspec.json.decode(read_bounded(folder / STATE_FILE), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.MsgspecError):
        raise ConfigError("update", "update.bad_state", file=str(folder / STATE_FILE)) from None


def write_state(folder: Path, state: State) -> None:
    """Remember. OSError."""
    durable.make_folder(folder)
    write_atomically(folder / STATE_FILE, msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n")
