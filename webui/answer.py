"""What a page gives back: a value, so that pages are tested without a server.

RFC 9110 §15: status codes. The headers that every answer carries are added in `guard.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Answer", "download", "html", "json_answer", "plain", "redirect"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    body: str | bytes | Iterable[bytes] = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def with_header(self, name: str, value: str) -> Answer:
        return replace(self, headers=(*self.headers, (name, value)))


def html(body: str, status: int = 200) -> Answer:
    return Answer(body, status, (("Content-Type", "text/html; charset=utf-8"),))


def plain(body: str, status: int = 200) -> Answer:
    return Answer(body, status, (("Content-Type", "text/plain; charset=utf-8"),))


def json_answer(value: object, status: int = 200) -> Answer:
    body = json.dumps(value, ensure_ascii=False) + "\n"
    return Answer(body, status, (("Content-Type", "application/json; charset=utf-8"),))


def redirect(path: str) -> Answer:
    """Go to another of our own pages and GET it (303)."""
    return Answer(b"", 303, (("Location", path),))


def download(body: str | bytes | Iterable[bytes], file_name: str, content_type: str) -> Answer:
    """A file to save. `file_name` is ours, so it needs no quoting."""
    disposition = f'attachment; filename="{file_name}"'
    return Answer(body, 200, (("Content-Type", content_type), ("Content-Disposition", disposition)))
