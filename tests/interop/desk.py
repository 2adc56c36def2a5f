"""An exchange with Linphone at one extension and baresip at the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.selftest.phone import Account
from tests.interop.baresip import Baresip
from tests.interop.exchange import Exchange, free_ports, wait_until
from tests.interop.linphone import Linphone
from tests.interop.linphone_library import LampPhone

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

__all__ = ["Desk"]


class Desk:
    """An exchange and three extensions: 101 is Linphone's, the others are baresip's."""

    def __init__(self, exchange: Exchange, folder: Path, stack: ExitStack) -> None:
        self.exchange = exchange
        self._folder = folder
        self._stack = stack
        self._passwords = exchange.add_extensions(3)

    def linphone(self, **options: Any) -> Linphone:
        ports = free_ports(self.exchange.sip[0], 2)
        account = self._folder / "101", "101", self._passwords["101"], self.exchange.sip
        made = self._stack.enter_context(Linphone(*account, ports=(ports[0], ports[1]), **options))
        self.exchange.wait_registered("101")
        return made

    def baresip(self, number: str, *, answers: bool = True, **options: Any) -> Baresip:
        sip, control, screen = free_ports(self.exchange.sip[0], 3)
        account = self._folder / number, number, self._passwords[number], self.exchange.sip
        made = Baresip(*account, ports=(sip, control), answers=answers, screen=screen, **options)
        self._stack.enter_context(made)
        self.exchange.wait_registered(number)
        return made

    def lamp_phone(self, number: str, watched: str) -> LampPhone:
        (port,) = free_ports(self.exchange.sip[0], 1)
        folder = self._folder / f"lamps-{number}"
        made = LampPhone(folder, number, self._passwords[number], self.exchange.sip, port, watched)
        self._stack.enter_context(made)
        self.exchange.wait_registered(number)
        return made

    def account(self, number: str) -> Account:
        """For the built-in phone."""
        return Account(number, self._passwords[number], self.exchange.sip)

    def talks(self, *numbers: str) -> None:
        """Return once these two talk to each other."""

        def is_so() -> bool:
            calls = self.exchange.perform("calls", "list")
            return any(
                {each["from_number"], each["to_number"]} == set(numbers) and each["state"] == "talking"
                for each in calls
            )

        wait_until(is_so, f"{numbers} to talk")

    def records(self) -> list[dict[str, Any]]:
        """Of all calls, once there are none left; oldest first."""
        self.exchange.wait_idle()
        found: list[dict[str, Any]] = self.exchange.perform("records", "list")
        return found[::-1]
