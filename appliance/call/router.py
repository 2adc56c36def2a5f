"""From a number to a plan: which phones to ring, and for how long."""

from __future__ import annotations

__all__ = ["Plan", "Router"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.call.cause import Cause
from appliance.call.destination import Destination
from appliance.call.inbound import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.call.events import Dialled
    from appliance.config.extension import Extension
    from appliance.directory.bindings import Binding
    from appliance.sip.message import Uri


class Whereabouts(Protocol):
    """Where an extension's phones are; `directory/bindings`."""

    def targets(self, number: str) -> list[Binding]: ...


class Phones(Protocol):
    """Which URIs mean one phone of an extension; `directory/gruu`."""

    def meant_by(self, uri: Uri) -> tuple[str, str] | None:
        """The number and the phone's name; None for a URI that means no single one. PeerError 404."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a call."""

    number: str
    "The extension that is rung."
    targets: Sequence[Destination]
    "Its phones; all ring at once."
    ring_seconds: float
    "When nobody has answered by then, the caller is told so."
    otherwise: Plan | None = None
    "What is tried next when this fails for one of the causes below."
    fail_over_on: frozenset[Cause] = frozenset()


class Router:
    """Knows the numbering plan. So far that is: every extension, and nothing else."""

    def __init__(self, find: Callable[[str], Extension | None], whereabouts: Whereabouts) -> None:
        self._find = find
        self._whereabouts = whereabouts

    def route(self, dialled: Dialled) -> Plan:
        """The plan for this call; RefusedError when there can be none."""
        extension = self._find(dialled.to_number)
        if extension is None or not extension.enabled:
            raise RefusedError(Cause.NOT_FOUND)
        # One's own phones are busy: with this call. Another one of them may be meant all the same.
        if extension.number == dialled.from_number and not dialled.phone:
            raise RefusedError(Cause.BUSY)
        targets = self._whereabouts.targets(extension.number)
        if dialled.phone:
            targets = [target for target in targets if target.phone == dialled.phone]
        if not targets:
            raise RefusedError(Cause.NOT_REGISTERED)
        return Plan(extension.number, [Destination.of(each) for each in targets], extension.ring_seconds)
