"""Walks a machine through inputs, without a clock: what the tests of all four read like."""

from __future__ import annotations

from appliance.sip.transaction.machine import Effect, Input, Machine, State

__all__ = ["Walk"]


class Walk:
    """`walk << Input.X` gives the effects, and leaves the state in `walk.state`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.state = machine.initial

    def __lshift__(self, event: Input) -> list[Effect]:
        self.state, effects = self.machine.step(self.state, event)
        return list(effects)

    def at(self, state: State) -> bool:
        return self.state is state

    @property
    def ended(self) -> bool:
        return self.state is State.TERMINATED
