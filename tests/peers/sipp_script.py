"""What one sipp telephone does, step by step.

    to_bob = alice.calls("102").hears(180, 200)
    to_bob.reinvites("a=sendonly").hears(200)
    to_carol = alice.calls("103").hears(180, 200)
    to_bob.refers(f"<sip:103@192.0.2.1?Replaces={to_carol.replaces}>").hears(202)

The whole telephone is one call to sipp, with as many dialogs as it likes: what stands before `///` in a Call-ID does not
count for it. Every message must come as the script says, or sipp fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from tests.peers.sipp_scenario import ECHO, GO, WAITS, Kept, Scenario
from tests.peers.sipp_talk import Talk

__all__ = ["Script"]


class Script(Scenario):
    """The steps of a telephone; each method adds some."""

    _talks = 0

    # --- talks

    def calls(self, number: str, *, offers: bool = True, headers: Mapping[str, str] | None = None) -> Talk:
        """Dial, with the password that is asked for."""
        lines = self.description() if offers else ()
        return self._asks("INVITE", number, *lines, headers=headers)

    def is_called(self, *contains: str, lacks: Sequence[str] = ()) -> Talk:
        """An INVITE comes. The first thing in a script."""
        return Talk(self, "[call_id]", ";tag=b[pid]").is_called(*contains, lacks=lacks)

    def subscribes(self, number: str, event: str = "dialog") -> Talk:
        """With the password that is asked for, and its 200."""
        return self._asks("SUBSCRIBE", number, headers={"Event": event, "Expires": "600"}).hears(200)

    def writes(self, number: str, text: str) -> Talk:
        """MESSAGE, with the password that is asked for."""
        return self._asks("MESSAGE", number, "Content-Type: text/plain", "", text)

    def asks_unproven(self, method: str, number: str, *lines: str, **headers: str) -> Talk:
        """A request outside all talks, and no answer to a challenge."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._talk(number).asks(method, f"sip:{number}@{self.domain}", *lines, headers=fields)

    def registers(self, contact: str) -> None:
        """With the password that is asked for, and its 200."""
        headers = {"Contact": f"<{contact}>", "Expires": "3600"}
        talk = self._talk(self.number)
        talk.asks("REGISTER", f"sip:{self.domain}", headers=headers, password=self.account.password)
        talk.hears(200)

    def _asks(self, method: str, number: str, *lines: str, headers: Mapping[str, str] | None = None) -> Talk:
        uri = f"sip:{number}@{self.domain}"
        return self._talk(number).asks(method, uri, *lines, headers=headers, password=self.account.password)

    def _talk(self, number: str) -> Talk:
        self._talks += 1
        call_id = "[call_id]" if self.is_empty else f"{self._talks}///[call_id]"
        mine = f"<sip:{self.number}@{self.domain}>;tag=a[pid]-{self._talks}"
        return Talk(self, call_id, mine, f"<sip:{number}@{self.domain}>")

    # --- requests of any talk, or of none

    def takes(self, **comings: int | Sequence[str]) -> Self:
        """Requests that come in any order, each answered with 200: how many of a method, or what each of them says."""
        waits = {
            method: tuple("" for _ in range(coming)) if isinstance(coming, int) else tuple(coming)
            for method, coming in comings.items()
        }
        end = self.new_name()
        self._take(waits, end)
        self.label(end)
        return self

    def _take(self, waits: Mapping[str, tuple[str, ...]], end: str) -> None:
        """Each order is a way of its own through the scenario."""
        ways = {method: self.new_name() for method in waits}
        for method, (text, *_) in waits.items():
            optional = "" if method == list(waits)[-1] else ' optional="true"'
            self.receive(f'request="{method}"{optional} next="{ways[method]}"', [text] if text else [])
        for method, (_, *later) in waits.items():
            self.label(ways[method])
            rest = {each: texts for each, texts in {**waits, method: tuple(later)}.items() if texts}
            self.send("SIP/2.0 200 OK", *ECHO, options="" if rest else f' next="{end}"')
            if rest:
                self._take(rest, end)

    def takes_until(self, method: str, *contains: str, keeps: Kept | None = None) -> Self:
        """Requests that are answered with 200, the last of which says all of this, one behind the other."""
        again, end = self.new_name(), self.new_name()
        self.label(again)
        found = self.look(method, contains, keeps)
        self.send("SIP/2.0 200 OK", *ECHO, options=f' next="{end}" test="{found}"')
        self.step(f'<nop next="{again}"/>')
        self.label(end)
        return self

    def takes_text(self, *contains: str) -> None:
        """A MESSAGE comes, the first thing in a script."""
        self.receive('request="MESSAGE"', contains)
        self.send("SIP/2.0 200 OK", *(f"{line};tag=b[pid]" if "To" in line else line for line in ECHO))

    def sees_it_ring(self) -> dict[str, str]:
        """A lamp that it has shows a call that rings; what an INVITE says that picks it up (RFC 4235 §4.1.1, RFC 3891)."""
        names = "ringing,call,local,remote"
        expression = "call-id=.([^ ]*). local-tag=.([^ ]*). remote-tag=.([^ ]*). direction"
        self.takes_until("NOTIFY", ">early<", keeps={names: ("", expression)})
        return {"Replaces": "[$call];to-tag=[$local];from-tag=[$remote];early-only", "Require": "replaces"}

    def waits(self) -> Self:
        """Until the test says so; the log tells the test that it does, and what a word to it must name."""
        self.log(f"{WAITS} [call_id]")
        self.receive(f'request="{GO}"')
        return self
