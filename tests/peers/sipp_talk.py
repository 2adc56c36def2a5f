"""One dialog of a sipp telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from tests.peers.sipp_scenario import AGREED, ECHO, OFFERED, RETRANSMIT, Kept, Scenario

__all__ = ["Talk"]

VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport"
ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, REFER, NOTIFY, INFO, MESSAGE"
REASONS = {
    180: "Ringing",
    200: "OK",
    302: "Moved Temporarily",
    486: "Busy Here",
    487: "Request Terminated",
}
FOUNDING = {"INVITE", "SUBSCRIBE"}
"Requests whose 200 says who the other side is."


class Talk:
    """Each method adds steps to the scenario of its telephone."""

    def __init__(self, scenario: Scenario, call_id: str, local: str, remote: str = "") -> None:
        """`local` is its own From, and `remote` its To; where it is called, `local` is its own tag alone."""
        self._scenario = scenario
        self._call_id = call_id
        self._local = local
        self._remote = remote
        self._name = scenario.new_name()
        self._target = f"[$target{self._name}]"
        self._contact = f"Contact: <sip:{scenario.number}@[local_ip]:[local_port]>"
        self._cseq = 0
        self._asked = ""

    # --- what it asks

    def asks(
        self,
        method: str,
        uri: str = "",
        *lines: str,
        headers: Mapping[str, str] | None = None,
        password: str = "",
    ) -> Self:
        """A request; with a password, the same once more with the answer to the challenge that comes."""
        self._asked = method
        if method == "INVITE":
            self._scenario.log(OFFERED)
        fields = [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._ask(uri or self._target, *fields, *lines)
        if password:
            if method == "INVITE":
                self._scenario.receive('response="100" optional="true"')
            self._hears_one(401, ' auth="true"')
            proof = f"[authentication username={self._scenario.number} password={password}]"
            self._ask(uri or self._target, *fields, proof, *lines)
        return self

    def _ask(self, uri: str, *lines: str) -> None:
        self._cseq += 1
        contact = () if any(line.startswith("Contact:") for line in lines) else (self._contact,)
        self._scenario.send(
            *(f"{self._asked} {uri} SIP/2.0", VIA, "Max-Forwards: 70"),
            *(f"From: {self._local}", f"To: {self._remote}", f"Call-ID: {self._call_id}"),
            *(f"CSeq: {self._cseq} {self._asked}", *contact, ALLOW, *lines),
            options=RETRANSMIT,
        )

    def reinvites(self, *lines: str) -> Self:
        """Another offer."""
        return self.asks("INVITE", "", *self._scenario.description(*lines))

    def refers(self, to: str) -> Self:
        return self.asks("REFER", headers={"Refer-To": to})

    def unsubscribes(self, event: str = "dialog") -> Self:
        """And its 200."""
        headers = {"Event": event, "Expires": "0"}
        return self.asks("SUBSCRIBE", headers=headers, password=self._scenario.account.password).hears(200)

    def hangs_up(self) -> Self:
        return self.asks("BYE").hears(200)

    def gives_up(self) -> Self:
        """CANCEL of an INVITE that rings, and 487."""
        self._scenario.send(
            *(f"CANCEL sip:{_user(self._remote)} SIP/2.0", f"Via: [$via{self._name}]", "Max-Forwards: 70"),
            *(f"From: {self._local}", f"To: {self._remote}", f"Call-ID: {self._call_id}"),
            f"CSeq: {self._cseq} CANCEL",
            options=RETRANSMIT,
        )
        self._scenario.receive('response="200"')
        return self.hears(487)

    @property
    def replaces(self) -> str:
        """The dialog as Replaces in a URI has it (RFC 3891 §3, RFC 3261 §19.1.1)."""
        mine = self._local.partition("tag=")[2]
        return f"{self._call_id}%3Bto-tag%3D[$tag{self._name}]%3Bfrom-tag%3D{mine}"

    # --- what it hears

    def hears(self, *statuses: int, contains: Sequence[str] = (), lacks: Sequence[str] = ()) -> Self:
        """These answers to its last request, in this order; the last of them says that. ACKs go by themselves."""
        if self._asked in FOUNDING:
            self._scenario.receive('response="100" optional="true"')
        for status in statuses[:-1]:
            self._hears_one(status)
        self._hears_one(statuses[-1], contains=contains, lacks=lacks)
        return self

    def _hears_one(
        self, status: int, options: str = "", contains: Sequence[str] = (), lacks: Sequence[str] = ()
    ) -> None:
        founds = self._asked in FOUNDING and status == 200
        keeps: Kept = self._kept("To", f"remote{self._name}") if founds else {}
        if status == 180:
            keeps = {f"via{self._name}": ("Via", "SIP.*")}
        self._scenario.receive(f'response="{status}"{options}', contains, lacks, keeps)
        if founds:
            self._remote = f"[$remote{self._name}]"
        if self._asked == "INVITE" and status >= 200:
            self._acknowledge(status)

    def _acknowledge(self, status: int) -> None:
        uri, via, to = self._target, VIA, f"To: {self._remote}"
        if status >= 300:  # RFC 3261 §17.1.1.3
            uri, via, to = f"sip:{_user(self._remote)}", "[last_Via:]", "[last_To:]"
        self._scenario.send(
            *(f"ACK {uri} SIP/2.0", via, "Max-Forwards: 70", f"From: {self._local}", to),
            *(f"Call-ID: {self._call_id}", f"CSeq: {self._cseq} ACK"),
        )
        if status < 300:
            self._scenario.log(AGREED)

    def _kept(self, header: str, name: str) -> dict[str, tuple[str, str]]:
        """Of who is at the other end."""
        return {
            name: (header, "<.*"),
            f"whole{self._name},tag{self._name}": (header, "tag=([^;]*)"),
            f"target{self._name}": ("Contact", "sip:[^>]*"),
        }

    # --- what it is asked

    def gets(self, method: str, *contains: str, lacks: Sequence[str] = (), keeps: Kept | None = None) -> Self:
        """A request that nothing answers yet, or ACK."""
        self._scenario.receive(f'request="{method}"', contains, lacks, keeps)
        if method in {"INVITE", "ACK"}:
            self._scenario.log(OFFERED if method == "INVITE" else AGREED)
        return self

    def takes(self, method: str, *contains: str) -> Self:
        """A request that is answered with 200."""
        self.gets(method, *contains)
        self._scenario.send("SIP/2.0 200 OK", *ECHO)
        return self

    def is_called(self, *contains: str, lacks: Sequence[str] = ()) -> Self:
        """The INVITE that it begins with."""
        name = self._name
        keeps = self._kept("From", f"from{name}") | {
            f"via{name}": ("Via", "SIP.*"),
            f"to{name}": ("To", "<.*"),
            f"cseq{name}": ("CSeq", "[0-9]+"),
        }
        return self.gets("INVITE", *contains, lacks=lacks, keeps=keeps)

    def is_reinvited(self, *contains: str, lacks: Sequence[str] = (), answer: Sequence[str] = ()) -> Self:
        """The answer has these lines."""
        self.gets("INVITE", *contains, lacks=lacks)
        lines = self._scenario.description(*answer)
        self._scenario.send("SIP/2.0 200 OK", *ECHO, self._contact, ALLOW, *lines, options=RETRANSMIT)
        return self.gets("ACK")

    # --- what it answers where it is called

    def rings(self) -> Self:
        return self._says(180, self._contact)

    def answers(self) -> Self:
        """200, and its ACK."""
        return self.says_yes().gets("ACK")

    def says_yes(self) -> Self:
        """200 alone."""
        self._says(200, self._contact, ALLOW, *self._scenario.description())
        self._local = f"[$to{self._name}]{self._local}"
        self._remote = f"[$from{self._name}]"
        return self

    def refuses(self, status: int, *headers: str) -> Self:
        """A final refusal, and its ACK."""
        self._says(status, *headers)
        self._scenario.receive('request="ACK"')
        return self

    def is_cancelled(self, *contains: str) -> Self:
        """CANCEL with its 200, 487 and ACK."""
        return self.gets("CANCEL", *contains)._agrees_to_cancel().refuses(487)

    def is_cancelled_too_late(self) -> Self:
        """It has picked up as the CANCEL comes: ACK, and it is hung up on."""
        return self.gets("CANCEL")._agrees_to_cancel().answers().takes("BYE")

    def has_picked_up(self) -> Self:
        """ACK; a CANCEL that has crossed its 200 is no matter."""
        crossed, end = self._scenario.new_name(), self._scenario.new_name()
        self._scenario.receive(f'request="CANCEL" optional="true" next="{crossed}"')
        self._scenario.receive(f'request="ACK" next="{end}"')
        self._scenario.label(crossed)
        self._agrees_to_cancel()
        self._scenario.receive('request="ACK"')
        self._scenario.label(end)
        self._scenario.log(AGREED)
        return self

    def _agrees_to_cancel(self) -> Self:
        tag = self._local.rpartition(";tag=")[2]
        self._scenario.send(
            "SIP/2.0 200 OK", *(f"{line};tag={tag}" if "To" in line else line for line in ECHO)
        )
        return self

    def _says(self, status: int, *lines: str) -> Self:
        name = self._name
        self._scenario.send(
            *(f"SIP/2.0 {status} {REASONS[status]}", f"Via: [$via{name}]", f"From: [$from{name}]"),
            *(f"To: [$to{name}]{self._local}", f"Call-ID: {self._call_id}", f"CSeq: [$cseq{name}] INVITE"),
            *lines,
            options=RETRANSMIT if status >= 200 else "",
        )
        return self


def _user(to: str) -> str:
    """What stands behind `sip:` in `<sip:102@192.0.2.1>`."""
    return to.partition("sip:")[2].partition(">")[0]
