"""One request as a page sees it: who asks, what for, in which language, and what they sent.

`Console` is what all requests share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from webui import words
from webui.answer import Answer, html, redirect
from webui.session import Notice, Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from appliance.locale import Language
    from webui.templating import Templates
    from webui.upload import Upload

__all__ = ["Console", "Perform", "Visit", "path_to"]


class Perform(Protocol):
    """`control.perform` as a plain call that blocks until it is done."""

    def __call__(self, area: str, verb: str, key: str | None, values: dict[str, Any], actor: str) -> Any: ...


@dataclass(slots=True)
class Console:
    """What every request may use."""

    perform: Perform
    templates: Templates
    describe: Callable[[], dict[str, Any]]
    "control's own account of its areas, for forms and the API."
    sessions: Sessions = field(default_factory=Sessions)


@dataclass(slots=True)
class Visit:
    """One request."""

    console: Console
    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]
    "By lower-case name."
    source: str
    "The address of the client."
    language: Language
    browser_id: str
    "From the cookie; new when the browser sent none."
    is_new_browser: bool
    session: Session | None
    body: Callable[[], bytes]
    "Reads what was sent, for a page that takes something else than a form."
    upload: Upload | None = None
    "What was sent to a page that takes a file."

    @property
    def actor(self) -> str:
        """How the change log names whoever asks."""
        return "web:admin" if self.session else f"web:{self.source}"

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.headers.get("hx-request") == "true"

    @property
    def csrf_token(self) -> str:
        return self.console.sessions.csrf_token(self.browser_id)

    def perform(self, area: str, verb: str, key: str | None = None, **values: Any) -> Any:
        """Ask control. ConfigError or PeerError when it refuses."""
        return self.console.perform(area, verb, key, values, self.actor)

    def perform_on_the_box(self, area: str, verb: str, key: str | None = None, **values: Any) -> Any:
        """Ask for what only somebody on the box may: for an administrator, with values that the console chose."""
        return self.console.perform(area, verb, key, values, f"local:{self.actor}")

    def takes(self, area: str, verb: str) -> dict[str, Any]:
        """The JSON schema of a verb's values, as control tells it."""
        schema: dict[str, Any] = self.console.describe().get(area, {}).get(verb, {})
        return schema

    def say(self, key: str, **params: object) -> str:
        return words.say(key, self.language, **params)

    def page(self, template: str, status: int = 200, /, **values: Any) -> Answer:
        """Draw a template: a whole page, or a fragment where its name ends in `.part.html`."""
        return html(self.console.templates.draw(template, self, values), status)

    def back_to(self, path: str, notice: str = "", **params: object) -> Answer:
        """Go on to `path`, and say there what was done."""
        if notice and self.session:
            self.session.notice = Notice(notice, dict(params))
        return redirect(path)

    def back_with_refusal(self, path: str, key: str, **params: object) -> Answer:
        """Go on to `path`, and say there why nothing was done."""
        if self.session:
            self.session.notice = Notice(key, dict(params), good=False)
        return redirect(path)


def path_to(*parts: str) -> str:
    """A path of ours: `path_to("extensions", "1/2", "edit")` is `/extensions/1%2F2/edit`."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
