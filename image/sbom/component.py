"""One thing that somebody else made and that we hand on, and how CycloneDX 1.5 writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from image.sbom.licence import spdx_id

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Component", "purl"]


@dataclass(frozen=True, slots=True)
class Component:
    """Written as an element of `components`."""

    kind: str
    "CycloneDX's type: `library`, `application`, `firmware`, `operating-system`."
    name: str
    version: str
    purl: str
    licences: tuple[str, ...] = ()
    "Short names as its makers give them, or a sentence that says where it stands."
    expression: str = ""
    "An SPDX expression, which then is all that is said."
    sha256: str = ""
    properties: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Keys in a fixed order, absent ones left out."""
        written: dict[str, Any] = {
            "type": self.kind,
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "licenses": [{"expression": self.expression}] if self.expression else _licences(self.licences),
            "purl": self.purl,
        }
        if self.sha256:
            written["hashes"] = [{"alg": "SHA-256", "content": self.sha256}]
        if self.properties:
            written["properties"] = [{"name": name, "value": value} for name, value in self.properties]
        return written


def purl(kind: str, name: str, version: str, **qualifiers: str) -> str:
    """A package URL (ECMA-427); `name` with its namespace, divided by slashes."""
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(qualifiers.items()))
    return f"pkg:{kind}/{quote(name, safe='/')}@{quote(version, safe='')}" + (f"?{query}" if query else "")


def _licences(names: Iterable[str]) -> list[dict[str, Any]]:
    known = [(spdx_id(name), name) for name in names]
    chosen = dict.fromkeys(("id", spdx) if spdx else ("name", name) for spdx, name in known)
    return [{"license": {key: value}} for key, value in chosen or {("name", "NOASSERTION"): None}]
