"""A phone that watches: it subscribes, reads what NOTIFYs say with the strictness of their standards, and answers them.

RFC 4235 §4.1, §4.4 (the schema); RFC 3842 §5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring

from appliance.sip.message import Request, Response
from tests.call.playbook import Sends

if TYPE_CHECKING:
    from tests.call.playbook import Phone, Playbook

__all__ = ["Dialog", "DialogInfo", "Watcher", "read_dialog_info"]

NAMESPACE = "{urn:ietf:params:xml:ns:dialog-info}"
STATES = {"trying", "proceeding", "early", "confirmed", "terminated"}


@dataclass(frozen=True)
class Dialog:
    id: str
    state: str
    direction: str
    local: str
    remote: str
    remote_name: str | None
    names: tuple[str, str, str] | None
    "Call-ID, local tag, remote tag."
    renders: tuple[bool, bool] = (True, True)
    "Whether the other one is heard at the local end, and at the remote one."

    @property
    def replaces(self) -> str:
        """What a Replaces says that takes this dialog over, at the phone that has it (RFC 3891 §3)."""
        assert self.names is not None
        call_id, local, remote = self.names
        return f"{call_id};to-tag={local};from-tag={remote};early-only"


@dataclass(frozen=True)
class DialogInfo:
    version: int
    entity: str
    dialogs: tuple[Dialog, ...]

    @property
    def states(self) -> list[str]:
        return [dialog.state for dialog in self.dialogs]

    @property
    def only(self) -> Dialog:
        (dialog,) = self.dialogs
        return dialog


def read_dialog_info(document: bytes) -> DialogInfo:
    """Whatever breaks the schema fails."""
    root = fromstring(document)
    assert root.tag == f"{NAMESPACE}dialog-info"
    assert root.keys() == ["version", "state", "entity"]
    assert root.get("state") == "full"
    version, entity = root.get("version"), root.get("entity")
    assert version is not None
    assert version.isdigit()
    assert entity is not None
    dialogs = tuple(_read_dialog(element) for element in root)
    assert len({dialog.id for dialog in dialogs}) == len(dialogs), "ids are not unique"
    return DialogInfo(int(version), entity, dialogs)


def _read_dialog(element: Element) -> Dialog:
    assert element.tag == f"{NAMESPACE}dialog"
    named = ["call-id", "local-tag", "remote-tag"] if element.get("call-id") is not None else []
    assert list(element.keys()) == ["id", *named, "direction"]
    assert element.get("direction") in {"initiator", "recipient"}
    # The schema has a sequence: state first, the two sides last.
    assert [child.tag for child in element] == [f"{NAMESPACE}{name}" for name in ("state", "local", "remote")]
    state, local, remote = element
    assert state.text in STATES
    names = tuple(element.get(name) or "" for name in named)
    return Dialog(
        id=element.get("id") or "",
        state=state.text or "",
        direction=element.get("direction") or "",
        local=_read_side(local)[0],
        remote=_read_side(remote)[0],
        remote_name=_read_side(remote)[1],
        names=(names[0], names[1], names[2]) if names else None,
        renders=(_read_side(local)[2], _read_side(remote)[2]),
    )


def _read_side(side: Element) -> tuple[str, str | None, bool]:
    identity, target = side
    assert identity.tag == f"{NAMESPACE}identity"
    assert (target.tag, target.get("uri")) == (f"{NAMESPACE}target", identity.text)
    told = [(each.tag, each.attrib) for each in target]
    not_heard = (f"{NAMESPACE}param", {"pname": "+sip.rendering", "pval": "no"})
    assert told in ([], [not_heard])
    return identity.text or "", identity.get("display"), not told


class Watcher:
    """One subscription of a phone that does nothing else meanwhile."""

    def __init__(self, book: Playbook, phone: Phone, number: str, event: str = "dialog") -> None:
        self.book, self.phone = book, phone
        self.number, self.event = number, event
        phone.invite(number)  # a dialog of its own
        phone.cseq = 0

    def subscribe(self, expires: int = 600, **headers: str) -> Sends:
        return self.phone.ask("SUBSCRIBE", b"", Event=self.event, Expires=str(expires), **headers)

    def begin(self, expires: int = 600) -> str:
        """Subscribe; what the first NOTIFY says."""
        self.book >> self.subscribe(expires) << self.phone.gets(200, f"Expires: {expires}")
        response = self.phone.last
        assert isinstance(response, Response)
        self.phone.remote = response.headers.get("To") or ""
        self.phone.target = str(response.contacts[0].uri)
        return self.hears()

    def hears(self, *contains: str, answer: int = 200) -> str:
        """The next message is a NOTIFY to it; what that says."""
        self.book << self.phone.gets("NOTIFY", f"Event: {self.event}", *contains) >> self.phone.ok(answer)
        assert isinstance(self.phone.asked, Request)
        return self.phone.asked.body.decode()

    def sees(self, *contains: str) -> DialogInfo:
        """The same of lamps."""
        return read_dialog_info(self.hears("Content-Type: application/dialog-info+xml", *contains).encode())

    def looks(self) -> DialogInfo:
        """Subscribe to lamps; what they show at first. Its pace holds up nothing that comes then."""
        info = read_dialog_info(self.begin().encode())
        self.book.waits(1).quiet()
        return info

    def waits(self, seconds: float = 1.2) -> DialogInfo:
        """Time passes until there is a NOTIFY, the only one."""
        for _ in range(round(seconds / 0.1)):
            if not self.book.wiretap.sent:
                self.book.waits(0.1)
        info = self.sees("Subscription-State: active")
        self.book.quiet()
        return info
