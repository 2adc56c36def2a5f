"""Read the console in the other language: for this session, and in this browser from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui import words
from webui.answer import redirect
from webui.request import LANGUAGE_COOKIE
from webui.routes import Access, Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES", "language_cookie"]

A_YEAR_S = 365 * 24 * 3600


def save(visit: Visit) -> Answer:
    language = visit.form.get("language")
    if not words.is_language(language):
        return redirect("/")
    if visit.session:
        visit.session.language = language
    return redirect(_own_path(visit.form.get("back", "/"))).with_header(*language_cookie(language))


def language_cookie(language: str) -> tuple[str, str]:
    """The header that makes a browser remember its language."""
    value = f"{LANGUAGE_COOKIE}={language}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={A_YEAR_S}"
    return "Set-Cookie", value


def _own_path(path: str) -> str:
    """A path of ours, or the first page: never a way to another site (`//example.org`, `/\\example.org`)."""
    ours = path.startswith("/") and path.isascii() and path.isprintable()
    return path if ours and path[1:2] not in {"/", "\\"} else "/"


ROUTES = (Route("POST", "/language", save, Access.ANYONE),)
