"""What runs here: versions, and the licences of what we build upon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webui.routes import Route

if TYPE_CHECKING:
    from webui.answer import Answer
    from webui.visit import Visit

__all__ = ["ROUTES"]

BUILT_UPON = (
    ("anyio", "MIT"),
    ("bottle", "MIT"),
    ("cheroot", "BSD-3-Clause"),
    ("cryptography", "Apache-2.0 / BSD-3-Clause"),
    ("dnspython", "ISC"),
    ("htmx", "0BSD"),
    ("Jinja2", "BSD-3-Clause"),
    ("msgspec", "BSD-3-Clause"),
    ("OpenSSL", "Apache-2.0"),
    ("Pico CSS", "MIT"),
    ("prometheus-client", "Apache-2.0 / BSD-2-Clause"),
    ("pyserial", "BSD-3-Clause"),
    ("Python", "PSF-2.0"),
    ("segno", "BSD-3-Clause"),
    ("SQLite", "public domain"),
    ("tomli-w", "MIT"),
    ("uvloop", "MIT / Apache-2.0"),
)


def show(visit: Visit) -> Answer:
    return visit.page("about.html", status=visit.perform("status", "show"), built_upon=BUILT_UPON)


ROUTES = (Route("GET", "/about", show),)
