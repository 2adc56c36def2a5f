"""What a page file declares: the address it answers, and who may ask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from webui.upload import MOST_UPLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from webui.answer import Answer

__all__ = ["Access", "Route"]


class Access(Enum):
    """Who may ask."""

    ANYONE = "anyone"
    ADMINISTRATOR = "administrator"
    "Needs a session; without one the log-in page is shown first."
    LIVE = "live"
    "As ADMINISTRATOR, but asked by a page on its own: it does not keep the session alive."
    BEARER = "bearer"
    "A program with a token; the page checks it itself. Cookies count for nothing here, so CSRF cannot happen."


@dataclass(frozen=True, slots=True)
class Route:
    """One address. `<name>` in `path` stands for one part of it and is handed to `handler` by that name."""

    method: str
    path: str
    handler: Callable[..., Answer]
    "Called with the Visit and the parts of the path by name."
    access: Access = Access.ADMINISTRATOR
    takes_file: bool = False
    """Whether its form has a file, which may be large; for a program its body is the file. It is read for an administrator, or
    for a token, only."""
    most_upload: int = MOST_UPLOAD
    "Octets of that form or body."
