"""What stands between the network and the pages: forged forms, framing, foreign scripts, missing sessions.

Content Security Policy Level 3; RFC 6454 (Origin); Fetch metadata. HSTS (RFC 6797 §8.1) is left out on purpose:
browsers ignore it on a connection whose certificate they do not trust, and a self-signed one is what a new box has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.answer import Answer, plain, redirect
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.visit import Visit

__all__ = ["CSRF_FIELD", "SECURITY_HEADERS", "refuse"]

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"

# data: is for the small arrows and ticks that Pico CSS draws as background pictures.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not no-referrer: with it browsers send `Origin: null` with our own forms.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)


def refuse(route: Route, visit: Visit) -> Answer | None:
    """Why this visit may not reach its page, or None when it may."""
    if route.access is Access.BEARER:
        return None
    if route.access in {Access.ADMINISTRATOR, Access.LIVE} and visit.session is None:
        return _to_log_in(visit)
    if visit.method == "POST" and not _form_is_ours(visit):
        return _forged(visit)
    return None


def _forged(visit: Visit) -> Answer:
    if visit.is_fragment:
        return plain("forged form\n", 403)
    title, text = visit.say("console.forged.title"), visit.say("console.forged.text")
    return visit.page("message.html", 403, title=title, text=text)


def _to_log_in(visit: Visit) -> Answer:
    if visit.is_fragment:
        # htmx follows this header with a whole new page; a 303 would be drawn inside the old one.
        return plain("", 401).with_header("HX-Redirect", "/log-in")
    return redirect("/log-in")


def _form_is_ours(visit: Visit) -> bool:
    token = visit.form.get(CSRF_FIELD) or visit.headers.get(CSRF_HEADER, "")
    return _origin_is_ours(visit) and visit.console.sessions.csrf_token_is_right(visit.browser_id, token)


def _origin_is_ours(visit: Visit) -> bool:
    """Every current browser sends Origin with a POST. One that sends neither it nor a hint has the token only."""
    origin = visit.headers.get("origin")
    if origin is None:
        return visit.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return origin == f"https://{visit.headers.get('host')}"
