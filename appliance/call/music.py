"""What somebody hears whom nobody talks to."""

from __future__ import annotations

__all__ = ["Music", "NoMusic"]

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from appliance.media.leg import LegMedia


class Music(Protocol):
    """Hold music, and the tone that says that somebody is being rung."""

    @property
    def plays(self) -> bool:
        """Whether there is any."""

    def start(self, media: LegMedia) -> None:
        """Music from now on, in place of what the other end sends."""

    def ring(self, media: LegMedia) -> None:
        """The ring-back tone instead."""

    def stop(self, media: LegMedia) -> None:
        """Neither: what the other end sends is heard again. Nothing happens where nothing plays."""


class NoMusic:
    """Silence."""

    plays = False

    def start(self, media: LegMedia) -> None:
        """Nothing is heard."""

    def ring(self, media: LegMedia) -> None:
        """Nothing is heard."""

    def stop(self, media: LegMedia) -> None:
        """Nothing was."""
