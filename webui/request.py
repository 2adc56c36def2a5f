"""From a WSGI environment to a `Visit`: cookies, language, session, form. Whatever was sent, within bounds.

PEP 3333; RFC 6265 §5.4 (Cookie); the WHATWG URL standard, application/x-www-form-urlencoded.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from webui import words
from webui.session import COOKIE, new_id
from webui.visit import Visit

if TYPE_CHECKING:
    from appliance.locale import Language
    from webui.visit import Console

__all__ = ["LANGUAGE_COOKIE", "MOST_BODY", "BodyRefusedError", "visit_of"]

MOST_BODY = 1_000_000
"Octets of a request's body; the largest honest one is an import of a few thousand extensions."
MOST_FIELDS = 100
"Fields of one form or query; our largest form has ten."
MOST_COOKIES = 4096
"Octets of the Cookie header; ours takes 150."
LANGUAGE_COOKIE = "__Host-language"


class BodyRefusedError(Exception):
    """A body that cannot be read. `status` is 411 without a length, 413 when it is too long, 400 when it is none,
    507 when there is no room for it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"body refused with {status}")
        self.status = status


def visit_of(
    console: Console, environ: dict[str, Any], *, keeps_alive: bool, with_form: bool = True
) -> Visit:
    """Take a request apart. `keeps_alive`: it starts the session's idle time afresh."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    cookies = _cookies(headers.get("cookie", ""))
    browser_id = cookies.get(COOKIE, "")
    # Ours have 43 characters; anything else is from nobody we know.
    is_new = not 20 <= len(browser_id) <= 100
    session = None if is_new else console.sessions.find(browser_id, touch=keeps_alive)
    method = environ["REQUEST_METHOD"]
    return Visit(
        console=console,
        method=method,
        path=environ["PATH_INFO"],
        query=_fields(environ.get("QUERY_STRING", "")),
        form=_form(environ) if with_form and method == "POST" else {},
        headers=headers,
        # A socket of both families names those of IPv4 so (RFC 4291 §2.5.5.2).
        source=environ.get("REMOTE_ADDR", "").removeprefix("::ffff:"),
        language=session.language if session else _language(cookies, headers),
        browser_id=new_id() if is_new else browser_id,
        is_new_browser=is_new,
        session=session,
        body=lambda: _body(environ),
    )


def _language(cookies: dict[str, str], headers: dict[str, str]) -> Language:
    chosen = cookies.get(LANGUAGE_COOKIE)
    if words.is_language(chosen):
        return chosen
    return words.preferred_language(headers.get("accept-language", ""))


def _cookies(header: str) -> dict[str, str]:
    if len(header) > MOST_COOKIES:
        return {}
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _form(environ: dict[str, Any]) -> dict[str, str]:
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return _fields(_body(environ).decode("latin-1"))


def _body(environ: dict[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = -1
    if length < 0 or environ.get("HTTP_TRANSFER_ENCODING"):
        raise BodyRefusedError(411)
    if length > MOST_BODY:
        raise BodyRefusedError(413)
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _fields(encoded: str) -> dict[str, str]:
    """Form fields or a query; of a repeated name the last counts."""
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"))
    except ValueError:
        return {}
