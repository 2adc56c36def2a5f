"""Style sheets, scripts and pictures, under addresses that change with their content.

RFC 9111 §5.2: a file under its own hash may be kept by the browser for ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from webui.answer import Answer, plain

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["Assets"]

CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"Only these are served; the licences and VERSIONS beside them are not."

KEEP = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    content_type: str
    digest: str


class Assets:
    """The files of `webui/static`, read once: together they are some 150 kB."""

    def __init__(self) -> None:
        self._assets: dict[str, _Asset] = {}
        self._collect(files("webui").joinpath("static"), "")

    def _collect(self, folder: Traversable, prefix: str) -> None:
        for each in folder.iterdir():
            if each.is_dir():
                self._collect(each, f"{prefix}{each.name}/")
            elif content_type := CONTENT_TYPES.get(each.name.rpartition(".")[2]):
                body = each.read_bytes()
                digest = hashlib.sha256(body).hexdigest()[:12]
                self._assets[prefix + each.name] = _Asset(body, content_type, digest)

    def url(self, name: str) -> str:
        """The address of a file now; KeyError when there is no such file."""
        return f"/static/{self._assets[name].digest}/{name}"

    def serve(self, digest: str, name: str) -> Answer:
        asset = self._assets.get(name)
        if asset is None:
            return plain("not found\n", 404)
        # An old page may still ask under an old hash: it gets the new file, but may not keep it.
        cache = KEEP if digest == asset.digest else "no-store"
        return Answer(asset.body, 200, (("Content-Type", asset.content_type), ("Cache-Control", cache)))
