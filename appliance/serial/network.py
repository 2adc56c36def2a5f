"""The network in the menu: what is set, a change, and whether a change that is on trial is kept. Pure."""

from __future__ import annotations

from typing import Any

from appliance.errors import ConfigError
from appliance.serial.dialogue import InvalidError, Talk, Words, ask, ask_until, perform, say
from appliance.serial.pages import console_urls, show_console
from appliance.serial.questions import ask_network, confirm, describe_network

__all__ = ["change_network", "trial_line"]


def change_network(words: Words) -> Talk[Words]:
    """Show the network and change it; first of all decide about a change that is on trial."""
    system = yield from perform(words, "system", "show")
    if system.get("trial"):
        yield from _decide(words)
        return words
    yield from say(f"  {words('label.network')}: {describe_network(words, system)}")
    network = yield from ask_network(words)
    network |= yield from _ask_what_else_is_set(words, system)
    yield from say(f"  {words('label.network')}: {describe_network(words, {**system, **network})}")
    if not (yield from confirm(words, words("network.confirm"), "yes")):
        return words
    changed = yield from perform(words, "system", "set", **network)
    if changed.get("trial"):
        yield from _decide(words)
    else:
        yield from say(words("done"))
    if network.get("address"):
        status = yield from perform(words, "status", "show")
        yield from show_console(words, console_urls(status, network["address"]))
    return words


def trial_line(words: Words) -> Talk[str]:
    """One line about a change that is on trial; empty without one, or where the exchange does not tell."""
    try:
        trial = (yield from perform(words, "system", "show")).get("trial")
    except ConfigError:
        return ""
    return words("trial.line", seconds=trial["seconds_left"]) if trial else ""


def _decide(words: Words) -> Talk[None]:
    """Ask until the change is kept or gone; an Enter alone tells how much time there is."""
    while trial := (yield from perform(words, "system", "show")).get("trial"):
        yield from say(f"  {words('label.network')}: {describe_network(words, trial)}")
        yield from say(words("trial.line", seconds=trial["seconds_left"]))
        answer = (yield from ask(words("trial.ask") + " ")).lower()
        verb = {"keep": "confirm", "undo": "undo"}.get(answer)
        if verb is None:
            continue
        try:
            yield from perform(words, "system", verb)
        except ConfigError as error:
            # Its time was over while the answer was typed.
            yield from say(words.refusal(error))
            break
        yield from say(words("trial.kept" if verb == "confirm" else "trial.undone"))
        return
    yield from say(words("trial.undone"))


def _ask_what_else_is_set(words: Words, system: dict[str, Any]) -> Talk[dict[str, Any]]:
    """A VLAN or a Wi-Fi that is wrong must be got rid of here, where nobody is cut off. Neither is begun here."""
    wanted: dict[str, Any] = {}
    if system.get("vlan"):
        wanted["vlan"] = yield from ask_until(words, words("network.vlan"), _vlan, str(system["vlan"]))
    if system.get("link") == "wifi":
        question = words("network.link", name=system.get("wifi_ssid", ""))
        wanted["link"] = yield from ask_until(words, question, _link, "2")
    return wanted


def _vlan(answer: str) -> int:
    if not (answer.isdecimal() and answer.isascii()) or not 0 <= int(answer[:6]) <= 4094:
        raise InvalidError("serial.invalid.vlan")
    return int(answer)


def _link(answer: str) -> str:
    if answer not in ("1", "2"):
        raise InvalidError("serial.invalid.choice", choices="1, 2")
    return "cable" if answer == "1" else "wifi"
