"""What the exchange itself plays to the phones on the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.errors import LocalError

if TYPE_CHECKING:
    from tests.features.office import Office

__all__ = ["played_to"]


def played_to(office: Office, number: str) -> str:
    """`music`, `ring-back`, `chime` or `confirmation`; empty when nothing is played; `unheard` when their phone wants, or can be played, nothing."""
    legs = [leg for call in office.exchange._calls.values() for leg in call.legs if leg.number == number]
    playing = office.playback._playing
    found = [leg.media for leg in legs if leg.media in playing]
    if not found:
        return ""
    (media,) = found
    if media.playable is None:
        return "unheard"
    sound = playing[media].sound
    if sound is office.playback._sounds.music:
        return "music"
    if sound is office.playback._sounds.tone("ring-back"):
        return "ring-back"
    if sound is office.playback.tone("attention"):
        return "chime"
    if sound is office.playback.tone("confirmation"):
        return "confirmation"
    raise LocalError("nobody knows what that is")
