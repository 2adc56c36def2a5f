"""A scenario of sipp as its steps are added: what is sent, what must come, what is kept of it, and what goes into the log.

Names in `[$...]` are sipp's variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import count

from appliance.selftest.phone import Account

__all__ = ["AGREED", "ECHO", "GO", "OFFERED", "RETRANSMIT", "WAITS", "Kept", "Scenario"]

ECHO = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")
"What an answer repeats of the request before it."
RETRANSMIT = ' retrans="5000"'
"""T1 in milliseconds: loopback loses nothing, and a second challenge, to what a busy machine has had repeated, has a nonce
of its own, which sipp takes for a message that nobody expects."""
GO = "INFO"
"The request by which a test tells a telephone to go on: the exchange sends none here."
WAITS, OFFERED, AGREED = "waits", "offered", "agreed"
"What its log says: that it waits to be told to go on; that it has sent or got an INVITE; and its ACK."

Kept = Mapping[str, tuple[str, str]]
"""By variable, or by several for parts in parentheses: a header, or nothing for the whole message, and the expression
(POSIX.2 extended) for what of it is kept."""


class Scenario:
    """What one sipp process does, as one call of sipp's."""

    def __init__(self, account: Account, sound: tuple[str, int]) -> None:
        """`sound` is where its RTP is to come."""
        self.account = account
        self._sound = sound
        self._steps: list[str] = []
        self._variables: set[str] = set()
        self._names = count(1)

    @property
    def number(self) -> str:
        return self.account.number

    @property
    def domain(self) -> str:
        return self.account.server[0]

    @property
    def is_empty(self) -> bool:
        return not self._steps

    @property
    def xml(self) -> str:
        """The whole of it."""
        # sipp refuses a variable that is only ever set.
        known = f'<Reference variables="{",".join(sorted(self._variables))}"/>' if self._variables else ""
        head = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">'
        return "\n".join([head, f'<scenario name="{self.number}">', *self._steps, known, "</scenario>", ""])

    def new_name(self) -> str:
        """For a label, or a part of another name."""
        return str(next(self._names))

    def step(self, text: str) -> None:
        self._steps.append(text)

    def label(self, name: str) -> None:
        self.step(f'<label id="{name}"/>')

    def log(self, text: str) -> None:
        """A line in its log, once it has come as far as this."""
        self.step(f'<nop><action><log message="{text}"/></action></nop>')

    def send(self, *lines: str, options: str = "") -> None:
        """A message; an empty line stands before its body, if it has one."""
        at = lines.index("") if "" in lines else len(lines)
        head, body = lines[:at], lines[at:] or ("",)
        text = "\n".join([*head, f"Content-Length: {'[len]' if any(body) else 0}", *body])
        self.step(f"<send{options}>\n<![CDATA[\n{text}\n\n]]>\n</send>")

    def receive(
        self,
        options: str,
        contains: Iterable[str] = (),
        lacks: Iterable[str] = (),
        keeps: Kept | None = None,
    ) -> None:
        """A message that must come now, with all that is to be kept."""
        actions = [self._find(_literally(text), 'check_it="true"') for text in contains]
        actions += [self._find(_literally(text), 'check_it_inverse="true"') for text in lacks]
        actions += self._keep(keeps or {}, 'check_it="true"')
        self.step(f"<recv {options}>{_action(actions)}</recv>")

    def look(self, method: str, contains: Iterable[str], keeps: Kept | None = None) -> str:
        """A request that may say that, one behind the other; the variable that is set then."""
        found = f"found{self.new_name()}"
        actions = [self._find(".*".join(_literally(text) for text in contains), "", found)]
        actions += self._keep(keeps or {}, "")
        self.step(f'<recv request="{method}">{_action(actions)}</recv>')
        return found

    def _find(self, expression: str, how: str, name: str = "") -> str:
        name = name or f"seen{self.new_name()}"
        self._variables.add(name)
        return f'<ereg regexp="{escape(expression)}" search_in="msg" {how} assign_to="{name}"/>'

    def _keep(self, keeps: Kept, how: str) -> list[str]:
        actions = []
        for names, (header, expression) in keeps.items():
            where = f'search_in="hdr" header="{header}:"' if header else 'search_in="msg"'
            self._variables |= set(names.split(","))
            actions.append(f'<ereg regexp="{escape(expression)}" {where} {how} assign_to="{names}"/>')
        return actions

    def description(self, *lines: str) -> tuple[str, ...]:
        """G.711 A-law at its own port, with further lines; one with `c=` stands in the place of its own."""
        host, port = self._sound
        where = next((line for line in lines if line.startswith("c=")), f"c=IN IP4 {host}")
        return (
            *("Content-Type: application/sdp", "", "v=0", f"o=- 1 {self.new_name()} IN IP4 {host}", "s=-"),
            *(where, "t=0 0", f"m=audio {port} RTP/AVP 8", *(line for line in lines if line != where)),
        )


def _literally(text: str) -> str:
    """The expression that finds just this; sipp knows no way to write a quotation mark in one."""
    return re.sub(r"([.$*+?()\[\]{}|\\])", r"[\1]", text).replace('"', ".")


def _action(actions: list[str]) -> str:
    return f"<action>{''.join(actions)}</action>" if actions else ""
