"""Whether an update that is what it says fits this box. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.errors import ConfigError

if TYPE_CHECKING:
    from appliance.system.update.manifest import Manifest

__all__ = ["IMAGE_TARGET", "Place", "check"]

IMAGE_TARGET = "arm64-card"
"The one card layout there is: FAT, two roots, data."


@dataclass(frozen=True, slots=True)
class Place:
    """What an update must fit."""

    machine: str
    "The processor, as the kernel calls it: `aarch64`, `x86_64`."
    card: str | None
    "The card's layout; None on a host that is no card of ours."
    security_level: int
    "The highest that was ever kept here."
    room: dict[str, int]
    "Part -> octets that there is room for. A part that is not named has no bound."


def check(manifest: Manifest, place: Place) -> None:
    """ConfigError with the reason why this update is not for this box."""
    match manifest.kind:
        case "image":
            here = place.card
            if here is None:
                raise ConfigError("update", "update.no_card_here")
        case "application":
            here = place.machine
    if manifest.target != here:
        raise ConfigError("update", "update.wrong_target", target=manifest.target, here=here)
    if manifest.security_level < place.security_level:
        raise ConfigError(
            "update", "update.downgrade", level=manifest.security_level, least=place.security_level
        )
    for part in manifest.parts:
        room = place.room.get(part.name)
        if room is not None and part.size > room:
            raise ConfigError("update", "update.no_room", part=part.name, size=part.size, room=room)
