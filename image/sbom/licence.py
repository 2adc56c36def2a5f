"""Licences: what Debian's copyright files name, and the SPDX identifiers of the names that they use.

The machine-readable form is DEP-5 (copyright-format 1.0 §7); other files are searched for the texts in
/usr/share/common-licenses that they refer to (Debian Policy §12.5).
"""

from __future__ import annotations

import re

__all__ = ["MACHINE_READABLE", "licences_of", "spdx_id"]

MACHINE_READABLE = re.compile(r"\AFormat(?:-Specification)?:", re.IGNORECASE)
_FIELD = re.compile(r"^Licen[sc]e:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_GNU = re.compile(r"(A?GPL|LGPL|GFDL)-?v?([0-9](?:\.[0-9])?)(\+|-only|-or-later)?", re.IGNORECASE)
_GNU_VERSIONS = {
    "AGPL": {"3.0"},
    "GPL": {"1.0", "2.0", "3.0"},
    "LGPL": {"2.0", "2.1", "3.0"},
    "GFDL": {"1.1", "1.2", "1.3"},
}
_OTHERS = {
    "0bsd": "0BSD",
    "apache-2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "bsl-1.0": "BSL-1.0",
    "cc0-1.0": "CC0-1.0",
    "cc0": "CC0-1.0",
    "curl": "curl",
    "expat": "MIT",
    "isc": "ISC",
    "mit": "MIT",
    "mpl-2.0": "MPL-2.0",
    "openssl": "OpenSSL",
    "psf-2.0": "PSF-2.0",
    "python-2.0": "Python-2.0",
    "unicode": "Unicode-DFS-2016",
    "zlib": "Zlib",
}


def licences_of(copyright_file: str) -> tuple[str, ...]:
    """The names that a copyright file gives, each once, sorted; nothing when it tells in its own words alone."""
    if MACHINE_READABLE.match(copyright_file):
        # A name and "with ... exception" stay together; alternatives stay as they are written.
        found = {" ".join(each.split()) for each in _FIELD.findall(copyright_file)}
    else:
        found = set(_COMMON.findall(copyright_file))
    return tuple(sorted(found, key=lambda name: (name.lower(), name)))


def spdx_id(name: str) -> str | None:
    """SPDX's identifier of a licence by one of the names in use; None when there is none that surely means the same."""
    gnu = _GNU.fullmatch(name)
    if gnu is None:
        return _OTHERS.get(name.lower())
    family, version, later = gnu[1].upper(), gnu[2], gnu[3]
    version = version if "." in version else f"{version}.0"
    if version not in _GNU_VERSIONS[family]:
        return None
    return f"{family}-{version}-{'or-later' if later in ('+', '-or-later') else 'only'}"
