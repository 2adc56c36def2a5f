"""How a trial stands, and how it ends: what was found to be well is kept, what was not goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from appliance.errors import ConfigError
from appliance.system.update import durable
from appliance.system.update.site import KEPT_MARK
from appliance.system.update.state import concluded, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.system.update.site import Site
    from appliance.system.update.state import Trial

__all__ = ["Standing", "come_back", "conclude", "keep", "standing"]

Standing = Literal["waiting", "trying", "kept", "gone"]


def standing(site: Site, trial: Trial) -> Standing:
    """Where a trial is: not yet started, under way, kept already, or gone again. ConfigError, OSError."""
    match trial.kind:
        case "application":
            links = site.programs().links()
            if links.trying == trial.name:
                return "trying"
            if links.next == trial.name:
                return "waiting"
            return "kept" if links.current == trial.name else "gone"
        case "image":
            if site.booted() != trial.name:
                return "gone"
            return "trying" if site.is_trial else "kept"


def keep(site: Site, trial: Trial) -> None:
    """It has proved itself: from now on it is what runs. ConfigError, OSError."""
    match trial.kind:
        case "application":
            site.programs().keep()
        case "image":
            slot = site.booted()
            if slot != trial.name:
                raise ConfigError("update", "update.no_slot")
            with site.card() as card:
                card.keep(slot)
            durable.fill(site.root / KEPT_MARK, [])
    conclude(site, "kept")


def come_back(site: Site, trial: Trial, missing: Iterable[str]) -> None:
    """It has not: the next start is of what ran before. ConfigError, OSError."""
    match trial.kind:
        case "application":
            site.programs().give_up()
        case "image":
            with site.card() as card:
                card.forget_trial()
    conclude(site, "came_back", missing)


def conclude(site: Site, outcome: Literal["kept", "came_back"], missing: Iterable[str] = ()) -> None:
    """Remember how it ended. OSError."""
    write_state(site.releases, concluded(read_state(site.releases), outcome, missing))
